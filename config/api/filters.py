"""Filters of lists: every query parameter is known and well formed, or the request is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend, Filter, FilterSet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.fields import AwareDateTimeField
from config.api.json import printable
from config.api.validation import unknown_choice
from config.kernel.ids import MalformedTypeID, TypeID


class MomentField(forms.CharField):
    """A form field that takes the times of the API and nothing else."""

    def clean(self, value: Any) -> Any:
        """Return the moment in UTC; None where the parameter is not given."""
        text = super().clean(value)
        if value is None:
            return None
        try:
            return AwareDateTimeField().run_validation(text)
        except ValidationError as error:
            raise FormError([str(message) for message in error.detail]) from error


class MomentFilter(Filter):  # type: ignore[misc]
    """Filter by a time with offset: ``created_after = MomentFilter(field_name="created_at", lookup_expr="gte")``."""

    field_class = MomentField


class TypeIDFormField(forms.CharField):
    """A form field that takes ids of one kind."""

    def __init__(self, *, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """Return the id; None where the parameter is not given: without its value it would show everybody's."""
        text = super().clean(value)
        if value is None:
            return None
        try:
            return TypeID.parse(text, self.prefix)
        except MalformedTypeID as error:
            raise FormError(f"Not an id of the kind {self.prefix}_…") from error


class TypeIDFilter(Filter):  # type: ignore[misc]
    """
    Filter by the id of another object: ``customer = TypeIDFilter(prefix="cust")``.

    A malformed id is 400; one of no object matches nothing.
    """

    field_class = TypeIDFormField

    def __init__(self, *args: Any, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(*args, prefix=prefix, **options)


class StrictFilterSet(FilterSet):  # type: ignore[misc]
    """
    The base of our filter sets; an enum's unknown value is told with the words there are.

    ``metadata_field`` names a JSON column that ``metadata[key]=value`` filters by.
    """

    metadata_field: str | None = None

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that match every parameter."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        for key, value in self.metadata_asked().items():
            matching = Q()
            for alternative in spellings(value):
                matching |= Q(**{f"{self.metadata_field}__contains": {key: alternative}})
            rows = rows.filter(matching)
        return rows

    def metadata_asked(self) -> dict[str, str]:
        """Return the metadata keys and values asked for."""
        if self.metadata_field is None:
            return {}
        return {name[9:-1]: self.data[name] for name in self.data if is_metadata_parameter(name)}


def is_metadata_parameter(name: str) -> bool:
    """Tell whether a query parameter is ``metadata[key]`` with some key."""
    return name.startswith("metadata[") and name.endswith("]") and len(name) > len("metadata[]")


def spellings(text: str) -> list[Any]:
    """Return the metadata values that a query parameter can mean: the text, and the number or boolean it spells."""
    found: list[Any] = [text]
    if text in ("true", "false"):
        found.append(text == "true")
    digits = text.removeprefix("-")
    if len(text) <= 17 and digits.isascii() and digits.replace(".", "", 1).isdigit():
        number = float(text)
        found.append(int(number) if number.is_integer() else number)
    return found


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Filter by the view's ``filterset_class``; what it cannot take is a 400 ``invalid_<name>``."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """
        Return the rows that match.

        Raises:
            ValidationError: a parameter has a value its filter does not take.
        """
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        _refuse_empty_words(filterset)
        if not filterset.is_valid():
            raise ValidationError(_errors(filterset))
        rows: QuerySet[Any] = filterset.qs
        return rows


def _refuse_empty_words(filterset: Any) -> None:
    """Count an enum's parameter without its word as wrong: a form takes it for no choice, and all would be shown."""
    for name, field in filterset.form.fields.items():
        if isinstance(field, forms.ChoiceField) and filterset.data.get(name) == "":
            filterset.form.add_error(name, "A word is missing")


def _errors(filterset: Any) -> dict[str, list[ErrorDetail]]:
    form = filterset.form
    found: dict[str, list[ErrorDetail]] = {}
    for name, errors in form.errors.as_data().items():
        field = form.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            words = [str(word) for word, _ in choices if word not in {"", None}]
            given: Any = filterset.data.get(name)
            if isinstance(field, forms.MultipleChoiceField):
                given = next((one for one in filterset.data.getlist(name) if one not in words), given)
            messages = [unknown_choice(name, given, words)]
        else:
            messages = [message for error in errors for message in error.messages]
        found[name] = [ErrorDetail(message, code="invalid") for message in messages]
    return found


def refuse_unknown_parameters(request: Request, known: Iterable[str], *, repeatable: Iterable[str] = ()) -> None:
    """
    Refuse query parameters that nothing reads, that are given twice, or that hold a NUL character.

    ``known`` may hold ``metadata[*]``, which stands for any key.

    Raises:
        ValidationError: ``unknown_field``, ``duplicate_key`` or ``invalid_<name>``, with the parameter.
    """
    names, many = set(known), set(repeatable)
    found: dict[str, list[ErrorDetail]] = {}
    for name, values in request.query_params.lists():
        is_known = name in names or ("metadata[*]" in names and is_metadata_parameter(name))
        if not is_known:
            found[printable(name)] = [ErrorDetail("There is no such parameter", code="unknown_field")]
        elif len(values) > 1 and name not in many:
            found[name] = [ErrorDetail("The parameter is given more than once", code="duplicate_key")]
        elif any("\0" in text for text in (name, *values)):
            found[printable(name)] = [ErrorDetail("A parameter cannot hold the NUL character", code="invalid")]
    if found:
        raise ValidationError(found)

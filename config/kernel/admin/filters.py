"""Filters of lists that the theme has not got."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst

from config.kernel.admin.theme import AutocompleteForm, DropdownFilter


class StatusFilter(DropdownFilter):
    """Keeps what is in a status now; subclasses name the ``statuses``, of which the queryset says ``with_status``."""

    title = "status"
    parameter_name = "status"
    statuses: ClassVar[type[models.TextChoices]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses."""
        return [(str(value), str(label)) for value, label in self.statuses.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep what was asked for."""
        asked = self.value()
        return queryset.with_status(asked, timezone.now()) if asked in self.statuses.values else queryset


class RelatedToFilter(DropdownFilter):
    """
    Keeps what has to do with one record, which is found by typing; subclasses say by ``related_to`` what that is.

    ``field_name`` is the foreign key whose records are offered.
    """

    field_name: ClassVar[str]
    form_class = AutocompleteForm

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.request, self.model_admin = request, model_admin
        self.field = model._meta.get_field(self.field_name)

    @abstractmethod
    def related_to(self, queryset: Any, pk: Any) -> Any:
        """Keep the rows that have to do with the record ``pk``."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer nothing by itself: there may be a million."""
        return []

    def has_output(self) -> bool:
        """Show the filter all the same."""
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep what was asked for; what is no id leads back to the whole list."""
        if not self.value():
            return queryset
        try:
            pk = self.field.target_field.to_python(self.value())
        except ValidationError as error:
            raise IncorrectLookupParameters(error) from error
        return self.related_to(queryset, pk)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the form of the filter."""
        form = self.form_class(
            request=self.request, name=str(self.parameter_name), label=capfirst(str(self.title)), choices=(),
            field=self.field, model_admin=self.model_admin, data={str(self.parameter_name): self.value()},
        )  # fmt: skip
        yield {"form": form}

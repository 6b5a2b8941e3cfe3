"""Serializer fields of our values: amounts, ids, references, times, currencies, enums, metadata."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from config.api.free_fields import JSONObjectField, MetadataField
from config.api.json import utc_text
from config.api.validation import unknown_choice
from config.kernel.ids import MalformedTypeID, TypeID
from config.kernel.models import noun_of
from config.kernel.money import is_currency, plain

__all__ = [
    "AmountField",
    "AwareDateTimeField",
    "CurrencyField",
    "EnumField",
    "JSONObjectField",
    "MetadataField",
    "ReferenceField",
    "TypeIDField",
]

MAX_INTEGER_DIGITS = 18
MAX_FRACTION_DIGITS = 12
#: JSON's own grammar of a number, with a short exponent.
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?\Z", re.ASCII)

#: Beyond these years, arithmetic with time zones and periods leaves what Python can count.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 1, 1, tzinfo=UTC)


class AmountField(serializers.Field[Decimal, Any, Any, Any]):
    """
    An amount of money or a quantity: a JSON number or a string of one, at most 18 integer and 12 fraction digits.

    ``min_value`` and ``max_value`` are inclusive; ``positive`` refuses 0 too. Printed exactly, without trailing zeros.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "Not a number",
        "digits": f"More than {MAX_INTEGER_DIGITS} integer or {MAX_FRACTION_DIGITS} fraction digits",
        "min_value": "Must be at least {bound}",
        "max_value": "Must be at most {bound}",
        "positive": "Must be greater than 0",
    }

    def __init__(
        self,
        *,
        min_value: Decimal | int | None = None,
        max_value: Decimal | int | None = None,
        positive: bool = False,
        **options: Any,
    ) -> None:
        # A model's decimal column passes its own digits, which are ours or more.
        for name in ("max_digits", "decimal_places"):
            options.pop(name, None)
        self.min_value = None if min_value is None else Decimal(min_value)
        self.max_value = None if max_value is None else Decimal(max_value)
        self.positive = positive
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the decimal that ``data`` spells."""
        value = plain(self._number(data))
        _, digits, exponent = value.as_tuple()
        fraction = max(0, -int(exponent))
        if fraction > MAX_FRACTION_DIGITS or len(digits) + int(exponent) > MAX_INTEGER_DIGITS:
            self.fail("digits")
        if self.positive and value <= 0:
            self.fail("positive")
        if self.min_value is not None and value < self.min_value:
            self.fail("min_value", bound=self.min_value)
        if self.max_value is not None and value > self.max_value:
            self.fail("max_value", bound=self.max_value)
        return value

    def _number(self, data: Any) -> Decimal:
        if isinstance(data, Decimal) and data.is_finite():
            return data
        if isinstance(data, int) and not isinstance(data, bool):
            return Decimal(data)
        if not isinstance(data, str) or not NUMBER.match(data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Any) -> Decimal:
        """Return the decimal; the renderer prints it exactly."""
        return value if isinstance(value, Decimal) else Decimal(str(value))


class TypeIDField(serializers.Field[TypeID, Any, str, Any]):
    """An id of one kind of object, ``<prefix>_…``; whether the object exists is the operation's question."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Not an id of the kind {prefix}_…"}

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> TypeID:
        """Return the id; anything else is ``invalid_<field>``."""
        try:
            return TypeID.parse(data, self.prefix)
        except MalformedTypeID:
            self.fail("invalid", prefix=self.prefix)

    def to_representation(self, value: Any) -> str:
        """Return the printed id."""
        return str(value)


class ReferenceField(serializers.PrimaryKeyRelatedField[Any]):
    """
    Another object by its id: an instance after validation, the id in the answer (read without a query).

    Text that is no id of this kind is 400 ``invalid_<field>``; a well-formed id of no object is 404
    ``<noun>_not_found`` with ``param``, when nothing else is wrong with the body.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "malformed": "Not an id of the kind {prefix}_…",
        "missing": "{label} {id} not found",
    }

    def __init__(self, queryset: QuerySet[Any] | None = None, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        if queryset is not None:
            options["queryset"] = queryset
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        """Return the instance."""
        queryset = self.get_queryset()
        if queryset is None:
            raise TypeError("A reference that is written needs a query set")
        prefix = self.prefix or getattr(queryset.model._meta.pk, "prefix", "")
        try:
            return queryset.get(pk=TypeID.parse(data, prefix))
        except MalformedTypeID:
            self.fail("malformed", prefix=prefix)
        except ObjectDoesNotExist:
            noun = noun_of(queryset.model)
            sentence = self.error_messages["missing"].format(label=noun.replace("_", " ").capitalize(), id=data)
            raise serializers.ValidationError(sentence, code=f"{noun}_not_found") from None

    def to_representation(self, value: Any) -> str:
        """Return the printed id."""
        return str(value.pk)


class AwareDateTimeField(serializers.Field[datetime, Any, str, Any]):
    """
    A moment: ISO 8601 with ``Z`` or an offset, 1970 to 9997; UTC after validation and in the answer.

    ``is_future`` gives the document an example that the operation takes; whether it lies ahead is not asked here.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "Not an ISO 8601 time",
        "naive": "A time needs “Z” or an offset, as in 2026-02-21T10:00:00Z",
        "range": "A time lies between 1970 and 9997",
    }

    def __init__(self, *, is_future: bool = False, **options: Any) -> None:
        self.is_future = is_future
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> datetime:
        """Return the moment in UTC."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) and data.isascii() else None
        except ValueError:
            moment = None
        if moment is None:
            self.fail("invalid")
        if moment.tzinfo is None:
            self.fail("naive")
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            self.fail("range")
        if not EARLIEST <= moment < LATEST:
            self.fail("range")
        return moment

    def to_representation(self, value: datetime) -> str:
        """Return ``2026-02-21T10:00:00Z``."""
        return utc_text(value)


class CurrencyField(serializers.CharField):
    """An ISO 4217 code in upper case that can be invoiced in."""

    default_error_messages: ClassVar[dict[str, Any]] = {"currency": "Not an ISO 4217 currency code in upper case"}

    def __init__(self, **options: Any) -> None:
        for name in ("max_length", "min_length", "trim_whitespace"):
            options.pop(name, None)
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the code."""
        if not isinstance(data, str) or not re.fullmatch("[A-Z]{3}", data) or not is_currency(data):
            self.fail("currency")
        return data


class EnumField(serializers.ChoiceField):
    """One of the words of an enum, spelled exactly; the refusal lists them."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the word as the choices give it."""
        if isinstance(data, str) and (data or self.allow_blank):
            if data == "":
                return ""
            if data in self.choice_strings_to_values:
                return self.choice_strings_to_values[data]
        words = [str(word) for word in self.choice_strings_to_values]
        raise serializers.ValidationError(unknown_choice(self.field_name or "value", data, words))

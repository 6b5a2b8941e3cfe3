"""Charges of rate plans as JSON: the numbers of a price, and what limits it to some events."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Charge, ChargeModel, Metric
from catalog.operations.rate_plans import ChargeSpec
from config.api.fields import EnumField, ReferenceField
from config.api.serializers import StrictModelSerializer, StrictSerializer

AMOUNT = {"type": ["number", "string"]}

PROPERTIES = {
    "type": "object",
    "description": (
        "STANDARD: unit_amount. GRADUATED and VOLUME: tiers, each with up_to (null in the last), unit_amount, and "
        "optionally flat_amount and package_size. PACKAGE: package_size, amount, and optionally free_units."
    ),
    "properties": {
        "unit_amount": AMOUNT,
        "amount": AMOUNT,
        "package_size": AMOUNT,
        "free_units": AMOUNT,
        "tiers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "up_to": {"type": ["number", "string", "null"]},
                    "unit_amount": AMOUNT,
                    "flat_amount": AMOUNT,
                    "package_size": AMOUNT,
                },
            },
        },
    },
    "examples": [
        {"unit_amount": 0.05},
        {"tiers": [{"up_to": 1000, "unit_amount": 0}, {"up_to": None, "unit_amount": 1}]},
    ],
}

LISTS_OF_TEXT = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}


@extend_schema_field(PROPERTIES)
class PropertiesField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """
    The numbers of a price: JSON numbers or strings in, kept as decimal strings, exact JSON numbers out.

    Whether they describe a price of the charge's model is the operation's question.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {"not_an_object": "Must be a JSON object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object with strings for numbers."""
        if not isinstance(data, Mapping):
            self.fail("not_an_object")
        return {name: _as_text(value) for name, value in data.items()}

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object with decimals for strings."""
        return {name: _as_number(one) for name, one in value.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return format(Decimal(value), "f")
    return value


def _as_number(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_number(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_number(one) for one in value]
    return Decimal(value) if isinstance(value, str) else value


@extend_schema_field(LISTS_OF_TEXT)
class MatchField(serializers.Field[dict[str, list[str]], Any, dict[str, list[str]], Any]):
    """The values that named dimensions may have: ``{"model": ["gpt-4o"]}``."""

    default_error_messages: ClassVar[dict[str, Any]] = {"shape": "Must be an object of lists of texts"}

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        """Return the object."""
        if not isinstance(data, Mapping) or not all(_is_list_of_text(values) for values in data.values()):
            self.fail("shape")
        return dict(data)

    def to_representation(self, value: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the object as it is kept."""
        return value


def _is_list_of_text(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class DimensionsField(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """The values of an event's dimensions: ``{"model": "gpt-4o"}``."""

    default_error_messages: ClassVar[dict[str, Any]] = {"shape": "Must be an object of texts"}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the object."""
        if not isinstance(data, Mapping) or not all(isinstance(value, str) for value in data.values()):
            self.fail("shape")
        return dict(data)

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        """Return the object as it is."""
        return value


class ChargeSerializer(StrictModelSerializer):
    """A charge."""

    metric = ReferenceField(prefix="metr", read_only=True)
    properties = PropertiesField()
    match = MatchField()

    class Meta:
        model = Charge
        fields = ("id", "metric", "name", "model", "properties", "match")
        read_only_fields = fields


class NewChargeSerializer(StrictSerializer):
    """What makes a charge."""

    metric = ReferenceField(Metric.objects.all())
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    model = EnumField(choices=ChargeModel.choices)
    properties = PropertiesField()
    match = MatchField(required=False)

    def to_internal_value(self, data: Any) -> ChargeSpec:
        """Return the charge as operations take it."""
        values = super().to_internal_value(data)
        return ChargeSpec(**{**values, "metric": values["metric"].id})

"""How our serializer fields stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension

from config.api.fields import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS
from config.kernel.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH

#: The first number with more integer digits than an amount has.
BEYOND = 10**MAX_INTEGER_DIGITS

#: Crockford's base32 in lower case; the first character holds three bits only.
SUFFIX = "[0-7][0-9a-hjkmnp-tv-z]{25}"


def type_id(prefix: str) -> dict[str, Any]:
    """Return the schema of an id of one kind."""
    return {"type": "string", "pattern": f"^{prefix}_{SUFFIX}$"}


class Amount(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A number or a string of one in, a number out."""

    target_class = "config.api.fields.AmountField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        field = self.target
        bounds = {"exclusiveMinimum": -BEYOND, "exclusiveMaximum": BEYOND} if direction == "request" else {}
        number: dict[str, Any] = {"type": "number", **bounds}
        if field.positive:
            number["exclusiveMinimum"] = 0
        if field.min_value is not None:
            number.pop("exclusiveMinimum", None)
            number["minimum"] = field.min_value
        if field.max_value is not None:
            number.pop("exclusiveMaximum", None)
            number["maximum"] = field.max_value
        if direction == "response":
            return number
        sign = "" if field.positive or (field.min_value is not None and field.min_value >= 0) else "-?"
        pattern = rf"^{sign}(0|[1-9][0-9]{{0,{MAX_INTEGER_DIGITS - 1}}})(\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?$"
        return {"oneOf": [number, {"type": "string", "pattern": pattern}]}


class TypeId(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An id of one kind."""

    target_class = "config.api.fields.TypeIDField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        return type_id(self.target.prefix)


class Reference(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The id of another object."""

    target_class = "config.api.fields.ReferenceField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema; of a read-only reference only that it is text, for its model is not at hand."""
        queryset = self.target.queryset
        prefix = self.target.prefix or (getattr(queryset.model._meta.pk, "prefix", "") if queryset is not None else "")
        return type_id(prefix) if prefix else {"type": "string"}


class Moment(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A time with offset."""

    target_class = "config.api.fields.AwareDateTimeField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        example = "2099-12-31T23:59:59Z" if self.target.is_future else "2026-02-21T10:00:00Z"
        return {"type": "string", "format": "date-time", "examples": [example]}


class CurrencyCode(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A currency code."""

    target_class = "config.api.fields.CurrencyField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        return {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217", "examples": ["USD"]}


class FreeObject(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A free JSON object."""

    target_class = "config.api.free_fields.JSONObjectField"
    match_subclasses = True
    #: After those of its subclasses.
    priority = -1

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        return {"type": "object", "additionalProperties": True}


class Metadata(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An integrator's own keys."""

    target_class = "config.api.free_fields.MetadataField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema; null is a value only in a PATCH, where it removes the key."""
        kinds = ["string", "number", "boolean"]
        if direction == "request" and auto_schema.method == "PATCH":
            kinds.append("null")
        return {
            "type": "object",
            "maxProperties": MAX_KEYS,
            "propertyNames": {"minLength": 1, "maxLength": MAX_KEY_LENGTH},
            "additionalProperties": {"type": kinds, "maxLength": MAX_TEXT_LENGTH},
        }


class Secret(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A credential with the secret that is shown once."""

    target_class = "config.api.serializers.IssuedSecretSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema."""
        text = {"type": "string"}
        once = {"type": ["string", "null"], "description": "Shown once; null in a replay."}
        always = ["id", "type", "name", "prefix", "last_four"]
        shown = {"key": once, "client_id": text, "client_secret": once}
        return {"type": "object", "required": always, "properties": {**dict.fromkeys(always, text), **shown}}

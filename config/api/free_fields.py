"""Serializer fields of what integrators keep with our objects: free JSON objects and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from rest_framework import serializers

from config.kernel.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH


class JSONObjectField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """
    A free JSON object that a ``JSONField`` of a model keeps.

    A number with a point becomes a float, so it is refused where a float would not print the same again.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_an_object": "Must be a JSON object",
        "digits": "A number has more digits than can be kept",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object in types that Python's ``json`` writes."""
        if not isinstance(data, Mapping):
            self.fail("not_an_object")
        return {key: self._kept(value) for key, value in data.items()}

    def _kept(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            number = float(value)
            if Decimal(repr(number)) != value:
                self.fail("digits")
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        if isinstance(value, Mapping):
            return {key: self._kept(one) for key, one in value.items()}
        return [self._kept(one) for one in value] if isinstance(value, list) else value

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object as it is kept."""
        return value


class MetadataField(JSONObjectField):
    """
    An integrator's own keys: up to 50, each ≤ 40 characters; a value is text ≤ 500, a number, true or false.

    On PATCH null is taken too and removes its key: see :func:`config.kernel.metadata.merged_metadata`.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "too_many": f"At most {MAX_KEYS} keys",
        "key": f"A key has 1 to {MAX_KEY_LENGTH} characters",
        "text": f"A text has at most {MAX_TEXT_LENGTH} characters",
        "kind": "A value is a text, a number, true or false",
        "null": "May not be null",
        "null_value": "A value may be null only in a PATCH, where it removes the key",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the keys and values; null values only in a partial update."""
        kept = super().to_internal_value(data)
        if len(kept) > MAX_KEYS:
            self.fail("too_many")
        for key, value in kept.items():
            if not 0 < len(key) <= MAX_KEY_LENGTH:
                self.fail("key")
            self._check_value(value)
        return kept

    def _check_value(self, value: Any) -> None:
        if value is None:
            if not getattr(self.root, "partial", False):
                self.fail("null_value")
        elif not isinstance(value, str | int | float):
            self.fail("kind")
        elif isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            self.fail("text")

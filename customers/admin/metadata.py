"""Metadata as lines of ``key = value``: what an operator types instead of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class MetadataField(forms.CharField):
    """
    Lines in, a mapping out.

    Integrations may keep numbers and nested values, which show as JSON; a line that is left as it was keeps the value
    it stands for, everything typed is text. ``stored`` is the mapping before the change.
    """

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, **options})
        self.stored: Mapping[str, Any] = {}

    def prepare_value(self, value: Any) -> Any:
        """Return a mapping as lines, and an operator's own input as it is."""
        return "\n".join(line_of(key, kept) for key, kept in value.items()) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> Any:
        """Return the mapping of the lines."""
        kept = {line_of(key, stored).strip(): (key, stored) for key, stored in self.stored.items()}
        metadata: dict[str, Any] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            key, read = kept.get(line.strip()) or read_line(number, line)
            if key in metadata:
                raise ValidationError(f"Line {number}: “{key}” has a line already.")
            metadata[key] = read
        return metadata

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare mappings, not texts."""
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True


def line_of(key: str, value: object) -> str:
    """Return the line of one entry; what is no single line of text stands there as JSON."""
    is_text = isinstance(value, str) and value == value.strip() and "\n" not in value
    return f"{key} = {value if is_text else json.dumps(value, ensure_ascii=False)}"


def read_line(number: int, line: str) -> tuple[str, str]:
    """
    Return key and value of a line.

    Raises:
        ValidationError: it has no ``=`` or nothing before it.
    """
    key, equals, value = (part.strip() for part in line.partition("="))
    if not key or not equals:
        raise ValidationError(f"Line {number}: write a key, “=” and its value.")
    return key, value

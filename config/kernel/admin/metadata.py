"""Metadata as rows of keys and values: what an operator fills in instead of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.kernel.admin.columns import NOTHING
from config.kernel.admin.theme import INPUT_LOOKS
from config.kernel.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH

#: How many empty rows always stand below those that hold something, so that rows can be added without scripts.
BLANK_ROWS = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """What stands in the two boxes of a row, what kind of value it is where no text, and what is wrong with it."""

    key: str = ""
    value: str = ""
    kind: str = ""
    complaint: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether both boxes are."""
        return not self.key and not self.value


class MetadataWidget(forms.Widget):
    """Rows of two boxes, with a button for one more; the boxes of all rows share two names."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]] | None:
        """Return key and value of every row sent; None where the rows are missing."""
        if self.value_omitted_from_data(data, files, name):
            return None
        keys, values = data.getlist(f"{name}-key"), data.getlist(f"{name}-value")
        return [(key.strip(), value.strip()) for key, value in zip_longest(keys, values, fillvalue="")]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether the rows are missing."""
        return f"{name}-key" not in data

    def id_for_label(self, id_: str) -> str:
        """Let the label lead to the first box."""
        return f"{id_}_1" if id_ else id_

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the rows, the blank ones last."""
        rows = [*(value or []), *[Row()] * BLANK_ROWS]
        widget = {"name": name, "id": (attrs or {}).get("id", f"id_{name}"), "input_looks": INPUT_LOOKS}
        context = {"widget": widget, "rows": rows, "blank": Row()}
        return render_to_string("kernel/metadata_rows.html", context)


class MetadataField(forms.Field):
    """
    Rows in, a mapping out.

    Integrations may keep numbers and booleans: a row that is left as it was keeps the value it stands for, everything
    typed is text. ``stored`` is the mapping before the change.
    """

    widget = MetadataWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, **options})
        self.stored: Mapping[str, Any] = {}

    def prepare_value(self, value: Any) -> list[Row]:
        """Return a mapping, or the boxes that were sent, as rows."""
        if value is None or isinstance(value, Mapping):
            stored = self.stored if value is None else value
            return [Row(key=key, value=printed(kept), kind=kind_of(kept)) for key, kept in stored.items()]
        rows = list(self._checked(value))
        while rows and rows[-1].is_empty:
            rows.pop()
        return rows

    def clean(self, value: Any) -> dict[str, Any]:
        """
        Return the mapping of the rows; rows that were not sent at all change nothing.

        Raises:
            ValidationError: a sentence for each row that cannot be kept, which names it.
        """
        if value is None:
            return dict(self.stored)
        rows = list(self._checked(value))
        complaints = [f"Row {number}: {row.complaint}" for number, row in enumerate(rows, start=1) if row.complaint]
        if complaints:
            raise ValidationError(complaints)
        return {row.key: self._meant(row.key, row.value) for row in rows if not row.is_empty}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare mappings, not texts."""
        try:
            return self.clean(data) != (initial or {})
        except ValidationError:
            return True

    def _checked(self, boxes: Iterable[tuple[str, str]]) -> Iterator[Row]:
        """Yield the rows as they were sent, each with what is wrong with it."""
        taken: set[str] = set()
        for key, value in boxes:
            complaint = "" if self._is_left_alone(key, value) else _complaint(key, value)
            if key and not complaint:
                complaint = _crowding(key, taken)
                taken.add(key)
            yield Row(key=key, value=value, kind=kind_of(self._meant(key, value)), complaint=complaint)

    def _meant(self, key: str, value: str) -> Any:
        """Return the stored value where the box still shows it, else what was typed."""
        return self.stored[key] if self._is_left_alone(key, value) else value

    def _is_left_alone(self, key: str, value: str) -> bool:
        return key in self.stored and printed(self.stored[key]) == value


def printed(value: object) -> str:
    """Return a value as its box shows it; what is no single line of text stands there as JSON."""
    is_text = isinstance(value, str) and value == value.strip() and value.isprintable()
    return str(value) if is_text else json.dumps(value, ensure_ascii=False)


def kind_of(value: object) -> str:
    """Return what a value is where it is no text."""
    match value:
        case str():
            return ""
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case None:
            return "null"
    return "JSON"


def metadata_lines(metadata: Mapping[str, Any]) -> SafeString | str:
    """Return the metadata to be read, a line an entry."""
    lines = ((key, printed(value)) for key, value in metadata.items())
    return format_html_join("", "<p>{} = {}</p>", lines) or NOTHING


def _complaint(key: str, value: str) -> str:
    """Return what is wrong with what was typed into one row; empty where nothing is."""
    if not key:
        return "write a key." if value else ""
    if len(key) > MAX_KEY_LENGTH:
        return f"a key has at most {MAX_KEY_LENGTH} characters, this one has {len(key)}."
    if len(value) > MAX_TEXT_LENGTH:
        return f"a value has at most {MAX_TEXT_LENGTH} characters, this one has {len(value)}."
    return "remove the characters that cannot be seen." if "\0" in key + value else ""


def _crowding(key: str, taken: set[str]) -> str:
    """Return what is wrong with one key more; ``taken`` are those of the rows above."""
    if key in taken:
        return f"“{key}” has a row already."
    return f"there are at most {MAX_KEYS} keys." if len(taken) >= MAX_KEYS else ""

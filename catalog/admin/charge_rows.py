"""Rows of boxes within a charge, for what it has many of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.models import ChargeModel
from config.kernel.admin.theme import INPUT_LOOKS

#: How many empty rows always stand below those that hold something, so that rows can be added without scripts.
BLANK_ROWS = 2

#: How a box looks that something is wrong with.
WRONG_LOOKS = INPUT_LOOKS.replace("border-base-200", "border-red-600").replace("border-base-700", "border-red-500")


@dataclass(frozen=True, kw_only=True)
class Column:
    """Boxes one above the other: the name of what they hold, their heading, and the pricing models that have them."""

    name: str
    label: str
    models: Sequence[str] = tuple(ChargeModel)
    placeholder: str = ""


class CellError(ValidationError):
    """What is wrong with one box: its row, counted from 0, and the name of its column."""

    def __init__(self, message: str, *, row: int, column: str) -> None:
        super().__init__(message)
        self.row, self.column = row, column


class RowsWidget(forms.Widget):
    """Rows of boxes; those of a column share a name. The template of the charge draws them, by :func:`table_of`."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.names = [column.name for column in columns]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        """Return every row sent, also those left empty."""
        columns = [data.getlist(f"{name}-{column}") for column in self.names]
        rows = zip_longest(*columns, fillvalue="")
        return [dict(zip(self.names, (box.strip() for box in row), strict=True)) for row in rows]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether the rows are missing."""
        return not any(f"{name}-{column}" in data for column in self.names)


class RowsField(forms.Field):
    """Rows of texts by column; what they mean, and whether they can, is for the charge to say."""

    def __init__(self, columns: Sequence[Column], **options: Any) -> None:
        super().__init__(widget=RowsWidget(columns), required=False, **options)
        self.columns = columns

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the rows that hold something."""
        return list(filled(data or ()).values()) != list(filled(initial or ()).values())


def filled(rows: Iterable[Mapping[str, str]]) -> dict[int, Mapping[str, str]]:
    """Return the rows that hold something, by their place."""
    return {place: row for place, row in enumerate(rows) if any(row.values())}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A box as it is drawn; ``complaint`` is empty where nothing is wrong."""

    column: Column
    id: str
    name: str
    value: str = ""
    complaint: str = ""

    @property
    def looks(self) -> str:
        """The classes of the box."""
        return WRONG_LOOKS if self.complaint else INPUT_LOOKS


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row as it is drawn; ``above`` is where a tier begins."""

    number: int
    cells: Sequence[Cell]
    above: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows as they are drawn, the empty ones last, and what is wrong with no single box of them."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    complaints: Sequence[str]


def table_of(field: forms.BoundField) -> Table:
    """Return what the template draws of a :class:`RowsField`."""
    errors = field.errors.as_data()
    by_cell = {(one.row, one.column): one.messages[0] for one in errors if isinstance(one, CellError)}
    values = list(field.value() or ())
    while values and not any(values[-1].values()):
        values.pop()
    rows: list[Row] = []
    for place, value in enumerate([*values, *[{}] * BLANK_ROWS]):
        complaints = {name: complaint for (row, name), complaint in by_cell.items() if row == place}
        rows.append(_row(field, place, value, complaints, above=_end_of(values, place)))
    whole = [message for one in errors if not isinstance(one, CellError) for message in one.messages]
    columns = field.field.columns  # type: ignore[attr-defined]
    return Table(columns=columns, rows=rows, complaints=whole)


def _row(
    field: forms.BoundField, place: int, value: Mapping[str, str], complaints: Mapping[str, str], *, above: str = ""
) -> Row:
    cells = [
        Cell(
            column=column,
            id=f"{field.auto_id}-{place + 1}-{column.name}",
            name=f"{field.html_name}-{column.name}",
            value=value.get(column.name, ""),
            complaint=complaints.get(column.name, ""),
        )
        for column in field.field.columns  # type: ignore[attr-defined]
    ]
    return Row(number=place + 1, cells=cells, above=above)


def _end_of(values: Sequence[Mapping[str, str]], place: int) -> str:
    """Return where the row before the one at ``place`` ends; the first begins at 0, one after an open end nowhere."""
    if place == 0:
        return "0"
    return values[place - 1].get("up_to", "") if place <= len(values) else ""

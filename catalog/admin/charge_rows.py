"""Rows of boxes within a charge: the tiers of its price, and the usage it is limited to."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.models import ChargeModel
from config.kernel.admin.theme import INPUT_LOOKS
from config.kernel.money import plain

#: How many empty rows always stand below those that hold something, so that rows can be added without scripts.
BLANK_ROWS = 2
#: The longest list of values that a box takes; thousands of model names fit in.
MAX_VALUES_LENGTH = 100_000

#: How a box looks that something is wrong with.
WRONG_LOOKS = INPUT_LOOKS.replace("border-base-200", "border-red-600").replace("border-base-700", "border-red-500")

BY_UNIT = (ChargeModel.GRADUATED, ChargeModel.VOLUME)
BY_SHARE = (ChargeModel.GRADUATED_PERCENTAGE,)
TIERED = (*BY_UNIT, *BY_SHARE)


@dataclass(frozen=True, kw_only=True)
class Column:
    """Boxes one above the other: the name of what they hold, their heading, and the pricing models that have them."""

    name: str
    label: str
    models: Sequence[str] = tuple(ChargeModel)
    placeholder: str = ""


TIER_COLUMNS = (
    Column(name="up_to", label="Up to", models=TIERED),
    Column(name="unit_amount", label="Price per unit", models=BY_UNIT),
    Column(name="rate_percent", label="Percentage", models=BY_SHARE),
    Column(name="flat_amount", label="Flat amount", models=TIERED, placeholder="0"),
    Column(name="package_size", label="Package size", models=BY_UNIT, placeholder="1"),
)
MATCH_COLUMNS = (
    Column(name="dimension", label="Dimension"),
    Column(name="values", label="Values", placeholder="gpt-4o, gpt-4o-mini"),
)


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


def read_tiers(rows: Sequence[Mapping[str, str]], model: str, number: forms.DecimalField) -> dict[int, dict[str, Any]]:
    """
    Return the tiers of the rows that hold something, by their place, as the pricing reads them.

    Columns of another ``model`` are left alone; ``number`` reads the boxes. Whether the numbers make a price is for
    the pricing to say.

    Raises:
        ValidationError: a :class:`CellError` for each box that holds no number, or an end of the last tier.
    """
    names = [column.name for column in TIER_COLUMNS if model in column.models]
    shown = filled([{name: row.get(name, "") for name in names} for row in rows])
    errors: list[CellError] = []
    tiers: dict[int, dict[str, Any]] = {}
    for place, row in shown.items():
        tiers[place] = {"up_to": None}
        for name, text in row.items():
            try:
                value = number.clean(text)
            except ValidationError as error:
                complaint = error.messages[0]
                errors.append(tier_error(place, name, f"{complaint[0].lower()}{complaint[1:]}"))
                continue
            if value is not None:
                tiers[place][name] = f"{value:f}"
    if tiers and not errors and tiers[last := max(tiers)]["up_to"] is not None:
        errors.append(tier_error(last, "up_to", "must be left empty, because the last tier has no end; or add a tier."))
    if errors:
        raise ValidationError(errors)
    return tiers


def tier_error(place: int, column: str, complaint: str) -> CellError:
    """Return the error of one box of a tier; ``complaint`` is a sentence, or the rest of one about the box."""
    label = next(one.label for one in TIER_COLUMNS if one.name == column).lower()
    subject = f"the {label} " if complaint.startswith("is ") else ""
    return CellError(f"Tier {place + 1}: {subject}{complaint}", row=place, column=column)


def read_match(rows: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """
    Return the match of the rows that hold something; a value with a comma stands in double quotes.

    Raises:
        ValidationError: a :class:`CellError` for each box that cannot be meant, or names a dimension once more.
    """
    match: dict[str, list[str]] = {}
    errors: list[CellError] = []
    for place, row in filled(rows).items():
        name, values = row.get("dimension", ""), row.get("values", "")
        if not name:
            errors.append(match_error(place, "dimension", "choose a dimension."))
        elif name in match:
            errors.append(match_error(place, "dimension", f"“{name}” has a row already."))
        if not values.isprintable():
            errors.append(match_error(place, "values", "remove the characters that cannot be seen."))
        elif len(values) > MAX_VALUES_LENGTH:
            errors.append(match_error(place, "values", f"at most {MAX_VALUES_LENGTH} characters fit in."))
        else:
            match[name] = parse_values(values)
    if errors:
        raise ValidationError(errors)
    return match


def match_error(place: int, column: str, complaint: str) -> CellError:
    """Return the error of one box of a match."""
    return CellError(f"Row {place + 1}: {complaint}", row=place, column=column)


def parse_values(text: str) -> list[str]:
    """Return the values of a list like ``gpt-4o, "a, b"``."""
    return [value.strip() for value in next(csv.reader([text], skipinitialspace=True), []) if value.strip()]


def print_values(values: Iterable[str]) -> str:
    """Return ``values`` as the list that :func:`parse_values` reads."""
    doubled = (value.replace('"', '""') for value in values)
    return ", ".join(f'"{value}"' if "," in value or '"' in value else value for value in doubled)


def rows_of_tiers(tiers: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of stored tiers, numbers in their shortest form."""
    return [
        {
            column.name: "" if tier.get(column.name) is None else f"{plain(Decimal(str(tier[column.name]))):f}"
            for column in TIER_COLUMNS
        }
        for tier in tiers
    ]


def rows_of_match(match: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Return the rows of a stored match."""
    return [{"dimension": name, "values": print_values(values)} for name, values in match.items()]

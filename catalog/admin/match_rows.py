"""What a charge is limited to as rows of boxes: a dimension with its values each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError

from catalog.admin.charge_rows import CellError, Column, filled

#: The longest list of values that a box takes; thousands of model names fit in.
MAX_VALUES_LENGTH = 100_000

MATCH_COLUMNS = (
    Column(name="dimension", label="Dimension"),
    Column(name="values", label="Values", placeholder="gpt-4o, gpt-4o-mini"),
)


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


def rows_of_match(match: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Return the rows of a stored match."""
    return [{"dimension": name, "values": print_values(values)} for name, values in match.items()]

"""Usage files: CSV and JSON lines, also gzipped, row by row as the fields of events."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

#: Numbers as a spreadsheet or a log writes them; "007" is a name, not a number.
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


class UnreadableRow(ValueError):
    """A row that is no row of its format; ``str()`` says why."""


class UnknownFormat(ValueError):
    """A file whose name tells no format; ``str()`` says which there are."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its number, counted from 1 without the header, and its columns, or why it cannot be read."""

    number: int
    columns: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """How columns become events: ``fields`` names the column of each property, ``constants`` are set in every event."""

    fields: Mapping[str, str]
    constants: Mapping[str, str]
    zone: ZoneInfo

    def properties(self, row: Row) -> dict[str, Any]:
        """Return the properties of the event that ``row`` describes; empty columns are left out."""
        found = {name: row.columns.get(column) for name, column in self.fields.items() if name not in RESERVED}
        values = {name: number_or_text(value) for name, value in found.items() if value not in (None, "")}
        return {**{name: number_or_text(value) for name, value in self.constants.items()}, **values}

    def subscriber(self, row: Row) -> str | None:
        """Return who used what ``row`` describes; None for an empty column and for none."""
        value = row.columns.get(self.fields["subscriber"]) if "subscriber" in self.fields else None
        return None if value in (None, "") else str(value)

    def timestamp(self, row: Row) -> datetime | None:
        """
        Return when ``row`` happened: an ISO 8601 time (without an offset: in ``zone``) or milliseconds since 1970.

        Raises:
            UnreadableRow: the column holds neither.
        """
        column = self.fields.get("timestamp")
        if column is None:
            return None
        value = row.columns.get(column)
        if isinstance(value, str) and not NUMBER.fullmatch(value):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError as error:
                raise UnreadableRow(f"“{value}” is no time") from error
            return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
        if value is None:
            raise UnreadableRow(f"the column {column} is empty")
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=float(value))


#: What an event is mapped to besides its properties.
RESERVED = frozenset({"subscriber", "timestamp", "transaction_id"})


def number_or_text(value: Any) -> Any:
    """Return the number that ``value`` is written as, exactly, or ``value``."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value) if "." in value else int(value)
    return value


def read_rows(path: Path, stream: BinaryIO) -> Iterator[Row]:
    """
    Yield the rows of ``stream``, the bytes of the file at ``path``, whose name tells the format; memory stays flat.

    Raises:
        UnknownFormat: neither ``.csv`` nor ``.jsonl`` (``.ndjson``), with or without ``.gz``.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    kind = suffixes[-2] if is_packed and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    if kind not in readers:
        raise UnknownFormat(f"{path.name}: the name of a usage file ends in .csv, .jsonl or .ndjson, perhaps with .gz")
    binary = gzip.GzipFile(fileobj=stream) if is_packed else stream
    text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
    try:
        yield from readers[kind](text)
    finally:
        # The file is the caller's to close.
        text.detach()


def missing_columns(rows: Iterable[Row], columns: Iterable[str]) -> list[str]:
    """
    Return which of ``columns`` no row has, sorted; none where there are no rows.

    Reads until all have been seen: one row of a CSV file, which has its header's columns in every row.
    """
    missing = set(columns)
    number = 0
    for row in rows:
        number = row.number
        missing -= row.columns.keys()
        if not missing:
            break
    return sorted(missing) if number else []


def _csv_rows(text: Iterable[str]) -> Iterator[Row]:
    reader = csv.DictReader(text)
    for number, columns in enumerate(reader, start=1):
        is_whole = None not in columns and None not in columns.values()
        error = "" if is_whole else "the row has another number of columns than the header"
        yield Row(number=number, columns=columns, error=error)


def _json_rows(text: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            columns = json.loads(line, parse_float=Decimal)
        except ValueError as error:
            yield Row(number=number, columns={}, error=f"no JSON: {error}")
            continue
        is_object = isinstance(columns, dict)
        yield Row(number=number, columns=columns if is_object else {}, error="" if is_object else "no JSON object")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Moves times so that what happened from ``first`` to ``last`` happens from ``start`` to ``end`` instead."""

    first: datetime
    last: datetime
    start: datetime
    end: datetime | None

    def __call__(self, moment: datetime) -> datetime:
        """Return ``moment`` moved, and with an ``end`` stretched in proportion, to the microsecond."""
        passed = moment - self.first
        if self.end is not None and self.last > self.first:
            passed = passed * ((self.end - self.start) / (self.last - self.first))
        return self.start + passed

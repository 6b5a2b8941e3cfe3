"""Spreadsheets, CSV and XLSX: rows in as text by column, rows out so that no cell is ever run as a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}

#: What a spreadsheet program takes for the beginning of a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

#: An XLSX file is a zip archive: what it may unpack to, so that a small file cannot fill the memory.
LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_COLUMNS = 500


class UnreadableSheet(ValueError):
    """A file that is no spreadsheet we can read; ``str()`` says why."""


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row below the header: its number as the spreadsheet shows it (the header is 1), and its cells as text."""

    number: int
    cells: Mapping[str, str]


def read_sheet(file: BinaryIO, name: str) -> Iterator[SheetRow]:
    """
    Yield the rows of a CSV file (UTF-8; comma, semicolon or tab) or of the first sheet of an XLSX file.

    The first row names the columns, in whatever case; empty rows are left out, cells are stripped. ``name`` ends in the
    format.

    Raises:
        UnreadableSheet: the format is another one, or the file is none of it; also while rows are read.
    """
    readers = {".csv": _csv_rows, ".xlsx": _xlsx_rows}
    reader = next((reader for ending, reader in readers.items() if name.lower().endswith(ending)), None)
    if reader is None:
        raise UnreadableSheet("The file's name ends neither in .csv nor in .xlsx")
    rows = reader(file)
    header = _header(next(rows, []))
    for number, cells in enumerate(rows, start=2):
        if len(cells) > len(header) and any(cells[len(header) :]):
            raise UnreadableSheet(f"Row {number} has more cells than the header has columns")
        if any(cells):
            yield SheetRow(number=number, cells=dict(zip(header, cells, strict=False)))


def write_sheet(file: BinaryIO, form: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write ``header`` and ``rows`` as ``csv`` or ``xlsx``; numbers stay numbers, text is made harmless."""
    if form == "csv":
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerows([_written(cell) for cell in row] for row in _with(header, rows))
        text.detach()
        return
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in _with(header, rows):
        sheet.append([_written(cell) for cell in row])
    book.save(file)


def harmless(text: str) -> str:
    """Return ``text`` with an apostrophe before what a spreadsheet program would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _with(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield header
    yield from rows


def _written(cell: Any) -> Any:
    """Return what stands in a cell: numbers as they are, everything else as text."""
    if cell is None:
        return ""
    return cell if isinstance(cell, (int, float)) and not isinstance(cell, bool) else harmless(str(cell))


def _read(cell: Any) -> str:
    """Return a cell as text, without the apostrophe that :func:`harmless` put before it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (date, datetime)):
        return cell.isoformat()
    text = str(cell).strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


def _header(cells: Sequence[str]) -> list[str]:
    """Return the names of the columns in lower case."""
    header = [name.lower() for name in cells]
    while header and not header[-1]:
        header.pop()
    if not header or not all(header):
        raise UnreadableSheet("The first row must name every column")
    if len(header) > MOST_COLUMNS:
        raise UnreadableSheet(f"There are more than {MOST_COLUMNS} columns")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise UnreadableSheet(f"The column {twice} stands there twice")
    return header


def _csv_rows(file: BinaryIO) -> Iterator[list[str]]:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSheet("The file is not text in UTF-8") from error
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            yield [_read(cell) for cell in row]
    except csv.Error as error:
        raise UnreadableSheet(f"The file is not CSV: {error}") from error


def _xlsx_rows(file: BinaryIO) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED:
                raise UnreadableSheet("The file unpacks to more than 200 MB")
        book = load_workbook(file, read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_read(cell) for cell in row]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, SyntaxError) as error:
        # The library lets whatever its parsers raise through; XML's own error is a SyntaxError.
        raise error if isinstance(error, UnreadableSheet) else UnreadableSheet("The file is not XLSX") from error

"""``manage.py import_customers FILE``: create and change customers from a CSV or XLSX file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.kernel.commands import BatchCommand
from config.kernel.sheets import UnreadableSheet, read_sheet
from customers.operations.imports import ImportResult, RowAction, import_customers


class Command(BatchCommand):
    """Import customers."""

    help = (
        "Create and change customers from a CSV or XLSX file whose first row names the columns, as an export does. A "
        "row is about the customer with its id, external_id or e-mail, else about a new one; empty cells change "
        "nothing. Where a row is refused nothing is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and what to do about refused rows."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="print every row's outcome and write nothing")
        parser.add_argument("--keep-good", action="store_true", help="write the good rows where others are refused")

    def run(self, *, now: datetime, **options: Any) -> None:
        """Import the file, print every row that is not as usual, and exit with 1 if any was refused."""
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                rows = read_sheet(file, path.name)
                result = import_customers(rows, dry_run=options["dry_run"], keep_good=options["keep_good"], now=now)
        except (OSError, UnreadableSheet) as error:
            raise CommandError(f"{path}: {error}") from error
        self._tell(result, every_row=options["dry_run"])

    def _tell(self, result: ImportResult, *, every_row: bool) -> None:
        for row in result.rows if every_row else result.refused:
            reason = f": {row.column + ': ' if row.column else ''}{row.message}" if row.message else ""
            self.stdout.write(f"row {row.number} {row.action} {row.name}{reason}")
        counts = ", ".join(f"{result.counts[action]} {action}" for action in RowAction)
        self.stdout.write(counts if result.written else f"{counts}; nothing was written")
        if result.refused:
            raise CommandError(f"{len(result.refused)} row(s) were refused")

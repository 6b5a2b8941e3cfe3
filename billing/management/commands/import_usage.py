"""``manage.py import_usage FILE``: stream a usage file into events; a rerun counts nothing twice."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from billing.imports import Mapped, Row, Shift, UnknownFormat, UnreadableRow, missing_columns, read_rows
from billing.ingestion import InvalidEvent, NewEvent, parse_event
from billing.operations.usage import EventStatus, record_events
from config.kernel.commands import BatchCommand, moment
from credentials.models import Credential
from customers.models import Subscription

BATCH = 1000


def assignment(text: str) -> tuple[str, str]:
    """Return the two sides of ``name=value``."""
    name, separator, value = text.partition("=")
    if not (separator and name and value):
        raise ArgumentTypeError(f"“{text}” is not of the form name=value")
    return name, value


def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone ``name``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ArgumentTypeError(f"“{name}” is not an IANA time zone") from error


class Command(BatchCommand):
    """Import usage."""

    help = (
        "Stream a CSV or JSON lines file (also .gz) into usage events. A row's transaction id is made of the source's "
        "name and the row's number, so that the same file can be imported again after a stop: what is there already "
        "is reported as duplicate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, whose usage it is and how columns become properties."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--subscription", metavar="sub_…")
        whose.add_argument("--credential", metavar="key_…")
        parser.add_argument("--type", required=True, help="the type of every event, for example llm.request")
        parser.add_argument(
            "--map", type=assignment, action="append", default=[], metavar="PROPERTY=COLUMN", dest="fields",
            help="which column a property comes from; also timestamp=COLUMN, transaction_id=COLUMN and "
            "subscriber=COLUMN (an id, e-mail address or subscriber ID)",
        )  # fmt: skip
        parser.add_argument(
            "--set", type=assignment, action="append", default=[], metavar="PROPERTY=VALUE", dest="constants",
            help="a property that is the same in every event",
        )  # fmt: skip
        parser.add_argument("--timezone", type=zone, default=ZoneInfo("UTC"), help="of times without offset (UTC)")
        parser.add_argument("--source", help="what transaction ids begin with (default: the file's name)")
        parser.add_argument("--starts-at", type=moment, help="move all times so that the first row happens then")
        parser.add_argument("--until", type=moment, help="with --starts-at: stretch times so that the last row is then")

    def run(self, *, now: datetime, **options: Any) -> None:
        """Import the file, print what became of its rows, and exit with 1 if any was rejected."""
        self.now = now
        self.options = options
        self.mapped = Mapped(
            fields=dict(options["fields"]), constants=dict(options["constants"]), zone=options["timezone"]
        )
        if options["until"] and not options["starts_at"]:
            raise CommandError("--until goes with --starts-at")
        self._refuse_unknown_owner()
        try:
            self._refuse_unknown_columns(options["file"])
            counts = self._import(options["file"])
        except (OSError, UnknownFormat) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{counts[EventStatus.ACCEPTED]} accepted, {counts[EventStatus.DUPLICATE]} duplicate, "
            f"{counts[EventStatus.REJECTED]} rejected"
        )
        if counts[EventStatus.REJECTED]:
            raise CommandError(f"{counts[EventStatus.REJECTED]} row(s) were rejected")

    def _refuse_unknown_owner(self) -> None:
        """Refuse an id of nothing: its rows would be UNCLASSIFIED, and their transaction ids taken for good."""
        if self.options["subscription"]:
            Subscription.objects.find(self.options["subscription"])
        else:
            Credential.objects.find(self.options["credential"])

    def _refuse_unknown_columns(self, path: Path) -> None:
        """
        Refuse a mapping from a column that no row has, before anything is counted.

        A misspelt column would leave its property out of every event, and transaction ids count once, for good.
        """
        rows = self._rows(path, shows_progress=False)
        if missing := missing_columns(rows, self.mapped.fields.values()):
            raise CommandError(f"--map: {path.name} has no column {', '.join(missing)}")

    def _import(self, path: Path) -> Counter[EventStatus]:
        """Record the file in batches, each a transaction, and count what became of its rows."""
        counts: Counter[EventStatus] = Counter()
        shift = self._shift(path)
        events = self._events(self._rows(path, shows_progress=True), shift, counts)
        while batch := list(islice(events, BATCH)):
            outcomes = record_events([event for _, event in batch], now=self.now)
            for (number, _), outcome in zip(batch, outcomes, strict=True):
                counts[outcome.status] += 1
                if outcome.error is not None:
                    self._report(number, str(outcome.error))
        return counts

    def _rows(self, path: Path, *, shows_progress: bool) -> Iterator[Row]:
        """Yield the rows of the file behind a progress bar over its bytes."""
        with path.open("rb") as file:
            bar = tqdm.wrapattr(
                file, "read", total=path.stat().st_size, desc=path.name, file=self.stderr, disable=not shows_progress
            )
            with bar as stream:
                yield from read_rows(path, cast(BinaryIO, stream))

    def _shift(self, path: Path) -> Callable[[datetime], datetime]:
        """Return how times are moved; where they are, the file is read once more beforehand, for its first and last."""
        if self.options["starts_at"] is None:
            return lambda moment: moment
        rows = self._rows(path, shows_progress=False)
        moments = [moment for row in rows if (moment := self._moment(row)) is not None]
        if not moments:
            raise CommandError("--starts-at needs a column of times: --map timestamp=COLUMN")
        return Shift(first=min(moments), last=max(moments), start=self.options["starts_at"], end=self.options["until"])

    def _moment(self, row: Row) -> datetime | None:
        """Return when ``row`` happened, or None for one that will be rejected."""
        try:
            return None if row.error else self.mapped.timestamp(row)
        except UnreadableRow:
            return None

    def _events(
        self, rows: Iterable[Row], shift: Callable[[datetime], datetime], counts: Counter[EventStatus]
    ) -> Iterator[tuple[int, NewEvent]]:
        """Yield the well-formed events with their row numbers; report and count the others."""
        for row in rows:
            try:
                yield row.number, self._event(row, shift)
            except (UnreadableRow, InvalidEvent) as error:
                counts[EventStatus.REJECTED] += 1
                self._report(row.number, str(error))

    def _event(self, row: Row, shift: Callable[[datetime], datetime]) -> NewEvent:
        """Return the event that ``row`` describes."""
        if row.error:
            raise UnreadableRow(row.error)
        options = self.options
        moment = self.mapped.timestamp(row)
        column = self.mapped.fields.get("transaction_id")
        source = options["source"] or options["file"].name
        own = f"{source}:{row.number}" if column is None else row.columns.get(column)
        body = {
            "transaction_id": own,
            "type": options["type"],
            "subscription": options["subscription"],
            "credential": options["credential"],
            "subscriber": self.mapped.subscriber(row),
            "timestamp": None if moment is None else shift(moment).isoformat(),
            "properties": self.mapped.properties(row),
        }
        return parse_event(body, now=self.now)

    def _report(self, number: int, reason: str) -> None:
        self.stderr.write(f"row {number}: {reason}")

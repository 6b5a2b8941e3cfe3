"""What batch commands share: the clock as an argument, an actor in history, refusals as exit codes."""

from __future__ import annotations

from abc import abstractmethod
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from config.kernel.errors import DomainError
from config.kernel.history import acting_as


def moment(text: str) -> datetime:
    """Return the ISO 8601 time (with an offset) or date (its first instant, UTC) that an argument gives."""
    try:
        day = parse_date(text)
        parsed = parse_datetime(text) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no such date") from error
    if parsed is None or parsed.tzinfo is None:
        raise ArgumentTypeError(f"“{text}” is neither a date nor an ISO 8601 time with an offset")
    return parsed


class BatchCommand(BaseCommand):
    """A batch job: ``run`` gets the moment it acts at, prints what it did, and a refusal exits with 1."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--as-of``."""
        parser.add_argument(
            "--as-of", type=moment, default=None, metavar="TIME", help="act as if it were this moment (default: now)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job under the command's name."""
        now = options.pop("as_of") or timezone.now()
        name = type(self).__module__.rpartition(".")[2]
        try:
            with acting_as(f"command {name}"):
                self.run(now=now, **options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    @abstractmethod
    def run(self, *, now: datetime, **options: Any) -> None:
        """Do the job as of ``now``; subclasses fill this in and write to ``self.stdout``."""

"""``manage.py reassign_usage``: move much usage of nobody known to its customer; it can be killed and repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from billing.operations.reassignment import reassign_usage
from config.kernel.commands import BatchCommand
from config.kernel.history import because


class Command(BatchCommand):
    """Reassign usage."""

    help = (
        "Move UNCLASSIFIED events to a customer, chosen by what they named, by their subscriber, or by both. "
        "Events whose period is on a finalized invoice, or that a charged metric cannot count, stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the customer, which events, and why."""
        super().add_arguments(parser)
        parser.add_argument("--customer", required=True, metavar="cust_…")
        parser.add_argument("--named", help="what the events named, as it is listed")
        parser.add_argument("--subscriber", metavar="subr_…")
        parser.add_argument("--reason", default="", help="kept with what was moved")

    def run(self, *, now: datetime, **options: Any) -> None:
        """Move piece by piece, each in a transaction of its own, and print what became of the events."""
        chosen = {name: options[name] for name in ("customer", "named", "subscriber")}
        moved, is_complete = 0, False
        while not is_complete:
            with because(options["reason"]):
                found = reassign_usage(**chosen, now=now)
            moved, is_complete = moved + found.moved, found.is_complete
            if not is_complete:
                self.stdout.write(f"{moved} moved so far")
        self.stdout.write(f"{moved} moved, {found.kept} kept")
        if found.uncountable:
            named = ", ".join(found.uncountable_named)
            self.stderr.write(f"{found.uncountable} cannot be counted by a charged metric: {named}")

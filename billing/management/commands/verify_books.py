"""``manage.py verify_books``: prove every invariant, name each row that breaks one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from billing.queries.books import breaches, invariants
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Verify the books."""

    help = "Prove that wallets, roll-ups, invoices, numbers, keys and histories agree; exits with 1 where not."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Check everything, print each breach, and exit with 1 if there is one."""
        found = list(breaches())
        for breach in found:
            self.stderr.write(f"{breach.invariant}: {breach.row} {breach.detail}")
        if found:
            raise CommandError(f"{len(found)} row(s) break an invariant")
        self.stdout.write(f"{len(invariants()) + 1} invariants hold", style_func=self.style.SUCCESS)

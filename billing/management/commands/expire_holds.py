"""``manage.py expire_holds``: give back the money of holds whose end has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.operations.holds import expire_due_holds
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Expire every overdue hold."""

    help = "Expire every wallet hold whose end has come, and give its money back."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Expire the holds and say how many."""
        self.stdout.write(f"{expire_due_holds(now=now)} hold(s) expired.")

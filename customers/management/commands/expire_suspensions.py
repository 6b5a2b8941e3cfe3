"""``manage.py expire_suspensions``: lift every suspension whose end has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.kernel.commands import BatchCommand
from customers.operations.suspension import expire_due_suspensions


class Command(BatchCommand):
    """Lift suspensions that have run out."""

    help = "Lift every suspension whose end has come; Celery beat does the same each minute."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Lift them and say how many there were."""
        self.stdout.write(f"{expire_due_suspensions(now=now)} suspension(s) lifted")

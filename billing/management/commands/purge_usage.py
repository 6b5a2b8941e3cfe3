"""``manage.py purge_usage``: remove the usage of deleted customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from billing.operations.purges import purge_usage
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Remove the usage of deleted customers."""

    help = "Remove the usage of deleted customers for good; restartable, and Celery beat does the same each hour."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Remove it, say what was done, and exit with 1 if a customer's usage could not be removed."""
        run = purge_usage(now=now)
        self.stdout.write(
            f"{run.customers} customer(s): {run.events} event(s) removed, {run.finished} purge(s) finished"
        )
        for customer, reason in run.failed.items():
            self.stderr.write(f"{customer}: {reason}")
        if run.failed:
            raise CommandError(f"The usage of {len(run.failed)} customer(s) could not be removed")

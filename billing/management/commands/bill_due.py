"""``manage.py bill_due``: draft and finalize the invoices that are due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from billing.operations.billing_runs import bill_due
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Bill what is due."""

    help = "Draft the invoices of all periods that are over and finalize those whose grace period is; restartable."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Bill, say what was done, and exit with 1 if a customer could not be billed."""
        run = bill_due(now=now)
        self.stdout.write(f"{run.customers} customer(s): {run.drafted} invoice(s) drafted, {run.finalized} finalized")
        for customer, reason in run.failed.items():
            self.stderr.write(f"{customer}: {reason}")
        if run.failed:
            raise CommandError(f"{len(run.failed)} customer(s) could not be billed")

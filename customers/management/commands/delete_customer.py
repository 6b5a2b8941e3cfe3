"""``manage.py delete_customer``: say what stands in the way of deleting a customer, and delete it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from config.kernel.commands import BatchCommand
from config.kernel.guards import deletion_report
from customers.models import Customer
from customers.operations.deletion import DeletionMode, delete_customer


class Command(BatchCommand):
    """Delete a customer."""

    help = "Print what stands in the way of deleting a customer, and delete it where that may be."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the customer, the mode and the confirmation."""
        super().add_arguments(parser)
        parser.add_argument("customer", metavar="CUSTOMER", help="its id, cust_…")
        parser.add_argument("--confirm", action="store_true", help="delete in spite of the consequences that are named")
        parser.add_argument(
            "--terminate", action="store_true", help="first terminate subscriptions, drafts, holds and wallets"
        )

    def run(self, *, now: datetime, **options: Any) -> None:
        """Print the report and delete; a refusal exits with 1."""
        report = deletion_report(Customer.objects.live().find(options["customer"]))
        self.stdout.write(f"{report.verdict.name}: {len(report.findings)} finding(s)")
        for finding in report.findings:
            money = f" [{finding.money}]" if finding.money else ""
            self.stdout.write(f"  {finding.verdict.name} {finding.code}: {finding.message}{money}")
        mode = DeletionMode.TERMINATE if options["terminate"] else DeletionMode.GUARDED
        customer = delete_customer(options["customer"], confirm=options["confirm"], mode=mode, now=now)
        self.stdout.write(f"{customer.id} is deleted")

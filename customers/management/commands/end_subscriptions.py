"""``manage.py end_subscriptions``: end every subscription whose planned end has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.kernel.commands import BatchCommand
from customers.operations.subscription_ends import end_due_subscriptions


class Command(BatchCommand):
    """End subscriptions whose time is over."""

    help = "End every subscription whose planned end has come; Celery beat does the same each minute."

    def run(self, *, now: datetime, **options: Any) -> None:
        """End them and say how many there were."""
        self.stdout.write(f"{end_due_subscriptions(now=now)} subscription(s) ended")

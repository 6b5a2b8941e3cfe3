"""``manage.py flush_last_used``: write down when secrets were used last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.kernel.commands import BatchCommand
from credentials.uses import flush_uses


class Command(BatchCommand):
    """Write down when secrets were used last."""

    help = "Write down when keys were used last, as noted since the last time; Celery beat does the same each minute."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Write it down and say for how many."""
        self.stdout.write(f"{flush_uses()} key(s) used")

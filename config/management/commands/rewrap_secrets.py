"""``manage.py rewrap_secrets``: encrypt what is sealed with the newest key, so that older keys can go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from config.kernel.commands import BatchCommand
from config.kernel.sealing import rewrap, sealed_columns


class Command(BatchCommand):
    """Take a new key of ``ENCRYPTION_KEYS`` into use everywhere; running it twice is harmless."""

    help = (
        "Encrypt every sealed secret with the newest key of ENCRYPTION_KEYS; exits with 1 where one cannot be opened."
    )

    def run(self, *, now: datetime, **options: Any) -> None:
        """Rewrap column by column, and name the rows that no key opens."""
        unreadable = 0
        for model, column in sealed_columns():
            rows = list(rewrap(model, column))
            for pk, is_opened in rows:
                if not is_opened:
                    self.stderr.write(f"{model._meta.label} {pk}: no key of ENCRYPTION_KEYS opens its {column}")
            rewrapped = sum(is_opened for _, is_opened in rows)
            unreadable += len(rows) - rewrapped
            self.stdout.write(f"{model._meta.label}.{column}: {rewrapped} rewrapped")
        if unreadable:
            raise CommandError(f"{unreadable} secret(s) cannot be opened: give the keys they were sealed with")

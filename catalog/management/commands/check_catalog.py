"""``manage.py check_catalog``: look for gaps, overlaps and loose ends of the catalog."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from catalog.flaws import Severity
from catalog.queries.catalog_check import check_catalog
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Check the catalog."""

    help = "Look for gaps, overlaps, prices that cannot be meant and loose ends; exits with 1 where there is an error."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Print every finding, worst first, and exit with 1 if one is an error."""
        flaws = check_catalog(now=now)
        for flaw in flaws:
            about = "" if flaw.about is None else f" {flaw.about} ({flaw.about.pk}):"
            self.stdout.write(f"{flaw.severity}{about} {flaw.message} {flaw.advice}")
        counts = Counter(flaw.severity for flaw in flaws)
        told = ", ".join(f"{counts[one]} {one.lower()}(s)" for one in Severity)
        if counts[Severity.ERROR]:
            raise CommandError(told)
        self.stdout.write(told, style_func=self.style.SUCCESS)

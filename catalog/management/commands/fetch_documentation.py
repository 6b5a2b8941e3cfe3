"""``manage.py fetch_documentation``: fetch and check the OpenAPI documents that wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalog.models import Documentation
from catalog.operations.documentation import fetch_documentation
from config.kernel.commands import BatchCommand


class Command(BatchCommand):
    """Fetch documentation."""

    help = "Fetch and check the OpenAPI documents of products that wait for it; a Celery worker does the same at once."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Fetch them and say of how many products."""
        ids = list(
            Documentation.objects.due(now).order_by("attempts", "requested_at", "id").values_list("pk", flat=True)
        )
        self.stdout.write(f"{sum(fetch_documentation(pk, now=now) for pk in ids)} document(s) dealt with")

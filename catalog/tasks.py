"""Tasks of the catalog."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from catalog.models import Documentation
from catalog.operations import documentation
from config.kernel.history import acting_as


@shared_task
def fetch_documentation() -> int:
    """Fetch the documentation that waits and return of how many products; woken by requests, and by beat."""
    with acting_as("task fetch_documentation"):
        # What brought a worker down comes last, so that it keeps nothing else waiting.
        due = Documentation.objects.due(timezone.now()).order_by("attempts", "requested_at", "id")
        ids = list(due.values_list("pk", flat=True))
        return sum(documentation.fetch_documentation(pk, now=timezone.now()) for pk in ids)

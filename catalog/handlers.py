"""What this app does when something happened in it."""

from __future__ import annotations

from django.db import transaction

from catalog.events import DocumentationRequested
from catalog.tasks import fetch_documentation


def wake_fetching(event: DocumentationRequested) -> None:
    """Wake a worker once the request is written; where no broker can be reached, beat finds the request."""
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    fetch_documentation.apply_async(retry=False)

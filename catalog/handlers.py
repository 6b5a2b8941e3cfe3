"""What this app does when something happened in it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from catalog.events import DocumentationRequested, GatewayJobRequested
from catalog.tasks import fetch_documentation, sync_gateway


def wake_fetching(event: DocumentationRequested) -> None:
    """Wake a worker once the request is written; where no broker can be reached, beat finds the request."""
    transaction.on_commit(lambda: _wake(fetch_documentation), robust=True)


def wake_gateway(event: GatewayJobRequested) -> None:
    """Wake a worker for the gateway once the job is written; where no broker can be reached, beat finds the job."""
    transaction.on_commit(lambda: _wake(sync_gateway, str(event.gateway_id)), robust=True)


def _wake(task: Any, *arguments: str) -> None:
    task.apply_async(arguments, retry=False)

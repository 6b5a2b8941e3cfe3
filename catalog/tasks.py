"""Tasks of the catalog."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from catalog.models import Documentation, Gateway
from catalog.operations import documentation, gateway_mappings, gateway_sync
from config.kernel.history import acting_as

#: How long beat takes to find a job by itself.
BEAT_S = 60.0


@shared_task
def fetch_documentation() -> int:
    """Fetch the documentation that waits and return of how many products; woken by requests, and by beat."""
    with acting_as("task fetch_documentation"):
        # What brought a worker down comes last, so that it keeps nothing else waiting.
        due = Documentation.objects.due(timezone.now()).order_by("attempts", "requested_at", "id")
        ids = list(due.values_list("pk", flat=True))
        return sum(documentation.fetch_documentation(pk, now=timezone.now()) for pk in ids)


@shared_task
def sync_gateway(gateway_id: str) -> int:
    """Do the jobs that wait at one gateway and return how many; one worker at a time, woken by requests and by beat."""
    with acting_as("task sync_gateway"):
        done = gateway_sync.run_jobs(gateway_id, clock=timezone.now)
        pause_s = gateway_sync.seconds_to_next_job(gateway_id, now=timezone.now())
    # Only whoever did something goes on, so that there is one chain at a gateway and not one for each wake-up.
    if done and pause_s is not None and pause_s < BEAT_S:
        sync_gateway.apply_async((gateway_id,), countdown=pause_s, retry=False)
    return done


@shared_task
def sync_gateways() -> int:
    """
    Ask for the checks that are due, wake a worker for every gateway with jobs that wait, and return for how many.

    Beat runs it each minute, and so finds what no worker was woken for.
    """
    with acting_as("task sync_gateways"):
        gateway_mappings.request_due_checks(now=timezone.now())
    ids = list(Gateway.objects.with_jobs(timezone.now()).values_list("pk", flat=True))
    for pk in ids:
        sync_gateway.apply_async((str(pk),), retry=False)
    return len(ids)

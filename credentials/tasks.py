"""Periodic tasks of the credentials app."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from catalog.models import Gateway
from config.kernel.history import acting_as
from credentials.models import GatewayKey
from credentials.operations.gateway_deliveries import deliver_keys
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from credentials.uses import flush_uses


@shared_task
def flush_last_used() -> int:
    """Write down when secrets were used last and return for how many that is news; beat runs it each minute."""
    return flush_uses()


@shared_task
def deliver_keys_of_gateway(gateway_id: str) -> int:
    """Deliver the keys that wait at one gateway and return how many; woken by requests and by beat."""
    with acting_as("task deliver_keys_of_gateway"):
        return deliver_keys(gateway_id, clock=timezone.now)


@shared_task
def deliver_gateway_keys() -> int:
    """
    Do what the clock has brought, wake a worker for every gateway where keys wait, and return for how many.

    Beat runs it each minute, and so finds what no worker was woken for.
    """
    with acting_as("task deliver_gateway_keys"):
        sweep_gateway_keys(now=timezone.now())
    due = GatewayKey.objects.due(timezone.now())
    ids = list(Gateway.objects.filter(mappings__keys__in=due).values_list("pk", flat=True).distinct())
    for pk in ids:
        deliver_keys_of_gateway.apply_async((str(pk),), retry=False)
    return len(ids)

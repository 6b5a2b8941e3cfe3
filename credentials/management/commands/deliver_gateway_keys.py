"""``manage.py deliver_gateway_keys``: bring keys to gateways and take them away, as the workers do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalog.models import Gateway
from config.kernel.commands import BatchCommand
from credentials.models import GatewayKey
from credentials.operations.gateway_deliveries import deliver_keys
from credentials.operations.gateway_sweeps import sweep_gateway_keys


class Command(BatchCommand):
    """Deliver keys."""

    help = "Place, suspend and remove the keys that wait at gateways; Celery workers do the same at once."

    def run(self, *, now: datetime, **options: Any) -> None:
        """Sweep, deliver, and say how many."""
        swept = sweep_gateway_keys(now=now)
        due = GatewayKey.objects.due(now)
        ids = list(Gateway.objects.filter(mappings__keys__in=due).values_list("pk", flat=True).distinct())
        done = sum(deliver_keys(pk, clock=lambda: now) for pk in ids)
        self.stdout.write(f"{swept} key(s) swept, {done} delivery(ies) tried at {len(ids)} gateway(s)")

"""Events as senders send them, and what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import MetricHour, UsageEvent, UsageHour
from billing.operations.usage import EventOutcome, EventStatus, receive_events
from catalog.models import Metric
from customers.models import Subscription
from tests.factories import (
    NOW,
    make_charge,
    make_metric,
    make_plan,
    make_subscription,
)

LATER = NOW + timedelta(days=2)
ACCEPTED, DUPLICATE, REJECTED = EventStatus.ACCEPTED, EventStatus.DUPLICATE, EventStatus.REJECTED
UNKNOWN = {
    "credential": "key_01h455vb4pex5vsknk084sn02q",
    "subscription": "sub_01h455vb4pex5vsknk084sn02q",
    "customer": "cust_01h455vb4pex5vsknk084sn02q",
}


def metered(**fields: Any) -> tuple[Subscription, Metric]:
    """Return a subscription whose plan charges 0.01 for each event of the type “call”."""
    metric = make_metric(event_type="call")
    plan = make_plan(charges=[make_charge(metric)], amount=Decimal(0))
    return make_subscription(plan=plan, **fields), metric


def event(transaction_id: str = "t1", **fields: Any) -> dict[str, Any]:
    """Return an event as it is sent."""
    return {"transaction_id": transaction_id, "type": "call", "timestamp": NOW.isoformat(), **fields}


def send(*items: object, now: datetime = LATER) -> list[EventOutcome]:
    """Send ``items`` in one batch."""
    return receive_events(items, now=now)


def statuses(outcomes: list[EventOutcome]) -> list[str]:
    """Return what became of each event: its status, or the code of its rejection."""
    return [one.error.code if one.error else one.status.value for one in outcomes]


def counted() -> tuple[int, int, int]:
    """Return how many events are kept, and how many the two roll-ups hold."""
    usage, metrics = (sum(rows.values_list("events", flat=True)) for rows in (UsageHour.objects, MetricHour.objects))
    return UsageEvent.objects.count(), usage, metrics

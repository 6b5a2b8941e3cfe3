"""Usage to be read over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from billing.operations.usage import receive_events
from customers.models import Subscription
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

JANUARY, FEBRUARY = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2))
#: A Saturday, as in the printed example.
NOW = datetime(2026, 2, 21, 18, 30, tzinfo=UTC)


def metered(timezone: str = "UTC") -> Subscription:
    """Return a subscription since 1 January 2026 whose plan charges tokens, and 0.01 for each image."""
    tokens = make_metric(event_type="chat", code="tokens", aggregation="SUM", property="tokens", dimensions=["model"])
    images = make_metric(event_type="image", code="images")
    charges = [make_charge(tokens, unit_amount="0.000001"), make_charge(images, unit_amount="0.01")]
    owner, plan = make_customer(timezone=timezone), make_plan(charges=charges)
    return make_subscription(customer=owner, plan=plan, starts_at=JANUARY)


def use(subscription: Subscription, at: str, type: str = "chat", **properties: Any) -> None:
    sent = {
        "transaction_id": f"{at} {type} {sorted(properties.items())}",
        "type": type,
        "timestamp": at,
        "subscription": subscription.id,
        "properties": properties,
    }
    [outcome] = receive_events([sent], now=NOW)
    assert outcome.error is None

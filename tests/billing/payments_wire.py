"""Subscriptions that are charged payment by payment, and what the payments of March come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.ingestion import InvalidEvent
from billing.models import Invoice
from billing.operations.usage import receive_events
from billing.queries.breakdowns import Breakdown
from billing.queries.rating import rate_period
from billing.queries.usage import Grouping, UsageSeries, usage_series
from customers.models import Subscription
from customers.periods import Period
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
HOUR = timedelta(hours=1)
WHOLE_MARCH = Period(MARCH, APRIL)
PERCENTAGE = {"rate_percent": "1", "fixed_amount": "2", "free_events": "1"}


def payments(
    model: str = "PERCENTAGE", *, grace_days: int = 0, timezone: str = "UTC", **properties: Any
) -> Subscription:
    """Return a subscription that charges the “amount” of each payment, 1% and 2 a payment but for the first."""
    metric = make_metric(event_type="payment", aggregation="SUM", property="amount")
    price = properties or PERCENTAGE
    plan = make_plan(charges=[make_charge(metric, model=model, properties=price)], amount=Decimal(0))
    customer = make_customer(invoice_grace_days=grace_days, timezone=timezone)
    return make_subscription(customer=customer, plan=plan, starts_at=MARCH)


def pay(
    subscription: Subscription, at: datetime, amount: Any, *, name: str = "", now: datetime = MAY, **properties: Any
) -> InvalidEvent | None:
    """Send one payment and return why it was rejected, if it was."""
    sent = {
        "transaction_id": f"{subscription.id} {name or at.isoformat()}",
        "type": "payment",
        "timestamp": at.isoformat(),
        "subscription": subscription.id,
        "properties": {"amount": amount, **properties},
    }
    [outcome] = receive_events([sent], now=now)
    return outcome.error


def march(subscription: Subscription, *, breakdown: Breakdown = Breakdown.MODEL, **more: Any) -> UsageSeries:
    days = {"first": date(2026, 3, 1), "last": date(2026, 3, 31), "grouping": Grouping.HOUR, "now": MAY, **more}
    return usage_series(subscription.customer, breakdown=breakdown, **days)


def rated(subscription: Subscription) -> Decimal:
    """Return what the payments of March come to."""
    [charge] = rate_period(subscription, WHOLE_MARCH)
    return charge.rating.amount


def billed() -> list[list[tuple[Any, ...]]]:
    """Return kind, month, units and amount of the lines of each invoice."""
    return [
        [(line.kind, line.period_start.month, line.units, line.amount) for line in invoice.lines.order_by("position")]
        for invoice in Invoice.objects.order_by("billing_day", "created_at", "id")
    ]

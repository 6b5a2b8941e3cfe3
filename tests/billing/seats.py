"""Subscriptions that charge seats, storage and the like: what is there, not what is done."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.ingestion import InvalidEvent
from billing.operations.usage import receive_events
from billing.queries.breakdowns import Breakdown
from billing.queries.rating import rate_period
from billing.queries.usage import Grouping, UsageSeries, usage_series
from catalog.models import Metric
from customers.models import Subscription
from customers.periods import Period
from tests.billing.bills import JUNE, MARCH
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription


def seats_metric(aggregation: str = "UNIQUE_COUNT", **fields: Any) -> Metric:
    """Return a recurring metric over the “user” of “seat” events, or over their “size” where they are numbers."""
    what = "user" if aggregation == "UNIQUE_COUNT" else "size"
    named = {"event_type": "seat", "property": what, "recurring": aggregation != "MAX"}
    return make_metric(aggregation=aggregation, **{**named, **fields})


def seated(
    aggregation: str = "UNIQUE_COUNT",
    *,
    metric: Metric | None = None,
    charge: dict[str, Any] | None = None,
    grace_days: int = 0,
    timezone: str = "UTC",
    amount: str = "0",
    starts_at: datetime = MARCH,
    **fields: Any,
) -> Subscription:
    """Return a subscription from 1 March on that charges 10 a month for each seat there is."""
    counted = metric or seats_metric(aggregation, **fields)
    plan = make_plan(charges=[make_charge(counted, **{"unit_amount": "10", **(charge or {})})], amount=Decimal(amount))
    customer = make_customer(invoice_grace_days=grace_days, timezone=timezone)
    return make_subscription(customer=customer, plan=plan, starts_at=starts_at)


def seat(
    subscription: Subscription,
    at: datetime,
    value: Any,
    operation: str | None = None,
    *,
    now: datetime = JUNE,
    **more: Any,
) -> InvalidEvent | None:
    """Send one event, of a “user” where ``value`` is a text, else of a “size”, and return why it was rejected."""
    said = {"user" if isinstance(value, str) else "size": value, **more}
    sent = {
        "transaction_id": f"{subscription.id} {at.isoformat()} {value} {operation} {sorted(more.items())}",
        "type": "seat",
        "timestamp": at.isoformat(),
        "subscription": subscription.id,
        "properties": said if operation is None else {**said, "operation_type": operation},
    }
    [outcome] = receive_events([sent], now=now)
    return outcome.error


def units_in(subscription: Subscription, start: datetime, end: datetime) -> Decimal:
    """Return the units of the only charge in a period."""
    [charge] = rate_period(subscription, Period(start, end))
    return charge.units


def spring(subscription: Subscription, *, now: datetime = JUNE, **more: Any) -> UsageSeries:
    """Return what March to May cost by month, told apart by metric."""
    days = {"first": date(2026, 3, 1), "last": date(2026, 5, 31), "grouping": Grouping.MONTH}
    return usage_series(subscription.customer, now=now, **{**days, "breakdown": Breakdown.METRIC, **more})

"""Metered subscriptions and their bills."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.usage import receive_events
from customers.models import Subscription
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

MARCH, APRIL, MAY, JUNE = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6))


def metered(*, amount: str = "0", unit_amount: str = "1", **fields: Any) -> Subscription:
    """Return a subscription from 1 March on, whose plan costs ``amount`` a month and charges each “call”."""
    plan_fields = {name: fields.pop(name) for name in ("interval", "currency") if name in fields}
    charge = make_charge(make_metric(event_type="call"), unit_amount=unit_amount)
    plan = make_plan(charges=[charge], amount=Decimal(amount), **plan_fields)
    return make_subscription(plan=plan, **{"starts_at": MARCH, **fields})


def use(subscription: Subscription, *moments: datetime, now: datetime = MAY) -> None:
    """Send a “call” at each of ``moments``."""
    whose = {"type": "call", "subscription": subscription.id}
    receive_events(
        [
            {**whose, "transaction_id": f"{subscription.id} {moment} {number}", "timestamp": moment.isoformat()}
            for number, moment in enumerate(moments)
        ],
        now=now,
    )


def lines_of(invoice: Invoice) -> list[tuple[Any, ...]]:
    """Return kind, units and amount of each line, in order."""
    return [(line.kind, line.units, line.amount) for line in invoice.lines.order_by("position")]


def totals() -> list[Any]:
    """Return the totals of all invoices, oldest billing day first."""
    return list(Invoice.objects.order_by("billing_day").values_list("total", flat=True))


def draft(**fields: Any) -> tuple[Invoice, Subscription]:
    """Return the draft of March with one call on it, for a customer with three days of grace, and its subscription."""
    subscription = metered(customer=make_customer(invoice_grace_days=3), **fields)
    use(subscription, MARCH, now=MARCH)
    run = bill_due(now=APRIL)
    assert (run.drafted, run.finalized) == (1, 0)
    return Invoice.objects.drafts().get(), subscription

"""Subscriptions on plans with a trial, minimums or a maximum, and what they were billed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import Invoice, LineKind
from billing.operations.usage import receive_events
from catalog.models import RatePlan
from customers.models import Subscription
from tests.billing.bills import JUNE, MARCH
from tests.factories import make_charge, make_metric, make_plan, make_subscription

BASE, USAGE, LATE, TRUE_UP = LineKind.BASE, LineKind.USAGE, LineKind.LATE_USAGE, LineKind.TRUE_UP

#: An event type that the second charge of a plan takes.
OTHER = "other"


def plan_with(
    *, amount: str = "0", unit_amount: str = "1", minimum_amount: str = "0", other: str | None = None, **terms: Any
) -> RatePlan:
    """Return a plan that charges each “call”, and with ``other`` each “other” event at that price too."""
    minimum = Decimal(minimum_amount)
    charges = [
        make_charge(make_metric(event_type="call"), unit_amount=unit_amount, minimum_amount=minimum, name="Calls")
    ]
    if other is not None:
        charges.append(make_charge(make_metric(event_type=OTHER), unit_amount=other, name="Others"))
    bounds: dict[str, Any] = {
        name: Decimal(terms.pop(name)) for name in ("minimum_commitment", "maximum_spend") if name in terms
    }
    return make_plan(charges=charges, amount=Decimal(amount), name="Pro", **bounds, **terms)


def subscribed(plan: RatePlan, *, starts_at: datetime = MARCH, **fields: Any) -> Subscription:
    """Return a subscription to ``plan`` from 1 March on."""
    return make_subscription(plan=plan, starts_at=starts_at, **fields)


def use(
    subscription: Subscription,
    times: int,
    *,
    at: datetime = MARCH,
    kind: str = "call",
    now: datetime = JUNE,
    name: str = "",
) -> None:
    """Send ``times`` events, the first of them at ``at`` and each a second after the other."""
    moments = [at + timedelta(seconds=number) for number in range(times)]
    receive_events(
        [
            {
                "type": kind,
                "subscription": subscription.id,
                "transaction_id": f"{subscription.id} {kind} {moment} {name}",
                "timestamp": moment.isoformat(),
            }
            for moment in moments
        ],
        now=now,
    )


def bills() -> list[list[tuple[Any, Any]]]:
    """Return kind and amount of each line of each invoice, the oldest invoice first."""
    invoices = Invoice.objects.order_by("billing_day", "created_at", "id")
    return [list(invoice.lines.order_by("position").values_list("kind", "amount")) for invoice in invoices]


def descriptions(invoice: Invoice) -> list[str]:
    """Return what the lines of ``invoice`` are called."""
    return list(invoice.lines.order_by("position").values_list("description", flat=True))

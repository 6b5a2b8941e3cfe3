"""Plans to change to, and what was billed of each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing.models import InvoiceLine, LineKind
from catalog.models import RatePlan
from customers.models import Subscription
from tests.billing.bills import MARCH
from tests.factories import make_charge, make_metric, make_plan

NOON = MARCH + timedelta(days=14, hours=12)


def dearer(amount: str = "310", **fields: Any) -> RatePlan:
    """Return a plan that charges each “call” with 2."""
    return make_plan(
        amount=Decimal(amount), charges=[make_charge(make_metric(event_type="call"), unit_amount="2")], **fields
    )


def base_fees() -> dict[str, list[Any]]:
    """Return the base fees billed of each subscription, oldest first."""
    fees: dict[str, list[Any]] = {}
    for line in InvoiceLine.objects.filter(kind=LineKind.BASE).order_by("period_start"):
        fees.setdefault(str(line.subscription_id), []).append(line.amount)
    return fees


def usage_of(subscription: Subscription) -> list[tuple[Any, Any]]:
    """Return units and amount of what was billed for the usage of a subscription."""
    lines = InvoiceLine.objects.filter(subscription=subscription).exclude(kind=LineKind.BASE)
    return list(lines.order_by("invoice__created_at", "position").values_list("units", "amount"))

"""Seats that come late on plans with a minimum or a maximum: every month since is billed as if they had been there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from billing.models import InvoiceLine
from billing.operations.billing_runs import bill_due
from billing.queries.books import breaches
from customers.models import Subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY
from tests.billing.payments_wire import billed
from tests.billing.seats import seat, seats_metric
from tests.factories import make_charge, make_plan, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (7, 8))


def seated(*, minimum_amount: str = "0", charge: dict[str, Any] | None = None, **bounds: Any) -> Subscription:
    """Return a subscription from 1 March on, at 10 for each seat, and to these bounds of a month."""
    least = Decimal(minimum_amount)
    charges = [make_charge(seats_metric(), **{"unit_amount": "10", "minimum_amount": least, **(charge or {})})]
    terms: dict[str, Any] = {name: Decimal(amount) for name, amount in bounds.items()}
    return make_subscription(plan=make_plan(charges=charges, **{"amount": Decimal(0), **terms}), starts_at=MARCH)


def by_month(subscription: Subscription) -> list[tuple[int, Any]]:
    """Return what was billed for each month on all invoices."""
    lines = InvoiceLine.objects.filter(subscription=subscription).order_by("period_start").values("period_start")
    return [(row["period_start"].month, row["billed"]) for row in lines.annotate(billed=Sum("amount"))]


def test_a_minimum_that_was_billed_pays_for_seats_that_come_two_months_late_in_every_month_since() -> None:
    subscription = seated(minimum_commitment="25")
    seat(subscription, MARCH + DAY, "ann")
    bill_due(now=MAY)
    assert billed() == [[("usage", month, 1, 10), ("true_up", month, 1, 15)] for month in (3, 4)]

    seat(subscription, MARCH + 9 * DAY, "bob")
    bill_due(now=JUNE)
    seat(subscription, MARCH + 19 * DAY, "cid")
    bill_due(now=JULY)

    covered, beyond = billed()[2:]
    assert covered == [
        ("usage", 5, 2, 20), ("true_up", 5, 1, 5), ("late_usage", 3, 1, 0), ("late_usage", 4, 1, 0)
    ]  # fmt: skip
    assert beyond == [("usage", 6, 3, 30), *(("late_usage", month, 1, 5) for month in (3, 4, 5))]
    assert by_month(subscription) == [(month, 30) for month in (3, 4, 5, 6)]
    assert list(breaches()) == []


def test_seats_that_come_two_months_late_cost_nothing_beyond_the_maximum_of_any_month() -> None:
    subscription = seated(minimum_commitment="25", maximum_spend="37.50")
    seat(subscription, MARCH + DAY, "ann")
    bill_due(now=MAY)
    for user in ("bob", "cid", "dan"):
        seat(subscription, MARCH + 9 * DAY, user)

    bill_due(now=JUNE)
    seat(subscription, APRIL, "eve")
    bill_due(now=JULY)

    late, more = billed()[2:]
    assert late == [("usage", 5, 4, 37.5), ("late_usage", 3, 3, 12.5), ("late_usage", 4, 3, 12.5)]
    assert more == [("usage", 6, 5, 37.5), ("late_usage", 4, 1, 0), ("late_usage", 5, 1, 0)]
    assert by_month(subscription) == [(month, 37.5) for month in (3, 4, 5, 6)]
    assert list(breaches()) == []


BOUNDS: list[dict[str, Any]] = [
    {},
    {"amount": "19.99", "minimum_commitment": "45"},
    {"amount": "19.99", "maximum_spend": "45"},
    {"amount": "10", "minimum_commitment": "25", "maximum_spend": "33.33"},
    {"minimum_amount": "24"},
    {"minimum_amount": "24", "minimum_commitment": "30", "maximum_spend": "38"},
    {"charge": {"prorated": True}, "minimum_commitment": "15", "maximum_spend": "22"},
    {"charge": {"prorated": True}, "amount": "5", "minimum_amount": "14"},
]
ARRIVALS = [(0, "ann"), (7, "bob"), (20, "cid"), (35, "dan"), (50, "eve")]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_it_does_not_matter_to_any_month_when_its_seats_were_told(bounds: dict[str, Any]) -> None:
    prompt, late = seated(**bounds), seated(**bounds)
    for day, user in ARRIVALS:
        seat(prompt, MARCH + day * DAY, user)
    for run, told in ((APRIL, "ann"), (MAY, "dan"), (JUNE, "eve"), (JULY, "cid"), (AUGUST, "bob")):
        for day, user in ARRIVALS:
            if user == told:
                seat(late, MARCH + day * DAY, user)
        bill_due(now=run)

    assert by_month(late) == by_month(prompt)
    assert [month for month, _ in by_month(prompt)] == [3, 4, 5, 6, 7]
    assert list(breaches()) == []

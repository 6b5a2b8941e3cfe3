"""The maximum spend: what a period comes to at most, in time and late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Invoice, InvoiceLine
from billing.operations.billing_runs import bill_due
from billing.operations.invoices import refresh_invoice
from billing.queries.books import breaches
from billing.queries.current_usage import current_usage
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY
from tests.billing.plan_terms import (
    BASE,
    LATE,
    OTHER,
    TRUE_UP,
    USAGE,
    bills,
    descriptions,
    plan_with,
    subscribed,
    use,
)
from tests.factories import make_customer

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(("calls", "billed"), [(68, 68), (69, 69), (70, 69), (500, 69)])
def test_a_period_comes_to_its_maximum_at_most(calls: int, billed: int) -> None:
    subscription = subscribed(plan_with(amount="31", maximum_spend="100"))
    use(subscription, calls)

    bill_due(now=APRIL)

    assert bills() == [[(BASE, 31), (USAGE, billed)]]
    line = InvoiceLine.objects.get(kind=USAGE)
    note = f" (${calls}.00 before the maximum spend)" if billed < calls else ""
    assert (line.units, line.description) == (calls, f"Calls{note}")
    assert [tier["amount"] for tier in line.tiers] == [str(calls)]
    assert list(breaches()) == []


def test_usage_beyond_the_maximum_is_shown_and_costs_nothing() -> None:
    subscription = subscribed(plan_with(other="2", maximum_spend="10"))
    use(subscription, 8)
    use(subscription, 3, kind=OTHER)

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, 8), (USAGE, 2)]]
    assert descriptions(Invoice.objects.get()) == ["Calls", "Others ($6.00 before the maximum spend)"]
    assert list(breaches()) == []


def test_a_part_of_a_period_has_the_whole_maximum() -> None:
    subscription = subscribed(plan_with(maximum_spend="100"), starts_at=APRIL - HOUR)
    use(subscription, 150, at=APRIL - HOUR)

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, 100)]]


def test_a_draft_stays_at_its_maximum_as_usage_comes() -> None:
    customer = make_customer(invoice_grace_days=5)
    subscription = subscribed(plan_with(maximum_spend="100"), customer=customer)
    use(subscription, 60)
    bill_due(now=APRIL)
    assert bills() == [[(USAGE, 60)]]

    use(subscription, 60, at=MARCH + HOUR)
    refresh_invoice(Invoice.objects.get().id, now=APRIL)

    assert bills() == [[(USAGE, 100)]]


def test_late_usage_is_billed_up_to_the_maximum_and_no_further() -> None:
    subscription = subscribed(plan_with(maximum_spend="100"))
    use(subscription, 60)
    bill_due(now=APRIL)

    use(subscription, 30, at=MARCH + HOUR)
    bill_due(now=MAY)
    use(subscription, 30, at=MARCH + 2 * HOUR)
    bill_due(now=JUNE)
    use(subscription, 5, at=MARCH + 3 * HOUR)
    bill_due(now=JUNE + 30 * DAY)

    assert bills() == [[(USAGE, 60)], [(LATE, 30)], [(LATE, 10)], [(LATE, 0)]]
    described = InvoiceLine.objects.filter(kind=LATE).order_by("invoice__billing_day").values_list("description")
    assert [text for (text,) in described] == [
        "Calls (late, 2026-03-01)",
        "Calls (late, 2026-03-01, up to the maximum spend)",
        "Calls (late, 2026-03-01, up to the maximum spend)",
    ]
    assert list(breaches()) == []


def test_a_true_up_counts_for_the_maximum_when_usage_comes_late() -> None:
    subscription = subscribed(plan_with(minimum_commitment="80", maximum_spend="100"))
    use(subscription, 50)
    bill_due(now=APRIL)

    use(subscription, 40, at=MARCH + HOUR)
    bill_due(now=MAY)
    use(subscription, 90, at=MARCH + 2 * HOUR)
    bill_due(now=JUNE)

    first, second, third = bills()
    assert first == [(USAGE, 50), (TRUE_UP, 30)]
    assert second == [(TRUE_UP, 80), (LATE, 10)]
    assert third == [(TRUE_UP, 80), (LATE, 10)]
    assert list(breaches()) == []


def test_the_last_invoice_has_the_maximum_too() -> None:
    subscription = subscribed(plan_with(amount="31", maximum_spend="40"))
    use(subscription, 100, now=MARCH + DAY)

    terminate_subscription(subscription.id, now=MARCH + 4 * DAY + HOUR)

    assert bills() == [[(BASE, 5), (USAGE, 35)]]


def test_the_maximum_is_rounded_to_the_currency() -> None:
    subscription = subscribed(plan_with(unit_amount="0.015", maximum_spend="10.005"))
    use(subscription, 700)

    bill_due(now=APRIL)

    [[(_, amount)]] = bills()
    assert str(amount.normalize()) == "10.01"
    assert list(breaches()) == []


def test_current_usage_shows_what_was_rated_beyond_the_maximum_too() -> None:
    subscription = subscribed(plan_with(amount="31", minimum_commitment="50", maximum_spend="100"))
    use(subscription, 150, now=MARCH + DAY)

    [running] = current_usage(subscription.customer, now=MARCH + DAY)

    assert running.amount == 150


def test_a_maximum_bounds_the_minimums_of_charges() -> None:
    terms: dict[str, Any] = {"minimum_amount": "100", "maximum_spend": "60"}
    use(subscribed(plan_with(**terms)), 10)

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, 10), (TRUE_UP, 50)]]
    assert list(breaches()) == []

"""Trials: for the first days a subscription pays its usage only, and no change of plan brings another trial."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.queries.books import breaches
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, MARCH, MAY
from tests.billing.plan_changes import base_fees
from tests.billing.plan_terms import BASE, TRUE_UP, USAGE, bills, descriptions, plan_with, subscribed, use
from tests.billing.test_proration import INTERVALS, moment
from tests.cases import Case, load_cases
from tests.factories import make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CASES = [case for case in load_cases("proration") if case.area == "trial"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_base_fee_is_that_of_the_worked_example(case: Case) -> None:
    """Two examples have plans paid in advance; the days, and so the amount, are the same at the end of a period."""
    raw, end = case.given, moment(case.given["period"][1]) + DAY
    plan = make_plan(
        amount=Decimal(raw["plan_amount_cents"]) / 100,
        interval=INTERVALS[raw["interval"]],
        trial_days=raw["trial_days"],
    )
    start = moment(raw["subscription_start"])
    make_subscription(
        plan=plan, starts_at=start, billing_time=raw["billing"], bill_from=max(start, moment(raw["period"][0])), now=end
    )

    bill_due(now=end)

    cents = Decimal(case.expect["amount_cents"]) / 100
    assert bills() == [[(BASE, cents)] if cents else []]


def test_usage_is_paid_from_the_first_moment_on() -> None:
    subscription = subscribed(plan_with(amount="31", trial_days=10))
    use(subscription, 3)

    bill_due(now=APRIL)

    assert bills() == [[(BASE, 21), (USAGE, 3)]]
    assert descriptions(Invoice.objects.get())[0] == "Pro (21 of 31 days, after the trial)"
    assert list(breaches()) == []


@pytest.mark.parametrize(
    ("trial_days", "fees"),
    [(30, [Decimal(1), Decimal(31)]), (31, [Decimal(31)]), (32, [Decimal("29.97")])],
)
def test_a_trial_ends_with_its_last_day_whichever_period_that_is_in(trial_days: int, fees: list[Decimal]) -> None:
    subscription = subscribed(make_plan(amount=Decimal(31), trial_days=trial_days))

    bill_due(now=MAY)

    assert base_fees() == {subscription.id: fees}


def test_the_days_of_a_trial_are_those_of_the_customers_zone() -> None:
    """23:30 in New York on 28 February is 1 March in UTC: a trial of two days ends with 1 March in New York."""
    start = datetime.fromisoformat("2026-02-28T23:30:00-05:00")
    subscription = subscribed(
        make_plan(amount=Decimal(31), trial_days=2),
        starts_at=start,
        customer=make_customer(timezone="America/New_York"),
    )

    bill_due(now=APRIL + DAY)

    assert base_fees() == {subscription.id: [30]}


def test_a_change_of_plan_brings_no_second_trial() -> None:
    first = subscribed(make_plan(amount=Decimal(31), trial_days=10))

    second = change_plan(first.id, plan=make_plan(amount=Decimal(310), trial_days=10).id, now=MARCH + 14 * DAY)
    bill_due(now=APRIL)

    assert base_fees() == {first.id: [4], second.id: [170]}


def test_a_change_within_a_trial_goes_on_with_the_trial_of_the_new_plan() -> None:
    first = subscribed(make_plan(amount=Decimal(31), trial_days=10))

    second = change_plan(first.id, plan=make_plan(amount=Decimal(310), trial_days=21).id, now=MARCH + 4 * DAY)
    bill_due(now=APRIL)

    assert base_fees() == {second.id: [100]}


def test_a_trial_is_counted_from_the_start_also_where_billing_begins_later() -> None:
    subscription = subscribed(make_plan(amount=Decimal(31), trial_days=10), bill_from=MARCH + 5 * DAY, starts_at=MARCH)

    bill_due(now=APRIL)

    assert base_fees() == {subscription.id: [21]}


def test_who_leaves_within_the_trial_pays_the_usage_only() -> None:
    subscription = subscribed(plan_with(amount="31", trial_days=10))
    use(subscription, 2, now=MARCH + DAY)

    terminate_subscription(subscription.id, now=MARCH + 10 * DAY - timedelta(seconds=1))

    assert bills() == [[(USAGE, 2)]]


def test_minimums_are_for_the_days_after_the_trial_too() -> None:
    plan = plan_with(trial_days=10, minimum_amount="31", minimum_commitment="62")
    use(subscribed(plan), 1)

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, 1), (TRUE_UP, 20), (TRUE_UP, 21)]]
    assert list(breaches()) == []

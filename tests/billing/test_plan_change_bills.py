"""Bills, usage and planned ends: each day of a change of plan is paid once, and each event lands where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.models import BilledPeriod, BillingCursor, Invoice, InvoiceLine
from billing.operations.billing_runs import BillingRun, bill_due
from billing.queries.books import breaches
from customers.models import Subscription
from customers.operations.plan_changes import cancel_pending_change, change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.subscriptions import terminate_subscription, update_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, metered, totals, use
from tests.billing.plan_changes import NOON, base_fees, dearer, usage_of
from tests.factories import NOW, make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_the_day_of_a_change_belongs_to_the_new_plan() -> None:
    old = metered(amount="31")

    new = change_plan(old.id, plan=dearer("310").id, now=NOON)
    assert base_fees() == {old.id: [14]}
    bill_due(now=APRIL)

    assert base_fees() == {old.id: [14], new.id: [170]}
    assert [line.description for line in InvoiceLine.objects.filter(subscription=old)] == [
        f"{old.plan} (14 of 31 days)"
    ]
    assert list(BilledPeriod.objects.order_by("starts_at").values_list("starts_at", "ends_at")) == [
        (MARCH, NOON),
        (NOON, APRIL),
    ]
    assert list(breaches()) == []


def test_the_day_of_a_termination_is_paid() -> None:
    by_hand, planned = metered(amount="31"), metered(amount="31", ends_at=NOON)

    terminate_subscription(by_hand.id, now=NOON)
    end_due_subscriptions(now=NOON + HOUR)

    assert base_fees() == {by_hand.id: [15], planned.id: [15]}


def test_a_plan_of_which_no_day_is_left_costs_nothing_but_its_usage() -> None:
    first = metered(amount="31")

    second = change_plan(first.id, plan=dearer("62").id, now=NOON)
    use(second, NOON + HOUR, now=NOON + 2 * HOUR)
    third = change_plan(second.id, plan=dearer("310").id, now=NOON + 2 * HOUR)
    bill_due(now=APRIL)

    assert base_fees() == {first.id: [14], third.id: [170]}
    assert usage_of(second) == [(1, 2)]


def test_a_cheaper_plan_begins_with_a_whole_period() -> None:
    old = metered(amount="310")
    change_plan(old.id, plan=dearer("31").id, now=NOON)
    new = Subscription.objects.get(previous=old)

    bill_due(now=APRIL)
    end_due_subscriptions(now=APRIL + HOUR)
    bill_due(now=MAY)

    assert base_fees() == {old.id: [310], new.id: [31]}
    assert totals() == [310, 31]
    assert BillingCursor.objects.get(subscription=old).due_at is None
    assert list(breaches()) == []


@pytest.mark.parametrize("worker_runs", [True, False])
def test_bills_reach_to_the_planned_end_whether_or_not_a_worker_has_run(worker_runs: bool) -> None:
    subscription = metered(amount="31", ends_at=NOON)
    use(subscription, MARCH, NOON - INSTANT, now=NOON)

    assert bill_due(now=NOON - INSTANT) == BillingRun()
    if worker_runs:
        end_due_subscriptions(now=NOON)
    bill_due(now=NOON + DAY)
    bill_due(now=JUNE)
    end_due_subscriptions(now=JUNE)

    assert totals() == [17]
    assert list(BilledPeriod.objects.values_list("starts_at", "ends_at")) == [(MARCH, NOON)]
    assert Subscription.objects.get().terminated_at == NOON
    assert bill_due(now=JUNE) == BillingRun()
    assert list(breaches()) == []


def test_the_bill_follows_the_planned_end() -> None:
    subscription = metered(amount="31")

    def due() -> datetime | None:
        return BillingCursor.objects.get().due_at

    terminate_subscription(subscription.id, at=NOON + DAY, now=NOW)
    assert due() == NOON + DAY
    update_subscription(subscription.id, ends_at=MAY + DAY, now=NOW)
    assert due() == APRIL
    update_subscription(subscription.id, ends_at=NOON, now=NOW)
    assert due() == NOON
    update_subscription(subscription.id, ends_at=None, now=NOW)
    assert due() == APRIL
    change_plan(subscription.id, plan=dearer("1").id, now=NOW)
    cancel_pending_change(subscription.id, now=NOW)
    assert bill_due(now=MAY).drafted == 2
    assert totals() == [31, 31]


def test_nothing_is_billed_before_the_agreed_moment() -> None:
    subscription = metered(amount="31", bill_from=NOON)
    use(subscription, MARCH, NOON - HOUR, NOON, now=NOON)

    bill_due(now=APRIL)

    assert base_fees() == {subscription.id: [17]}
    assert usage_of(subscription) == [(1, 1)]
    assert bill_due(now=APRIL) == BillingRun()
    assert list(breaches()) == []


def test_a_subscription_that_ends_before_it_is_billed_costs_nothing() -> None:
    subscription = metered(amount="31", bill_from=APRIL, ends_at=APRIL)
    use(subscription, MARCH, now=NOON)

    bill_due(now=MAY)
    end_due_subscriptions(now=MAY)

    assert not Invoice.objects.exists()


def test_a_change_of_plan_in_a_period_is_paid_by_days_in_the_customers_zone() -> None:
    """22:00 in New York on 14 March, the day of the change, is the 15th in UTC."""
    customer = make_customer(timezone="America/New_York")
    start = datetime(2026, 3, 1, 5, tzinfo=UTC)
    old = metered(amount="31", customer=customer, starts_at=start)

    new = change_plan(old.id, plan=dearer("310").id, now=datetime(2026, 3, 15, 2, tzinfo=UTC))
    bill_due(now=APRIL + DAY)

    assert base_fees() == {old.id: [13], new.id: [180]}


def test_an_anniversary_goes_on_through_a_change() -> None:
    old = make_subscription(
        plan=make_plan(amount=Decimal(28)),
        starts_at=datetime(2026, 1, 31, tzinfo=UTC),
        billing_time="anniversary",
    )
    bill_due(now=NOON)
    new = change_plan(old.id, plan=dearer("310").id, now=NOON)

    bill_due(now=MAY)

    ends = BilledPeriod.objects.filter(subscription=new).order_by("starts_at").values_list("ends_at", flat=True)
    assert list(ends) == [datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)]

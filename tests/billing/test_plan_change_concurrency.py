"""Changes of plan, ends, usage and billing runs at once: one successor, no lost event, nobody waits for good."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing.models import InvoiceLine, LineKind, UsageEvent
from billing.operations.billing_runs import bill_due
from billing.queries.books import breaches
from customers.errors import SubscriptionEnded, SubscriptionNotActive
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, metered, use
from tests.billing.test_wallets_concurrency import at_once
from tests.factories import make_charge, make_metric, make_plan

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_of_two_changes_at_once_one_finds_the_subscription_changed() -> None:
    old = metered()
    plans = [make_plan(amount=Decimal(amount)) for amount in (10, 20)]

    def change(number: int) -> bool:
        try:
            change_plan(old.id, plan=plans[number].id, now=APRIL)
        except SubscriptionNotActive:
            return False
        return True

    assert sorted(at_once(2, change)) == [False, True]

    new = Subscription.objects.get(previous=old)
    assert (new.terminated_at, old.credentials.count(), new.credentials.count()) == (None, 0, 1)


def test_usage_bills_changes_and_ends_go_on_side_by_side() -> None:
    """Each locks in the order customer, subscription, cursor; where one did not, PostgreSQL would end a deadlock."""
    lines = [metered(amount="31") for _ in range(4)]
    charge = make_charge(make_metric(event_type="call"), unit_amount="1")
    dearer = make_plan(amount=Decimal(62), charges=[charge])
    moments = [MARCH + n * 7 * HOUR for n in range(60)]

    def send(turn: int) -> None:
        for line in lines:
            use(line, *moments[turn::15], now=JUNE)

    def bill(turn: int) -> None:
        assert bill_due(now=APRIL + turn * DAY).failed == {}

    def change(turn: int) -> None:
        for line in lines[turn : turn + 1]:
            change_plan(line.id, plan=dearer.id, now=APRIL + 15 * DAY)

    def end(turn: int) -> None:
        end_due_subscriptions(now=APRIL + turn * DAY)

    at_once(4, lambda number: [(send, bill, change, end)[number](turn) for turn in range(15)])
    for line in lines:
        terminate_subscription(Subscription.objects.get(previous=line).id, now=JUNE)
    bill_due(now=JUNE)

    used = InvoiceLine.objects.exclude(kind=LineKind.BASE).aggregate(units=Sum("units"))["units"]
    assert (used, UsageEvent.objects.exclude(subscription=None).count()) == (240, 240)
    assert list(breaches()) == []


def test_whoever_writes_an_end_down_first_it_is_written_once() -> None:
    subscription = metered(amount="31", ends_at=APRIL)

    def work(number: int) -> bool:
        if number < 2:
            return end_due_subscriptions(now=APRIL + HOUR) == 1
        try:
            terminate_subscription(subscription.id, now=APRIL + HOUR)
        except SubscriptionEnded:
            return False
        return True

    # Whoever is to terminate what has ended by the clock is refused.
    assert sorted(at_once(4, work)) == [False, False, False, True]

    assert Subscription.objects.get().terminated_at == APRIL
    assert [line.amount for line in InvoiceLine.objects.filter(kind=LineKind.BASE)] == [31]
    assert Subscription.objects.get().history.count() == 2

"""Changes of plan, ends, usage and billing runs at once: one successor, no lost event, nobody waits for good."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing.models import InvoiceLine, LateUsage, LineKind, UsageEvent
from billing.operations.billing_runs import bill_due
from billing.operations.usage import receive_events
from billing.queries.books import breaches
from customers.errors import SubscriptionEnded, SubscriptionNotActive
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.subscriptions import terminate_subscription, update_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, metered, use
from tests.billing.plan_changes import NOON, dearer, usage_of
from tests.billing.test_wallets_concurrency import at_once
from tests.customers.test_deletion_concurrency import meanwhile
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


def owners() -> list[tuple[str, str | None]]:
    """Return whose each event is, earliest first: customer and subscription."""
    return list(UsageEvent.objects.order_by("timestamp").values_list("customer", "subscription"))


def test_usage_that_waits_for_a_change_of_plan_lands_on_the_plan_that_runs_by_then() -> None:
    """The sender read the old subscription before the change was committed."""
    old, plan = metered(), dearer("0")
    moments = (NOON - HOUR, NOON, NOON + HOUR)

    refusal = meanwhile(
        lambda: change_plan(old.id, plan=plan.id, now=NOON), lambda: use(old, *moments, now=NOON + HOUR)
    )
    bill_due(now=APRIL)

    new = Subscription.objects.get(previous=old)
    assert refusal is None
    assert owners() == [(old.customer_id, one) for one in (old.id, new.id, new.id)]
    assert (usage_of(old), usage_of(new)) == ([(1, 1)], [(2, 4)])
    assert list(breaches()) == []


@pytest.mark.parametrize("names", ["subscription", "customer"])
def test_usage_that_waits_for_a_termination_is_nobodys_after_it(names: str) -> None:
    subscription = metered()
    whose = {"subscription": subscription.id, "customer": subscription.customer_id}

    def send() -> None:
        events = [
            {"transaction_id": str(moment), "type": "call", "timestamp": moment.isoformat(), names: whose[names]}
            for moment in (NOON - HOUR, NOON + HOUR)
        ]
        receive_events(events, now=NOON + HOUR)

    refusal = meanwhile(lambda: terminate_subscription(subscription.id, now=NOON), send)
    bill_due(now=APRIL)

    assert refusal is None
    assert owners() == [(subscription.customer_id, subscription.id), (subscription.customer_id, None)]
    assert usage_of(subscription) == [(1, 1)]
    assert LateUsage.objects.count() == 0
    assert list(breaches()) == []


def test_usage_that_waits_for_a_new_planned_end_is_counted_up_to_it() -> None:
    subscription = metered()

    refusal = meanwhile(
        lambda: update_subscription(subscription.id, ends_at=NOON, now=MARCH),
        lambda: use(subscription, NOON - HOUR, NOON, now=NOON),
    )

    assert refusal is None
    assert owners() == [(subscription.customer_id, subscription.id), (subscription.customer_id, None)]


def test_usage_that_waits_for_something_else_of_its_subscription_stays_where_it_belongs() -> None:
    subscription = metered(ends_at=NOON)

    refusal = meanwhile(lambda: end_due_subscriptions(now=NOON), lambda: use(subscription, NOON - HOUR, NOON, now=NOON))

    assert refusal is None
    assert owners() == [(subscription.customer_id, subscription.id), (subscription.customer_id, None)]
    assert bill_due(now=MAY).failed == {}
    assert usage_of(subscription) == [(1, 1)]

"""Prices by the event: percentages with a free part, amounts that events carry, from the events sent to their cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import UsageEvent
from billing.operations.billing_runs import bill_due
from billing.operations.usage import EventStatus, receive_events
from billing.queries.books import breaches
from billing.queries.breakdowns import Breakdown
from billing.queries.current_usage import current_usage
from billing.queries.rating import rate_period
from customers.models import Subscription
from tests.billing.payments_wire import APRIL, HOUR, MARCH, MAY, WHOLE_MARCH, billed, march, pay, payments, rated
from tests.billing.usage_house import sum_exactly
from tests.factories import make_subscription

pytestmark = pytest.mark.django_db


def test_usage_current_usage_and_invoice_say_the_same() -> None:
    subscription = payments()
    for number, amount in enumerate([100, 50, "49.99", 0]):
        pay(subscription, MARCH + number * HOUR, amount)

    series = march(subscription)
    [running] = current_usage(subscription.customer, now=APRIL - HOUR)
    bill_due(now=APRIL)

    expected = Decimal("4.9999")
    assert [bucket.total.cost for bucket in series.buckets] == [0, Decimal("2.4999"), Decimal("2.5"), 0]
    assert (series.total.cost, running.amount, rated(subscription)) == (expected, expected, expected)
    assert (running.charges[0].units, running.charges[0].events) == (Decimal("199.99"), 4)
    assert billed() == [[("usage", 3, Decimal("199.99"), 5)]]
    assert list(breaches()) == []


def test_what_is_free_goes_by_when_events_happened_not_by_when_they_came() -> None:
    subscription = payments()
    pay(subscription, MARCH + 2 * HOUR, 1000)
    assert rated(subscription) == 0

    pay(subscription, MARCH + HOUR, 100)

    assert rated(subscription) == 12
    assert [bucket.total.cost for bucket in march(subscription).buckets] == [12, 0]


@pytest.mark.parametrize("order", [1, -1])
def test_events_of_one_moment_stand_in_the_order_of_their_ids_however_they_come(order: int) -> None:
    subscription = payments()
    amounts = [7, 100, 3000, 20, 55]
    for number in range(len(amounts))[::order]:
        pay(subscription, MARCH, amounts[number], name=f"fixed {number}")

    free = UsageEvent.objects.order_by("id").values_list("properties__amount", flat=True)[0]

    assert rated(subscription) == 2 * 4 + Decimal(sum(amounts) - free) / 100
    assert rated(subscription) == march(subscription).total.cost


def test_the_part_of_a_period_costs_what_it_adds_to_what_came_before() -> None:
    subscription = payments(rate_percent="1", free_amount="150")
    for day, amount in enumerate([100, 100, 100]):
        pay(subscription, MARCH + timedelta(days=day), amount)

    of_day = [march(subscription, first=date(2026, 3, day), last=date(2026, 3, day)).total.cost for day in (1, 2, 3)]

    assert of_day == [0, Decimal("0.5"), 1]


def test_each_model_bears_the_cost_of_its_own_events() -> None:
    subscription = payments()
    for number, name in enumerate(["a", "b", "b"]):
        pay(subscription, MARCH + timedelta(minutes=number), 100, name=str(number), model=name)

    [bucket] = march(subscription).buckets
    only = march(subscription, only={Breakdown.MODEL: "a"})

    assert {name: part.cost for name, part in bucket.parts.items()} == {"a": 0, "b": 6}
    assert only.total.cost == 0


@pytest.mark.parametrize("breakdown", list(Breakdown))
def test_parts_add_up_whatever_they_are_broken_down_by(breakdown: Breakdown) -> None:
    subscription = payments(rate_percent="1.000000000007", free_amount="20", maximum_per_event="0.6")
    for number in range(40):
        amount = Decimal(number**5 + 1).scaleb(-6)
        pay(subscription, MARCH + 17 * number * timedelta(minutes=1), amount, model="abc"[number % 3])

    series = march(subscription, breakdown=breakdown)

    assert series.total.cost == rated(subscription) > 1
    assert sum_exactly(bucket.total.cost for bucket in series.buckets) == series.total.cost
    for bucket in series.buckets:
        assert sum_exactly(part.cost for part in bucket.parts.values()) == bucket.total.cost


def test_amounts_are_read_with_all_their_digits() -> None:
    subscription = payments("DYNAMIC", property="cost")
    exact = Decimal("123456789012.123456789012")

    pay(subscription, MARCH, 1, cost=exact)

    assert rated(subscription) == exact


def test_a_cost_that_is_no_number_is_rejected_before_anything_is_written() -> None:
    subscription = payments("DYNAMIC", property="cost")

    refused = pay(subscription, MARCH, 1, cost="a lot")
    assert refused is not None
    assert (refused.code, refused.param) == ("invalid_properties", "properties.cost")
    assert not UsageEvent.objects.exists()
    assert pay(subscription, MARCH, 1, cost="0.5") is None
    assert pay(payments(), MARCH, 1, cost="a lot") is None


def test_hours_are_those_of_the_customers_clock() -> None:
    subscription = payments(timezone="Asia/Kolkata", rate_percent="1")
    local_midnight = datetime(2026, 3, 9, 18, 30, tzinfo=UTC)
    pay(subscription, local_midnight - timedelta(minutes=1), 100)
    pay(subscription, local_midnight, 500)

    series = march(subscription)

    assert [(bucket.start, bucket.total.cost) for bucket in series.buckets] == [
        (local_midnight, Decimal(5)), (local_midnight - HOUR, Decimal(1))
    ]  # fmt: skip
    assert march(subscription, first=date(2026, 3, 10), last=date(2026, 3, 10)).total.cost == 5


def test_each_subscription_is_rated_by_its_own_events() -> None:
    subscription, other = payments(), payments()
    same = make_subscription(customer=subscription.customer, plan=other.plan, starts_at=MARCH)
    for one, amount in ((subscription, 100), (same, 300), (other, 500)):
        pay(one, MARCH, amount)
        pay(one, MARCH + HOUR, amount)

    assert [rated(one) for one in (subscription, same, other)] == [3, 5, 7]
    assert march(subscription).total.cost == 8


def test_events_are_read_only_where_a_charge_prices_them(django_assert_num_queries: Callable[[int], Any]) -> None:
    by_event, by_unit = payments(), payments("STANDARD", unit_amount="1")
    for subscription in (by_event, by_unit):
        pay(subscription, MARCH, 10)
    found = Subscription.objects.select_related("customer", "plan")
    by_event, by_unit = (found.get(pk=one.pk) for one in (by_event, by_unit))

    with django_assert_num_queries(2):
        rate_period(by_unit, WHOLE_MARCH)
    with django_assert_num_queries(3):
        rate_period(by_event, WHOLE_MARCH)


def test_many_events_are_read_in_chunks_without_losing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.queries.charged_events.CHUNK", 7)
    subscription = payments(rate_percent="1")
    sent = [
        {"transaction_id": str(number), "type": "payment", "timestamp": (MARCH + number * HOUR).isoformat(),
         "subscription": subscription.id, "properties": {"amount": 100}}
        for number in range(50)
    ]  # fmt: skip
    assert {one.status for one in receive_events(sent, now=MAY)} == {EventStatus.ACCEPTED}

    assert rated(subscription) == 50

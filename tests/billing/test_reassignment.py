"""Reassignment: usage of nobody known moves to the customer it is of, as if it had named it, in open periods only."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import ProgrammingError, connection, transaction

from billing.models import Invoice, LateUsage, LineKind, MetricHour, UsageEvent, UsageHour, UsageReassignment
from billing.operations.billing_runs import bill_due
from billing.operations.reassignment import reassign_usage
from billing.operations.usage_moves import CHUNK, NAMED, Reassignment
from billing.queries.books import breaches
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import acting_as
from customers.models import UNCLASSIFIED_ID
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, lines_of
from tests.billing.unclassified import HOUR, LOST, by_tokens, events_of, lose, units_of
from tests.factories import make_customer, make_plan, make_subscriber, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOBODY = "cust_01h455vb4pex5vsknk084sn02q"


def reassign(customer: Any, **chosen: Any) -> Reassignment:
    """Reassign what named ``LOST``, unless something else is chosen, and see that the books are right after it."""
    found = reassign_usage(customer=customer.id, now=JUNE, **(chosen or {"named": LOST}))
    assert list(breaches()) == []
    return found


def test_usage_moves_to_the_subscription_that_ran_and_is_billed() -> None:
    subscription = by_tokens()
    lose(MARCH, MARCH + DAY, tokens="2.5")

    assert reassign(subscription.customer) == Reassignment(moved=2)

    assert (events_of(subscription.customer), events_of(UNCLASSIFIED_ID)) == (2, 0)
    assert set(UsageEvent.objects.values_list("subscription", "named")) == {(subscription.id, LOST)}
    assert units_of(subscription) == 5
    bill_due(now=APRIL)
    assert lines_of(Invoice.objects.get()) == [(LineKind.USAGE, 5, 5)]


def test_only_what_named_the_same_moves() -> None:
    customer = make_customer()
    lose(MARCH)
    lose(MARCH, whose={"subscription": "sub_01h455vb4pex5vsknk084sn02q"}, prefix="other")

    assert reassign(customer).moved == 1

    assert (events_of(customer), events_of(UNCLASSIFIED_ID)) == (1, 1)
    assert UsageEvent.objects.get(customer=UNCLASSIFIED_ID).named == "subscription sub_01h455vb4pex5vsknk084sn02q"


def test_what_stays_in_an_hour_stays_counted_there() -> None:
    customer = make_customer()
    lose(MARCH, MARCH + HOUR / 2, tokens=3, latency_ms=10)
    lose(MARCH, whose={"subscription": "sub_01h455vb4pex5vsknk084sn02q"}, prefix="other", tokens=7, latency_ms="0.5")

    reassign(customer)

    figures = ("events", "tokens", "events_with_tokens", "latency_ms", "events_with_latency")
    assert UsageHour.objects.filter(customer=customer).values_list(*figures).get() == (2, 6, 2, 20, 2)
    assert UsageHour.objects.filter(customer=UNCLASSIFIED_ID).values_list(*figures).get() == (
        1,
        7,
        1,
        Decimal("0.5"),
        1,
    )


def test_the_hours_are_those_of_the_customers_clock() -> None:
    kolkata = make_customer(timezone="Asia/Kolkata")
    lose(MARCH + HOUR / 4, MARCH + 3 * HOUR / 4)
    assert UsageHour.objects.get().hour == MARCH

    reassign(kolkata)

    hours = UsageHour.objects.order_by("hour").values_list("hour", flat=True)
    assert [hour.astimezone(ZoneInfo("Asia/Kolkata")).minute for hour in hours] == [0, 0]
    assert list(hours) == [MARCH - HOUR / 2, MARCH + HOUR / 2]


def test_the_largest_value_is_a_maximum_of_the_target() -> None:
    subscription = by_tokens(aggregation="MAX")
    for prefix, tokens in (("a", 3), ("b", 9), ("c", 4)):
        lose(MARCH, prefix=prefix, tokens=tokens)

    reassign(subscription.customer)

    row = MetricHour.objects.get()
    assert (row.events, row.total, row.maximum) == (3, 16, 9)


def test_usage_while_nothing_ran_moves_without_a_subscription() -> None:
    subscription = by_tokens(starts_at=MARCH + 2 * DAY)
    terminate_subscription(subscription.id, now=MARCH + 9 * DAY)
    lose(MARCH, MARCH + 5 * DAY, MARCH + 9 * DAY)

    # The final invoice is out, so what lies in its period stays.
    assert reassign(subscription.customer) == Reassignment(moved=2, billed=1)

    moved = UsageEvent.objects.filter(customer=subscription.customer, subscription=None)
    assert list(moved.order_by("timestamp").values_list("timestamp", flat=True)) == [MARCH, MARCH + 9 * DAY]


def test_with_two_subscriptions_running_none_is_chosen() -> None:
    subscription = by_tokens()
    make_subscription(customer=subscription.customer, plan=make_plan(), starts_at=MARCH)
    lose(MARCH)

    assert reassign(subscription.customer).moved == 1

    assert UsageEvent.objects.get().subscription_id is None
    assert units_of(subscription) == 0


def test_a_period_on_a_finalized_invoice_takes_nothing_any_more() -> None:
    subscription = by_tokens()
    lose(MARCH, APRIL - timedelta(microseconds=1), APRIL)
    bill_due(now=APRIL)

    assert reassign(subscription.customer) == Reassignment(moved=1, billed=2)

    assert (events_of(subscription.customer), events_of(UNCLASSIFIED_ID)) == (1, 2)
    assert LateUsage.objects.count() == 0
    bill_due(now=MAY)
    kinds = [lines_of(invoice) for invoice in Invoice.objects.order_by("billing_day")]
    assert kinds == [[], [(LineKind.USAGE, 5, 5)]]


def test_a_period_on_a_draft_takes_usage_and_the_draft_shows_it_at_once() -> None:
    subscription = by_tokens(invoice_grace_days=5)
    lose(MARCH, MARCH + DAY)
    bill_due(now=APRIL)
    assert Invoice.objects.drafts().get().total == 0

    assert reassign(subscription.customer) == Reassignment(moved=2)

    assert Invoice.objects.drafts().get().total == 10
    bill_due(now=APRIL + 5 * DAY)
    bill_due(now=MAY + 5 * DAY)
    bills = [lines_of(invoice) for invoice in Invoice.objects.order_by("billing_day")]
    assert bills == [[(LineKind.USAGE, 10, 10)], []]
    assert LateUsage.objects.count() == 0


def test_what_a_metric_cannot_count_stays_and_is_named() -> None:
    subscription = by_tokens()
    lose(MARCH, MARCH + DAY)
    lose(MARCH, prefix="bad", tokens="many")

    found = reassign(subscription.customer)

    assert found == Reassignment(moved=2, uncountable=1, uncountable_named=[f"bad 0 {MARCH}"])
    assert found.kept == 1
    assert events_of(UNCLASSIFIED_ID) == 1
    # Where no metric has to count it, it may go.
    assert reassign(make_customer()).moved == 1


def test_of_many_that_cannot_be_counted_the_first_are_named() -> None:
    subscription = by_tokens()
    lose(*(MARCH + n * HOUR for n in range(NAMED + 2)), tokens="many")

    found = reassign(subscription.customer)

    assert (found.moved, found.kept, len(found.uncountable_named)) == (0, NAMED + 2, NAMED)
    assert found.uncountable_named[0] == f"lost 0 {MARCH}"


def test_moving_again_moves_nothing() -> None:
    subscription = by_tokens()
    lose(MARCH)
    reassign(subscription.customer)

    assert reassign(subscription.customer) == Reassignment()

    assert (events_of(subscription.customer), units_of(subscription)) == (1, 5)
    assert UsageReassignment.objects.count() == 1


def test_a_call_moves_so_many_and_the_next_goes_on() -> None:
    subscription = by_tokens()
    lose(*(MARCH + n * HOUR for n in range(5)))

    moved = [reassign(subscription.customer, named=LOST, limit=2) for _ in range(3)]

    assert [(one.moved, one.is_complete) for one in moved] == [(2, False), (2, False), (1, True)]
    assert units_of(subscription) == 25


def test_a_limit_that_is_just_reached_is_complete() -> None:
    customer = make_customer()
    lose(MARCH, MARCH + HOUR)

    assert reassign(customer, named=LOST, limit=2) == Reassignment(moved=2)


def test_more_events_than_are_in_memory_at_a_time_move_in_one_call() -> None:
    subscription = by_tokens()
    # Two happen at the same moment, and where a chunk ends it ends between them.
    moments = [MARCH + ((n + 1) // 2) * HOUR / 2 for n in range(CHUNK + 3)]
    assert moments[CHUNK - 1] == moments[CHUNK]
    lose(*moments)

    assert reassign(subscription.customer).moved == CHUNK + 3

    assert (events_of(subscription.customer), units_of(subscription)) == (CHUNK + 3, 5 * (CHUNK + 3))


def test_numbers_move_with_all_their_digits() -> None:
    subscription = by_tokens()
    lose(MARCH, tokens=Decimal("0.000000000001"))
    lose(MARCH, prefix="large", tokens=Decimal("999999999999.999999999999"))

    reassign(subscription.customer)

    assert units_of(subscription) == Decimal(10) ** 12
    assert UsageHour.objects.get().tokens == Decimal(10) ** 12


def test_who_moved_what_and_why_is_written_down() -> None:
    customer = make_customer()
    lost = make_subscriber()
    lose(MARCH)
    lose(MARCH, whose={"subscriber": lost.id}, prefix="other")

    with acting_as("olga", reason="They called"):
        reassign(customer)
        reassign(customer, subscriber=lost.id)

    fields = ("customer", "named", "subscriber", "moved", "kept", "actor", "reason", "created_at")
    assert list(UsageReassignment.objects.order_by("id").values_list(*fields)) == [
        (customer.id, LOST, None, 1, 0, "olga", "They called", JUNE),
        (customer.id, "", lost.id, 1, 0, "olga", "They called", JUNE),
    ]


def test_what_is_written_down_stays() -> None:
    lose(MARCH)
    reassign(make_customer())

    for change in ("UPDATE billing_usagereassignment SET moved = 2", "DELETE FROM billing_usagereassignment"):
        with (
            pytest.raises(ProgrammingError, match="Cannot update or delete"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)


def test_nobody_takes_usage_but_a_living_customer() -> None:
    lose(MARCH)
    deleted = make_customer()
    delete_customer(deleted.id, confirm=True, now=JUNE)

    for owner in (deleted.id, UNCLASSIFIED_ID, NOBODY, "acme"):
        with pytest.raises(NotFound) as refusal:
            reassign_usage(customer=owner, named=LOST, now=JUNE)
        assert (refusal.value.noun, refusal.value.param) == ("customer", "customer")

    assert events_of(UNCLASSIFIED_ID) == 1
    assert reassign(make_customer()).moved == 1


def test_something_must_be_chosen_that_there_is() -> None:
    customer = make_customer()
    lose(MARCH)

    with pytest.raises(Invalid):
        reassign_usage(customer=customer.id, now=JUNE)
    with pytest.raises(NotFound) as refusal:
        reassign_usage(customer=customer.id, subscriber="subr_01h455vb4pex5vsknk084sn02q", now=JUNE)

    assert (refusal.value.noun, refusal.value.param) == ("subscriber", "subscriber")
    assert reassign(customer, named="customer of nobody") == Reassignment()
    assert events_of(UNCLASSIFIED_ID) == 1

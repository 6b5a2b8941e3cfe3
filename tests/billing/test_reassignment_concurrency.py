"""Usage is reassigned while more comes, bills are drawn and others reassign: each event is counted and billed once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from billing.models import Invoice, InvoiceLine, UsageEvent
from billing.operations.billing_runs import BillingRun, bill_due
from billing.operations.reassignment import reassign_usage
from billing.queries.books import breaches
from config.kernel.errors import NotFound
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.subscribers import reassign_subscriber
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, totals, use
from tests.billing.test_wallets_concurrency import at_once
from tests.billing.unclassified import HOUR, LOST, by_tokens, events_of, lose, units_of
from tests.factories import make_subscriber

pytestmark = pytest.mark.django_db(transaction=True)


def reassign(customer: Customer, **chosen: Any) -> int:
    """Reassign what named ``LOST`` and return how many events moved."""
    return reassign_usage(customer=customer.id, now=JUNE, **(chosen or {"named": LOST})).moved


def assert_all_is_billed_once(subscription: Subscription, units: int) -> None:
    """Assert that the bills hold ``units``, and that there is nothing more to bill."""
    terminate_subscription(subscription.id, now=JUNE)
    bill_due(now=JUNE)
    billed = InvoiceLine.objects.aggregate(units=Sum("units"), amount=Sum("amount"))
    assert billed == {"units": units, "amount": units}
    assert bill_due(now=JUNE) == BillingRun()
    assert list(breaches()) == []


def test_two_moves_at_once_move_each_event_once() -> None:
    subscriptions = [by_tokens() for _ in range(4)]
    lose(*(MARCH + n * HOUR / 2 for n in range(600)))

    at_once(4, lambda number: reassign(subscriptions[number].customer))
    # What one of them had locked when another looked may be left to it.
    reassign(subscriptions[0].customer)

    assert sum(events_of(one.customer) for one in subscriptions) == 600
    assert sum(units_of(one) for one in subscriptions) == 3000
    assert events_of(UNCLASSIFIED_ID) == 0
    assert list(breaches()) == []


def test_nothing_is_lost_while_usage_comes_and_goes_and_bills_are_drawn() -> None:
    subscription = by_tokens(invoice_grace_days=3)
    moments = [MARCH + n * timedelta(hours=7) for n in range(200)]

    def work(number: int) -> None:
        for turn in range(20):
            some = moments[turn::20]
            if number == 0:
                lose(*some)
            elif number == 1:
                use(subscription, *some, now=JUNE)
            elif number == 2:
                reassign(subscription.customer)
            else:
                bill_due(now=MAY)

    at_once(4, work)
    reassign(subscription.customer)
    kept = events_of(UNCLASSIFIED_ID)

    # Events of our own carry no tokens, and are counted in no unit.
    assert events_of(subscription.customer) == 400 - kept
    assert_all_is_billed_once(subscription, 5 * (200 - kept))


def test_a_move_and_senders_in_the_same_hours_wait_for_each_other_in_one_order() -> None:
    subscription = by_tokens()
    moments = [MARCH + n * HOUR for n in range(48)]

    def work(number: int) -> None:
        for turn in range(10):
            if number % 2:
                reassign(subscription.customer)
            else:
                lose(*moments, prefix=f"{number} {turn}")

    at_once(4, work)
    reassign(subscription.customer)

    assert events_of(subscription.customer) == 2 * 10 * 48
    assert_all_is_billed_once(subscription, 5 * 960)


def test_a_finalization_waits_for_the_move_that_came_before_it() -> None:
    subscription = by_tokens(invoice_grace_days=3)
    lose(MARCH)
    bill_due(now=APRIL)
    moved = Event()

    def move() -> None:
        with transaction.atomic():
            assert reassign(subscription.customer) == 1
            moved.set()
            # Long enough for the run to reach the draft; were it finalized now, the event would come too late for it.
            sleep(0.5)

    def finalize() -> None:
        assert moved.wait(timeout=30)
        assert bill_due(now=APRIL + timedelta(days=3)).finalized == 1

    at_once(2, lambda number: (move, finalize)[number]())

    assert totals() == [5]
    assert list(breaches()) == []


def test_a_run_waits_for_the_move_that_came_before_it() -> None:
    subscription = by_tokens()
    lose(MARCH)
    moved = Event()

    def move() -> None:
        with transaction.atomic():
            assert reassign(subscription.customer) == 1
            moved.set()
            sleep(0.5)

    def bill() -> None:
        assert moved.wait(timeout=30)
        assert bill_due(now=APRIL).finalized == 1

    at_once(2, lambda number: (move, bill)[number]())

    assert totals() == [5]


def test_a_move_waits_for_the_run_that_bills_its_period_and_then_leaves_it() -> None:
    subscription = by_tokens()
    lose(MARCH)
    billed = Event()

    def bill() -> None:
        with transaction.atomic():
            assert bill_due(now=APRIL).finalized == 1
            billed.set()
            sleep(0.5)

    def move() -> None:
        assert billed.wait(timeout=30)
        assert reassign(subscription.customer) == 0

    at_once(2, lambda number: (bill, move)[number]())

    assert Invoice.objects.get().total == 0
    assert events_of(UNCLASSIFIED_ID) == 1


def test_a_subscriber_is_reassigned_while_its_customer_is_billed() -> None:
    subscription = by_tokens()
    people = [make_subscriber(email=f"{n}@acme.com") for n in range(6)]
    for one in people:
        lose(MARCH, MARCH + HOUR, APRIL, whose={"subscriber": one.id}, prefix=one.id)

    def work(number: int) -> None:
        if number:
            for one in people[number - 1 :: 3]:
                reassign_subscriber(one.id, customer=subscription.customer_id, now=JUNE)
        else:
            for _ in range(10):
                assert bill_due(now=APRIL).failed == {}

    at_once(4, work)

    kept = events_of(UNCLASSIFIED_ID)
    assert kept in {0, 2, 4, 6, 8, 10, 12}
    assert_all_is_billed_once(subscription, 5 * (18 - kept))


def _step(steps: list[Callable[[], None]], number: int) -> None:
    steps[number]()


def test_of_a_deletion_and_a_move_at_once_no_usage_of_the_deleted_is_left_unnoticed() -> None:
    for _ in range(5):
        subscription = by_tokens()
        lose(MARCH, MARCH + HOUR, prefix=subscription.id)

        def move(subscription: Subscription = subscription) -> None:
            # Where the deletion came first, there is nobody to move it to.
            with suppress(NotFound):
                reassign(subscription.customer)

        def delete(subscription: Subscription = subscription) -> None:
            delete_customer(subscription.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL)

        at_once(2, partial(_step, [move, delete]))

        billed = InvoiceLine.objects.filter(subscription=subscription).aggregate(sum=Sum("amount", default=0))["sum"]
        assert billed == units_of(subscription)
    assert UsageEvent.objects.count() == 10
    assert list(breaches()) == []

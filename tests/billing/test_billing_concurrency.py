"""Senders and billing runs at once: everything is counted and billed exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from random import Random
from threading import Event
from time import sleep

import pytest
from django.db import transaction
from django.db.models import Sum

from billing.models import (
    Invoice,
    InvoiceLine,
    LateUsage,
    MetricHour,
)
from billing.operations.billing_runs import BillingRun, bill_due
from billing.operations.invoices import finalize_invoice
from billing.operations.usage import EventOutcome, EventStatus, receive_events, record_events
from billing.queries.books import breaches
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, metered, totals, use
from tests.billing.senders import ACCEPTED, DUPLICATE, LATER, counted
from tests.billing.test_wallets_concurrency import at_once
from tests.customers.test_deletion_concurrency import await_somebody_waiting_for_us, refusal_of
from tests.factories import (
    NOW,
    make_charge,
    make_customer,
    make_event,
    make_metric,
    make_plan,
    make_subscription,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_four_senders_of_the_same_events_count_them_once() -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens")
    plan = make_plan(charges=[make_charge(metric)], amount=Decimal(0))
    subscriptions = [make_subscription(plan=plan) for _ in range(2)]
    events = [
        make_event(
            subscriptions[n % 2],
            at=NOW + timedelta(minutes=n),
            now=LATER,
            transaction_id=f"t{n}",
            properties={"tokens": n},
        )
        for n in range(500)
    ]

    def send_shuffled(sender: int) -> list[EventStatus]:
        mine = list(events)
        Random(sender).shuffle(mine)  # noqa: S311
        found: list[EventOutcome] = []
        for begin in range(0, len(mine), 100):
            found += record_events(mine[begin : begin + 100], now=LATER)
        return [one.status for one in found]

    found = [status for sender in at_once(4, send_shuffled) for status in sender]

    assert (found.count(ACCEPTED), found.count(DUPLICATE)) == (500, 1500)
    assert counted() == (500, 500, 500)
    assert sum(MetricHour.objects.values_list("total", flat=True)) == sum(range(500))
    assert LateUsage.objects.count() == 0
    assert list(breaches()) == []


def test_four_runs_at_once_bill_each_period_once() -> None:
    for number in range(6):
        customer = make_customer(invoice_grace_days=3 * (number % 2))
        for _ in range(2):
            use(metered(customer=customer, amount="10"), MARCH, APRIL)

    runs = at_once(4, lambda _: bill_due(now=MAY + timedelta(days=3)))
    last = bill_due(now=MAY + timedelta(days=3))

    assert all(run.failed == {} for run in runs)
    assert sum(run.drafted for run in [*runs, last]) == 12
    assert sum(run.finalized for run in [*runs, last]) == 12
    assert totals() == [22] * 12
    numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"INV-2026-{n:06d}" for n in range(1, 13)]
    assert list(breaches()) == []


def test_nothing_is_lost_or_billed_twice_while_usage_comes_and_bills_are_drawn() -> None:
    subscription = metered()
    moments = [MARCH + n * timedelta(hours=7) for n in range(240)]

    def work(number: int) -> None:
        if number < 2:
            for moment in moments[number::2]:
                use(subscription, moment, now=JUNE)
        else:
            for _ in range(20):
                bill_due(now=MAY)

    at_once(4, work)
    terminate_subscription(subscription.id, now=JUNE)
    bill_due(now=JUNE)

    billed = InvoiceLine.objects.aggregate(units=Sum("units"), amount=Sum("amount"))
    assert billed == {"units": 240, "amount": 240}
    assert bill_due(now=JUNE) == BillingRun()
    assert list(breaches()) == []


def test_a_run_waits_for_the_usage_that_is_being_written() -> None:
    subscription = metered()
    written = Event()

    def write() -> None:
        with transaction.atomic():
            use(subscription, MARCH)
            written.set()
            # Long enough for the run to reach the cursor; were it skipped, the run would be over without a bill.
            sleep(0.5)

    def bill() -> None:
        assert written.wait(timeout=30)
        assert bill_due(now=APRIL).drafted == 1

    at_once(2, lambda number: (write, bill)[number]())

    assert totals() == [1]


def test_a_stream_of_usage_keeps_no_run_from_billing() -> None:
    subscription = metered()
    billed = Event()

    def send(number: int) -> None:
        turn = 0
        while not billed.is_set():
            turn += 1
            sent = {"type": "call", "timestamp": APRIL.isoformat(), "subscription": subscription.id}
            receive_events([{**sent, "transaction_id": f"{number} {turn} {n}"} for n in range(100)], now=APRIL)

    def bill() -> int:
        sleep(0.5)
        try:
            return bill_due(now=APRIL).drafted
        finally:
            billed.set()

    found = at_once(4, lambda number: bill() if number == 0 else send(number))

    assert found[0] == 1


def test_a_run_waits_for_a_finalization_by_hand_and_does_not_keep_it_from_its_number() -> None:
    customer = make_customer(invoice_grace_days=3)
    use(metered(customer=customer), MARCH, APRIL)
    bill_due(now=APRIL)
    bill_due(now=MAY)
    later = Invoice.objects.drafts().latest("billing_day")
    runs: list[BillingRun] = []

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Invoice.objects.lock(later.pk)
        run = pool.submit(refusal_of, lambda: runs.append(bill_due(now=MAY + timedelta(days=5))))
        await_somebody_waiting_for_us()
        finalize_invoice(later.pk, now=MAY)
    run.result(timeout=30)

    assert [one.failed for one in runs] == [{}]
    assert [one.status for one in Invoice.objects.all()] == ["finalized", "finalized"]
    assert list(breaches()) == []


def test_usage_that_comes_while_its_draft_is_finalized_by_hand_is_billed_late() -> None:
    """A run that sees the mark before the finalization is committed still takes the invoice for a draft."""
    subscription = metered(customer=make_customer(invoice_grace_days=60))
    use(subscription, MARCH)
    bill_due(now=APRIL)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        finalize_invoice(Invoice.objects.get().pk, now=APRIL)
        pool.submit(refusal_of, lambda: use(subscription, MARCH + timedelta(hours=1))).result(timeout=30)
        assert LateUsage.objects.count() == 1
        run = pool.submit(refusal_of, lambda: bill_due(now=MAY))
        await_somebody_waiting_for_us()
    run.result(timeout=30)

    terminate_subscription(subscription.id, now=MAY)
    assert sum(totals()) == 2
    assert list(breaches()) == []

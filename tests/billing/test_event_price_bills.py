"""Prices by the event on invoices: periods, late usage, and what moves to its customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.reassignment import reassign_usage
from billing.operations.usage import receive_events
from billing.queries.books import breaches
from billing.queries.charged_events import bounds
from config.kernel.ids import TypeID
from customers.operations.subscriptions import terminate_subscription
from tests.billing.payments_wire import APRIL, HOUR, MARCH, MAY, billed, pay, payments, rated

pytestmark = pytest.mark.django_db


def test_an_invoice_line_tells_which_events_were_free_and_how_many_were_paid() -> None:
    subscription = payments()
    for number, amount in enumerate([100, 50, 30]):
        pay(subscription, MARCH + number * HOUR, amount)

    bill_due(now=APRIL)

    none = {"above": "0", "up_to": None, "package_size": None}
    assert Invoice.objects.get().lines.get().tiers == [
        {**none, "units": "100", "unit_amount": "0", "flat_amount": "0", "amount": "0", "events": 1},
        {**none, "units": "80", "unit_amount": "0.01", "flat_amount": "4", "amount": "4.8", "events": 2},
    ]


def test_a_dynamic_charge_sums_what_events_carry_besides_what_the_metric_counts() -> None:
    subscription = payments("DYNAMIC", property="cost", multiplier="1.5")
    for number, cost in enumerate(["0.101", 9.019, None]):
        pay(subscription, MARCH + number * HOUR, 1000, cost=Decimal(str(cost)) if cost else None)

    bill_due(now=APRIL)

    assert rated(subscription) == Decimal("13.68")
    assert billed() == [[("usage", 3, 3000, Decimal("13.68"))]]


def test_the_tiers_of_an_invoice_name_the_events_at_the_desk_and_over_the_api(api: APIClient, desk: Client) -> None:
    subscription = payments()
    for number, amount in enumerate([100, 50, 30]):
        pay(subscription, MARCH + number * HOUR, amount)
    bill_due(now=APRIL)
    invoice = Invoice.objects.get()

    [line] = api.get(f"/v1/invoices/{invoice.id}").json()["lines"]
    page = desk.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()

    assert [(tier["events"], tier["units"], tier["amount"]) for tier in line["tiers"]] == [(1, 100, 0), (2, 80, 4.8)]
    assert "100 × 0 (1 event); 80 × 0.01 + 4 (2 events)" in page


def test_late_usage_is_billed_beyond_what_was_billed_whoever_was_free_then() -> None:
    subscription = payments()
    pay(subscription, MARCH + 2 * HOUR, 1000)
    bill_due(now=APRIL)
    pay(subscription, MARCH + HOUR, 100)

    bill_due(now=MAY)

    assert billed() == [[("usage", 3, 1000, 0)], [("late_usage", 3, 100, 12)]]
    assert list(breaches()) == []


def test_late_usage_of_a_draft_is_on_the_draft() -> None:
    subscription = payments(grace_days=3)
    pay(subscription, MARCH + 2 * HOUR, 1000)
    bill_due(now=APRIL)
    pay(subscription, MARCH + HOUR, 100)

    bill_due(now=APRIL + timedelta(days=3))

    assert billed() == [[("usage", 3, 1100, 12)]]


def test_each_period_begins_with_its_free_part_anew() -> None:
    subscription = payments()
    for moment in (MARCH, APRIL - timedelta(microseconds=1), APRIL, APRIL + HOUR):
        pay(subscription, moment, 100)

    bill_due(now=MAY)

    assert billed() == [[("usage", 3, 200, 3)], [("usage", 4, 200, 3)]]


def test_usage_sent_moments_ahead_of_a_termination_is_billed_with_its_hour() -> None:
    subscription = payments(rate_percent="1")
    end = MARCH + timedelta(days=9, hours=12, minutes=30)
    pay(subscription, end - HOUR, 100, now=end)
    pay(subscription, end + timedelta(minutes=2), 500, now=end)

    terminate_subscription(subscription.id, now=end)

    assert billed() == [[("usage", 3, 600, 6)]]


def test_periods_share_no_event_also_where_a_clock_with_half_hours_was_left() -> None:
    subscription = payments()
    midnight_in_india = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)

    first, until = bounds(subscription, MARCH, midnight_in_india)
    since, _ = bounds(subscription, midnight_in_india, MAY)

    assert (first, until, since) == (MARCH, midnight_in_india, midnight_in_india)


def test_usage_that_moves_to_its_customer_is_priced_there() -> None:
    subscription = payments()
    unknown = TypeID.new("cust")
    sent = {"type": "payment", "customer": unknown, "timestamp": MARCH.isoformat(), "properties": {"amount": 100}}
    receive_events([{**sent, "transaction_id": str(number)} for number in range(3)], now=MAY)
    assert rated(subscription) == 0

    reassign_usage(customer=subscription.customer_id, named=f"customer {unknown}", now=MAY)

    assert rated(subscription) == 6

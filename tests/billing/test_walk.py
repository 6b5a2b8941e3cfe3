"""The way through the house: what the product is for, in one test over the operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from billing.operations.usage import EventStatus, record_events
from billing.queries.current_usage import current_usage
from billing.queries.statements import statements_of
from billing.queries.usage import Grouping, usage_series
from config.kernel.guards import Verdict, deletion_report
from config.kernel.secrets import issued_secrets
from credentials.queries.verification import VerificationCode, verify_secret
from customers.operations.suspension import expire_due_suspensions, suspend_customer
from tests.factories import NOW, make_charge, make_customer, make_event, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_customer_is_subscribed_metered_billed_paid_and_suspended() -> None:
    metric = make_metric(event_type="call")
    plan = make_plan(charges=[make_charge(metric, unit_amount="0.005")], amount=Decimal(31))
    customer = make_customer()
    with issued_secrets() as issued:
        subscription = make_subscription(customer=customer, plan=plan)
    key = issued[0].shown_once["key"]
    assert verify_secret(key, now=NOW).code is VerificationCode.VALID

    events = [make_event(subscription, at=NOW + timedelta(minutes=n), now=APRIL) for n in range(101)]
    assert {one.status for one in record_events(events, now=APRIL)} == {EventStatus.ACCEPTED}
    assert {one.status for one in record_events(events, now=APRIL)} == {EventStatus.DUPLICATE}

    [running] = current_usage(customer, now=NOW)
    assert running.amount == Decimal("0.505")
    series = usage_series(customer, first=NOW.date(), last=NOW.date(), grouping=Grouping.DAY, now=NOW)
    assert (series.total.requests, series.total.cost) == (101, Decimal("0.505"))

    run = bill_due(now=APRIL)
    assert (run.customers, run.drafted, run.finalized, run.failed) == (1, 1, 1, {})
    invoice = Invoice.objects.get()
    assert invoice.number == "INV-2026-000001"
    assert [line.amount for line in invoice.lines.all()] == [Decimal(22), Decimal("0.51")]
    assert bill_due(now=APRIL).drafted == 0

    [statement] = statements_of([customer], now=APRIL)
    assert (statement.outstanding, statement.open_invoices) == (Decimal("22.51"), 1)
    record_payment(invoice.id, amount=Decimal(30), now=APRIL)
    [statement] = statements_of([customer], now=APRIL)
    assert (statement.outstanding, statement.unapplied_credit) == (Decimal(0), Decimal("7.49"))

    suspend_customer(customer.id, reason="test", until=APRIL + timedelta(hours=1), now=APRIL)
    assert verify_secret(key, now=APRIL).code is VerificationCode.CUSTOMER_SUSPENDED
    assert verify_secret(key, now=APRIL + timedelta(hours=1)).code is VerificationCode.VALID
    assert expire_due_suspensions(now=APRIL + timedelta(hours=1)) == 1
    assert deletion_report(customer).verdict is Verdict.BLOCK

"""``manage.py verify_books`` is right about right books, and names every row that a hand in the books has broken."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.holds import commit_hold, hold_funds
from billing.operations.payments import record_payment
from billing.operations.usage import record_events
from billing.queries.books import invariants
from catalog.operations.taxes import set_plan_taxes
from config.kernel.history import HistoryRow
from config.kernel.ids import TypeID
from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Subscription
from customers.operations.plan_changes import change_plan
from tests.billing.changes import CHANGES, Sabotage
from tests.billing.sabotages import SABOTAGES, UNCHARGED
from tests.factories import (
    NOW,
    make_add_on,
    make_agent,
    make_charge,
    make_coupon,
    make_customer,
    make_event,
    make_gateway_mapping,
    make_metric,
    make_operator_key,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
    make_tax,
    make_wallet,
)

pytestmark = pytest.mark.django_db

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)

OUR_PACKAGES = {"billing", "catalog", "config", "credentials", "customers"}

#: Why these models keep no history: what they say never changes, or they are sums of what never changes.
WITHOUT_HISTORY = {
    "api.IdempotencyRecord": "the answer to one request, kept to be repeated as it was",
    "billing.BilledPeriod": "written once with its draft, and the invoice it stands on has a history",
    "billing.BillingCursor": "follows the billed periods, and verify_books compares them",
    "billing.DocumentCounter": "counts the numbered invoices, and verify_books compares them",
    "billing.InvoiceLine": "frozen with its invoice; a draft's lines are computed anew each time",
    "billing.LateUsage": "a mark that the next billing run removes",
    "billing.LedgerEntry": "is itself the append-only history of wallets and lots",
    "billing.MetricHour": "a roll-up of events, and verify_books compares them",
    "catalog.GatewayPace": "a budget of calls, no business",
    "billing.UsageEvent": "a fact, kept as it came",
    "billing.UsageHour": "a roll-up of events, and verify_books compares them",
    "billing.UsagePurge": "how far a job has come; who deleted the customer is in its history",
    "billing.UsageReassignment": "is itself the append-only history of events that moved",
    "billing.WalletLot": "its remainder is what the ledger says",
}


@pytest.fixture
def _house() -> None:
    """
    Furnish a house with one of everything.

    Two months of a customer with two final invoices, one partly paid; a draft in its grace; usage by subscription,
    by credential and of nobody; a change of plan; a wallet with a hold taken, and one open; plans with minimums, of
    which one period falls short, and with a maximum, which one period reaches.
    """
    calls = make_metric(event_type="call")
    tokens = make_metric(event_type="call", aggregation="SUM", property="tokens")
    plan = make_plan(charges=[make_charge(calls), make_charge(tokens, unit_amount="0.000001")])
    # What is subscribed from now on has a key at a gateway.
    make_gateway_mapping(product=plan.product)
    subscription = make_subscription(plan=plan)
    key = Credential.objects.get(subscription=subscription)
    patient = make_subscription(customer=make_customer(invoice_grace_days=60), plan=plan)
    events = [
        make_event(subscription, at=NOW + timedelta(hours=hours), now=MAY, properties={"tokens": 7 * hours})
        for hours in (1, 2, 30, 600)
    ]
    events += [
        make_event(subscription, at=NOW, now=MAY, credential=key.id),
        make_event(patient, at=NOW + timedelta(days=1), now=MAY, properties={"tokens": 5}),
        make_event(subscription, at=NOW, now=MAY, credential=TypeID.new("key"), type=UNCHARGED),
    ]
    events += [make_event(one, at=APRIL, now=MAY) for one in subscribed_within_bounds()]
    record_events(events, now=MAY)
    changed = make_subscription(plan=plan, bill_from=NOW + timedelta(minutes=30))
    change_plan(changed.id, plan=make_plan(amount=Decimal(310)).id, now=NOW + timedelta(hours=2))
    for month in (APRIL, MAY):
        bill_due(now=month)
    record_payment(Invoice.objects.finalized().earliest("number").id, amount=Decimal(5), now=MAY)

    wallet = make_wallet(customer=subscription.customer, balance="100")
    commit_hold(hold_funds(wallet.id, amount=Decimal(10), reference="done", now=NOW).id, now=NOW)
    hold_funds(wallet.id, amount=Decimal(20), reference="open", now=NOW)
    make_operator_key()
    make_product(openapi_url="https://example.com/openapi.json")
    make_agent()
    make_subscriber()
    tax = make_tax()
    make_add_on(taxes=[tax.id])
    set_plan_taxes(plan.id, taxes=[tax.id], now=NOW)
    make_coupon(plans=[plan.id])
    make_coupon(metrics=[calls.id])
    with connection.cursor() as cursor:
        # A table with constraints still to be checked cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def subscribed_within_bounds() -> list[Subscription]:
    """Return subscriptions that a call leaves below the minimums of its plan, and brings to the maximum of another."""
    calls = make_metric(event_type="call")
    terms = {"minimum_commitment": Decimal(300), "maximum_spend": Decimal(600), "amount": Decimal(200)}
    prices = [{"unit_amount": "1", "minimum_amount": Decimal(50)}, {"unit_amount": "500"}]
    plans = [make_plan(charges=[make_charge(calls, **price)], **terms) for price in prices]  # type: ignore[arg-type]
    return [make_subscription(plan=plan) for plan in plans]


def verify() -> str:
    """Return what the command prints about the books; raises ``CommandError`` with all of it where they are wrong."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("verify_books", stdout=out, stderr=err)
    except CommandError as failure:
        raise CommandError(err.getvalue(), returncode=failure.returncode) from failure
    return out.getvalue()


def commit(sabotage: Sabotage) -> set[str]:
    """Do it as the owner of the tables, past every trigger, and return what the broken rows are called."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in sabotage.before:
            cursor.execute(statement)
        cursor.execute(sabotage.sql)
        broken = {row for (row,) in cursor.fetchall()}
        cursor.execute("SET LOCAL session_replication_role = origin")
    return {TypeID.from_uuid(row, sabotage.prefix) if sabotage.prefix else str(row) for row in broken}


@pytest.mark.usefixtures("_house")
def test_the_books_of_a_house_in_use_are_right() -> None:
    assert verify().strip() == f"{len(SABOTAGES)} invariants hold"


def test_the_books_of_an_empty_house_are_right() -> None:
    assert "invariants hold" in verify()


@pytest.mark.usefixtures("_house")
@pytest.mark.parametrize(
    ("invariant", "sabotage"),
    [
        pytest.param(invariant, sabotage, id=f"{invariant}: {sabotage.what}")
        for invariant, sabotages in SABOTAGES.items()
        for sabotage in sabotages
    ],
)
def test_a_broken_invariant_is_named_with_its_row_and_no_other_is(invariant: str, sabotage: Sabotage) -> None:
    broken = commit(sabotage)
    assert broken, "the sabotage found nothing to break"

    with pytest.raises(CommandError) as failure:
        verify()

    named = {tuple(line.split()[:2]) for line in str(failure.value).splitlines() if line}
    assert failure.value.returncode == 1
    assert named == {(f"{invariant}:", row) for row in broken}


def test_every_invariant_has_a_sabotage() -> None:
    assert {one.name for one in invariants()} | {"finalized_invoices_unchanged"} == set(SABOTAGES)


def test_every_business_model_has_a_history_or_a_reason_for_none() -> None:
    tables = [model for model in apps.get_models() if not model._meta.proxy]
    ours = [model for model in tables if model.__module__.partition(".")[0] in OUR_PACKAGES]
    business = {model for model in ours if not issubclass(model, HistoryRow)}
    tracked = {model for model in business if hasattr(model, "history")}

    assert {model._meta.model_name for model in tracked} == set(CHANGES)
    assert {model._meta.label for model in business - tracked} == set(WITHOUT_HISTORY)


@pytest.mark.usefixtures("_house")
def test_a_breach_of_the_unclassified_customer_is_named_by_its_id() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE customers_customer SET name = 'X' WHERE id = %s", [UUID(int=0)])

    with pytest.raises(CommandError, match=f"customer_equals_its_history: {UNCLASSIFIED_ID}"):
        verify()

"""Statements over the API: what every customer owes, also those that owe nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from tests.factories import make_customer, make_hold, make_plan, make_subscription, make_wallet

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
NOTHING = {"current": 0, "1_30": 0, "31_60": 0, "61_90": 0, "90_plus": 0}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(APRIL, tick=False) as traveller:
        yield traveller


def owing(total: str = "100", **fields: Any) -> Customer:
    """Return a customer with the invoice of March, due on 1 May."""
    customer = make_customer(**fields)
    make_subscription(customer=customer, plan=make_plan(amount=Decimal(total)), starts_at=MARCH)
    bill_due(now=APRIL)
    return customer


def statement_of(api: APIClient, customer: Customer) -> Any:
    answer = api.get(f"/v1/customers/{customer.id}/statement")
    assert answer.status_code == 200
    return json.loads(answer.content, parse_float=Decimal)


def test_a_statement_tells_what_is_owed_and_what_is_there(api: APIClient) -> None:
    customer = owing("100", name="Acme")
    wallet = make_wallet(customer=customer, balance="20.50", now=APRIL)
    make_hold("5.25", wallet=wallet, now=APRIL)

    assert statement_of(api, customer) == {
        "customer": customer.id,
        "name": "Acme",
        "currency": "USD",
        "outstanding": 100,
        "open_invoices": 1,
        "overdue": 0,
        "overdue_invoices": 0,
        "ageing": {**NOTHING, "current": 100},
        "unapplied_credit": 0,
        "wallet_balance": Decimal("20.50"),
        "wallet_spendable": Decimal("15.25"),
        "customers": 1,
        "other_currencies": [],
    }


def test_a_hold_that_has_run_out_can_be_spent_again(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer()
    make_hold("5", wallet=make_wallet(customer=customer, balance="20", now=APRIL), now=APRIL)
    assert statement_of(api, customer)["wallet_spendable"] == 15

    clock.move_to(APRIL + timedelta(hours=1))

    assert statement_of(api, customer)["wallet_spendable"] == 20


AGES = [
    (timedelta(seconds=-1), "current", False),
    (timedelta(0), "1_30", True),
    (timedelta(days=30, seconds=-1), "1_30", True),
    (timedelta(days=30), "31_60", True),
    (timedelta(days=60), "61_90", True),
    (timedelta(days=90, seconds=-1), "61_90", True),
    (timedelta(days=90), "90_plus", True),
]


@pytest.mark.parametrize(("age", "bucket", "is_overdue"), AGES)
def test_the_balance_ages(
    api: APIClient, clock: time_machine.Traveller, age: timedelta, bucket: str, is_overdue: bool
) -> None:
    customer = owing("100")
    record_payment(Invoice.objects.get().id, amount=Decimal(40), now=APRIL)

    clock.move_to(MAY + age)

    found = statement_of(api, customer)
    assert found["ageing"] == {**NOTHING, bucket: 60}
    assert (found["outstanding"], found["overdue"], found["overdue_invoices"]) == (60, 60 * is_overdue, 1 * is_overdue)


def test_what_is_paid_beyond_is_credit(api: APIClient) -> None:
    customer = owing("100")
    record_payment(Invoice.objects.get().id, amount=Decimal("100.75"), now=APRIL)

    found = statement_of(api, customer)

    assert (found["outstanding"], found["open_invoices"], found["unapplied_credit"]) == (0, 0, Decimal("0.75"))


def test_drafts_and_invoices_over_nothing_are_not_owed(api: APIClient) -> None:
    for customer in (owing("100", invoice_grace_days=3), owing("0")):
        found = statement_of(api, customer)
        assert (found["outstanding"], found["open_invoices"]) == (0, 0)


def listed(api: APIClient, **parameters: str) -> list[tuple[str, Any]]:
    """Return customers and what they owe, in the order of the list."""
    answer = api.get("/v1/statements", parameters).json()
    assert answer["pagination"]["total"] == len(answer["data"])
    return [(one["customer"], one["outstanding"]) for one in answer["data"]]


def test_every_living_customer_is_listed_also_those_that_owe_nothing(api: APIClient) -> None:
    deleted = make_customer()
    delete_customer(deleted.id, confirm=True, now=APRIL)
    customers = [owing("100", now=MARCH), make_customer(now=MARCH + timedelta(days=1)), owing("50", now=APRIL)]

    found = listed(api)

    assert found == [(customers[2].id, 50), (customers[1].id, 0), (customers[0].id, 100)]


def test_statements_are_filtered(api: APIClient) -> None:
    acme, other = make_customer(name="Acme Corporation"), make_customer(name="Other")

    assert listed(api, search="acme") == [(acme.id, 0)]
    assert listed(api, customer=other.id) == [(other.id, 0)]
    assert listed(api, customer="cust_01h455vb4pex5vsknk084sn02q") == []
    assert listed(api, customer=str(UNCLASSIFIED_ID)) == []
    assert api.get("/v1/statements?customer=acme").json()["error"]["code"] == "invalid_customer"
    assert api.get("/v1/statements?currency=USD").json()["error"]["code"] == "unknown_field"


def test_statements_come_in_pages(api: APIClient) -> None:
    customers = {make_customer(now=MARCH + timedelta(hours=n)).id for n in range(5)}

    first = api.get("/v1/statements?limit=3").json()
    second = api.get("/v1/statements", {"limit": 3, "cursor": first["pagination"]["next_cursor"]}).json()

    assert first["pagination"]["total"] == 5
    assert {one["customer"] for one in [*first["data"], *second["data"]]} == customers


def test_who_is_not_there_has_no_statement(api: APIClient) -> None:
    deleted = make_customer()
    delete_customer(deleted.id, confirm=True, now=APRIL)

    for pk in ("x", "cust_01h455vb4pex5vsknk084sn02q", deleted.id, UNCLASSIFIED_ID):
        answer = api.get(f"/v1/customers/{pk}/statement")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "customer_not_found")
    assert api.post("/v1/statements", {}).status_code == 405

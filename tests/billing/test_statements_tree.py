"""Statements of trees: what is owed by a customer and everybody below it, over the API and at the desk."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from billing.queries.statements import statements_of
from customers.models import Customer
from customers.operations.deletion import DeletionMode, delete_customer
from tests.factories import make_customer, make_hold, make_plan, make_subscription, make_wallet

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(APRIL, tick=False) as traveller:
        yield traveller


def owing(total: str, *, currency: str = "USD", **fields: Any) -> Customer:
    """Return a customer with the invoice of March, due on 1 May."""
    customer = make_customer(currency=currency, **fields)
    plan = make_plan(amount=Decimal(total), currency=currency)
    make_subscription(customer=customer, plan=plan, starts_at=MARCH)
    bill_due(now=APRIL)
    return customer


def statement_of(api: APIClient, customer: Customer, **parameters: str) -> Any:
    answer = api.get(f"/v1/customers/{customer.id}/statement", parameters)
    assert answer.status_code == 200
    return json.loads(answer.content, parse_float=Decimal)


def figures_of(statement: Any) -> tuple[Any, ...]:
    return statement["customers"], statement["outstanding"], statement["open_invoices"]


def test_a_statement_holds_everything_below_only_where_that_is_asked_for(api: APIClient) -> None:
    root = owing("100")
    child = owing("20", parent=root.id)
    grandchild = owing("3", parent=child.id)
    owing("1000")

    rolled_up = [figures_of(statement_of(api, one, include_children="true")) for one in (root, child, grandchild)]

    assert rolled_up == [(3, 123, 3), (2, 23, 2), (1, 3, 1)]
    assert figures_of(statement_of(api, root)) == (1, 100, 1)
    assert figures_of(statement_of(api, root, include_children="false")) == (1, 100, 1)


def test_the_ageing_of_a_tree_holds_each_invoice_by_its_own_age(api: APIClient, clock: time_machine.Traveller) -> None:
    root = owing("100", net_payment_term_days=0)
    owing("20", parent=root.id, net_payment_term_days=45)
    owing("3", parent=root.id, net_payment_term_days=120)

    clock.move_to(APRIL + timedelta(days=46))
    found = statement_of(api, root, include_children="true")

    assert found["ageing"] == {"current": 3, "1_30": 20, "31_60": 100, "61_90": 0, "90_plus": 0}
    assert (found["overdue"], found["overdue_invoices"], found["outstanding"]) == (120, 2, 123)


def test_credit_and_wallets_are_rolled_up_too(api: APIClient) -> None:
    root = make_customer()
    child = owing("100", parent=root.id)
    record_payment(Invoice.objects.get().id, amount=Decimal("100.75"), now=APRIL)
    wallet = make_wallet(customer=child, balance="20", now=APRIL)
    make_hold("5", wallet=wallet, now=APRIL)
    make_wallet(customer=root, balance="1", now=APRIL)

    found = statement_of(api, root, include_children="true")

    assert (found["unapplied_credit"], found["wallet_balance"], found["wallet_spendable"]) == (Decimal("0.75"), 21, 16)


def test_other_currencies_stand_beside_the_customers_own(api: APIClient) -> None:
    root = owing("100")
    owing("20", currency="EUR", parent=root.id)
    owing("300", currency="JPY", parent=root.id)
    owing("4", currency="EUR", parent=root.id)

    found = statement_of(api, root, include_children="true")

    assert (found["currency"], *figures_of(found)) == ("USD", 4, 100, 1)
    others = [(one["currency"], one["outstanding"], one["ageing"]["current"]) for one in found["other_currencies"]]
    assert others == [("EUR", 24, 24), ("JPY", 300, 300)]


def test_a_wallet_in_another_currency_is_shown_where_it_holds_anything(api: APIClient) -> None:
    customer = make_customer()
    make_wallet(customer=customer, currency="EUR", balance="0", now=APRIL)
    assert statement_of(api, customer)["other_currencies"] == []

    make_wallet(customer=customer, currency="CHF", balance="7", now=APRIL)

    [other] = statement_of(api, customer)["other_currencies"]
    assert (other["currency"], other["wallet_spendable"], other["outstanding"]) == ("CHF", 7, 0)


def test_what_a_deleted_customer_still_owes_is_not_its_parents(api: APIClient) -> None:
    root = owing("100")
    deleted = owing("20", parent=root.id)
    kept = owing("3", parent=root.id)
    delete_customer(deleted.id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL)
    assert Invoice.objects.open().filter(customer=deleted).exists()

    assert figures_of(statement_of(api, root, include_children="true")) == (2, 103, 2)
    assert figures_of(statement_of(api, kept, include_children="true")) == (1, 3, 1)
    listed = {one["customer"] for one in api.get("/v1/statements?include_children=true").json()["data"]}
    assert listed == {root.id, kept.id}


def test_in_the_list_everybody_has_their_own_tree(api: APIClient) -> None:
    root = owing("100")
    child = owing("20", parent=root.id)
    alone = owing("3")

    found = api.get("/v1/statements", {"include_children": "true"}).json()["data"]
    own = api.get("/v1/statements").json()["data"]

    expected = {root.id: (2, 120, 2), child.id: (1, 20, 1), alone.id: (1, 3, 1)}
    assert {one["customer"]: figures_of(one) for one in found} == expected
    assert {one["customer"]: one["outstanding"] for one in own} == {root.id: 100, child.id: 20, alone.id: 3}
    [one] = api.get("/v1/statements", {"include_children": "true", "customer": child.id}).json()["data"]
    assert figures_of(one) == (1, 20, 1)


def test_what_is_asked_is_true_or_false(api: APIClient) -> None:
    customer = make_customer()

    for path in ("/v1/statements", f"/v1/customers/{customer.id}/statement"):
        answer = api.get(path, {"include_children": "perhaps"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_include_children")
        assert api.get(path, {"include_children": "true"}).status_code == 200


def test_a_page_of_trees_takes_four_queries_however_many_customers() -> None:
    root = make_customer()
    for _ in range(5):
        make_customer(parent=make_customer(parent=root.id).id)
    customers = list(Customer.objects.real())

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = statements_of(customers, include_children=True, now=APRIL)

    assert len(queries) == 4
    assert sorted(one.customers for one in found) == [1] * 5 + [2] * 5 + [11]
    with CaptureQueriesContext(connection) as queries:
        statements_of(customers, now=APRIL)
    assert len(queries) == 3


def list_page(desk: Client, **parameters: str) -> str:
    page = desk.get(reverse("admin:billing_customerstatement_changelist"), parameters)
    assert page.status_code == 200
    return str(page.content.decode())


def own_page(desk: Client, customer: Customer) -> str:
    page = desk.get(reverse("admin:billing_customerstatement_change", args=[quote(customer.pk)]))
    assert page.status_code == 200
    return str(page.content.decode())


def test_the_desk_lists_trees_where_it_asks_for_everything_below(desk: Client) -> None:
    root = owing("100", name="Acme")
    owing("20", parent=root.id, name="Acme Labs")
    owing("7", parent=root.id, name="Acme Tokyo", currency="JPY")

    alone, rolled_up = list_page(desk, q="acme"), list_page(desk, q="acme", include="below")

    assert "$100.00" in alone
    assert "$120.00" not in alone
    assert "$120.00" in rolled_up
    assert "¥7" in rolled_up
    assert "Include everything below" in alone


def test_the_page_of_a_customer_shows_its_own_figures_and_those_of_its_tree(desk: Client) -> None:
    root = owing("100")
    leaf = owing("20", parent=root.id)

    page = own_page(desk, root)

    assert "With everything below" in page
    assert "$100.00" in page
    assert "$120.00" in page
    assert "With everything below" not in own_page(desk, leaf)


def test_the_list_sorts_by_nothing_the_database_does_not_hold(desk: Client) -> None:
    owing("100", name="Acme")

    for column in range(1, 9):
        assert "Acme" in list_page(desk, o=str(column))


def test_unpaid_invoices_are_linked_where_the_figures_hold_any(desk: Client) -> None:
    root = make_customer(name="Acme")
    leaf, stranger = owing("20", parent=root.id), owing("5")
    make_customer(name="Owes nothing")

    def invoices_behind(page: str) -> list[set[str]]:
        links = re.findall(r'href="([^"]+payment=open)"', page)
        lists = [desk.get(html.unescape(link)).context["cl"].result_list for link in links]
        return [{invoice.customer_id for invoice in found} for found in lists]

    assert sorted(invoices_behind(list_page(desk)), key=str) == sorted([{leaf.pk}, {stranger.pk}], key=str)
    rolled_up = invoices_behind(list_page(desk, include="below"))
    assert sorted(rolled_up, key=str) == sorted([{leaf.pk}, {leaf.pk}, {stranger.pk}], key=str)

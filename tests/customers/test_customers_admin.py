"""Customers at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.suspension import suspend_customer
from tests.factories import NOW, make_customer, make_subscription, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What a browser sends of the form of a customer, and for the rows shown below it.
FIELDS = {
    "name": "Acme", "email": "acme@example.com", "external_id": "", "tier": "free", "currency": "USD",
    "timezone": "Europe/Paris", "net_payment_term_days": "30", "invoice_grace_days": "0", "billing_mode": "POSTPAID",
    "payment_provider": "manual", "metadata-key": ["", ""], "metadata-value": ["", ""],
}  # fmt: skip
NO_ROWS = {
    f"{prefix}-{name}": "0"
    for prefix in ("subscriptions", "teams", "subscribers", "credentials")
    for name in ("TOTAL_FORMS", "INITIAL_FORMS")
}  # fmt: skip


def metadata(*rows: tuple[str, str]) -> dict[str, list[str]]:
    """Return what a browser sends for the rows of the metadata, a blank one included."""
    boxes = [*rows, ("", "")]
    return {"metadata-key": [key for key, _ in boxes], "metadata-value": [value for _, value in boxes]}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_customer_{page}", args=arguments)


def buttons(response: Any) -> list[str]:
    return [one["title"] for menu in response.context["actions_detail"] for one in menu["items"]]


def test_every_page_opens(desk: Client, reader: Client) -> None:
    customer = make_subscription(customer=make_customer(name="Acme", metadata={"region": "EMEA"})).customer

    for browser in (desk, reader):
        assert "Acme" in browser.get(url("changelist")).content.decode()
        assert browser.get(url("change", customer.pk)).status_code == 200
        assert browser.get(url("history", customer.pk)).status_code == 200
    assert "region = EMEA" in reader.get(url("change", customer.pk)).content.decode()
    assert desk.get(url("add")).status_code == 200
    assert reader.get(url("add")).status_code == 403


def test_adding_a_customer_goes_through_the_operation(desk: Client) -> None:
    desk.post(url("add"), {**FIELDS, **metadata(("region", "EMEA"), ("", ""), (" plan ", "a=b"))})

    customer = Customer.objects.get(name="Acme")
    assert (customer.timezone, customer.external_id, customer.created_at) == ("Europe/Paris", None, NOW)
    assert customer.metadata == {"region": "EMEA", "plan": "a=b"}
    assert [row.history_actor for row in customer.history.all()] == ["olga"]


def test_the_first_key_is_shown_once_where_one_was_asked_for(desk: Client) -> None:
    response = desk.post(url("add"), {**FIELDS, "with_key": "on"})

    customer = Customer.objects.get(name="Acme")
    secret = response.context["issued"][0].shown_once["key"]
    pages = [desk.get(url(name, customer.pk)).content.decode() for name in ("change", "history")]
    assert secret in response.content.decode()
    assert not any(secret in page for page in pages)


@pytest.mark.parametrize(
    ("taken", "field", "sentence"),
    [
        ({"email": "ACME@example.com"}, "email", "A customer with email 'acme@example.com' already exists"),
        ({"external_id": "crm-1"}, "external_id", "A customer with external id 'crm-1' already exists"),
    ],
)
def test_a_refused_customer_keeps_what_was_typed(
    desk: Client, taken: dict[str, Any], field: str, sentence: str
) -> None:
    make_customer(**taken)

    response = desk.post(url("add"), {**FIELDS, "external_id": "crm-1", **metadata(("region", "EMEA"))})

    assert response.context["adminform"].form.errors == {field: [sentence]}
    assert 'value="EMEA"' in response.content.decode()
    assert not Customer.objects.filter(name="Acme").exists()


def test_a_change_writes_one_row_with_its_reason(desk: Client) -> None:
    customer = make_customer(timezone="UTC")

    desk.post(url("change", customer.pk), {**FIELDS, **NO_ROWS, "change_reason": "Merger"})

    customer.refresh_from_db()
    row = customer.history.latest("history_id")
    assert (customer.name, customer.timezone, customer.history.count()) == ("Acme", "Europe/Paris", 2)
    assert (row.history_actor, row.history_change_reason) == ("olga", "Merger")


def test_saving_without_a_change_writes_nothing(desk: Client) -> None:
    customer = make_customer(name="Acme", email="acme@example.com", timezone="Europe/Paris")

    desk.post(url("change", customer.pk), {**FIELDS, **NO_ROWS})

    assert customer.history.count() == 1


@pytest.mark.parametrize(
    ("assign", "reason"),
    [(make_subscription, "subscriptions"), (make_wallet, "wallets")],
    ids=["subscription", "wallet"],
)
def test_currency_and_external_id_are_locked_with_the_reason_once_something_is_assigned(
    desk: Client, assign: Callable[..., Any], reason: str
) -> None:
    customer = assign(customer=make_customer(external_id="crm-1")).customer
    free = make_customer()

    page = desk.get(url("change", customer.pk)).content.decode()
    desk.post(url("change", customer.pk), {**FIELDS, **NO_ROWS, "currency": "EUR", "external_id": "crm-2"})

    customer.refresh_from_db()
    assert (customer.name, customer.currency, customer.external_id) == ("Acme", "USD", "crm-1")
    assert page.count(f"Locked, because the customer has {reason}.") == 2
    assert 'name="currency"' not in page
    assert 'name="currency"' in desk.get(url("change", free.pk)).content.decode()


def test_the_bucket_for_unknown_customers_is_shown_and_stays(desk: Client) -> None:
    page = desk.get(url("change", UNCLASSIFIED_ID))

    assert "usage whose customer is not known" in page.content.decode()
    assert 'name="email"' not in page.content.decode()
    assert buttons(page) == []
    assert desk.post(url("change", UNCLASSIFIED_ID), {**FIELDS, **NO_ROWS}).status_code == 403
    for name in ("suspend", "delete"):
        desk.post(url(name, UNCLASSIFIED_ID), {"confirmed": "yes", "reason": "x", "confirm": "on"})
    assert Customer.objects.live().with_access(NOW).filter(pk=UNCLASSIFIED_ID, name="UNCLASSIFIED").exists()


def test_the_list_is_filtered_by_the_status_now_and_searched_by_words(desk: Client) -> None:
    make_customer(name="Blue Whale", tier="startup")
    suspended = make_customer(name="Red Panda")
    suspend_customer(suspended.pk, now=NOW)
    over = make_customer(name="Red Kite")
    suspend_customer(over.pk, until=NOW + timedelta(minutes=1), now=NOW)

    def found(**query: str) -> set[str]:
        return {one.name for one in desk.get(url("changelist"), query).context["cl"].result_list} - {"UNCLASSIFIED"}

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        assert found(status="suspended") == {"Red Panda"}
        assert found(status="active") == {"Blue Whale", "Red Kite"}
    assert found(tier__exact="startup") == {"Blue Whale"}
    assert found(q="red pan") == {"Red Panda"}


def test_a_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_subscription(customer=make_customer(parent=make_customer().pk))

    with django_assert_max_num_queries(8):
        desk.get(url("changelist"))
    with django_assert_max_num_queries(9):
        desk.get(reverse("admin:customers_subscription_changelist"))

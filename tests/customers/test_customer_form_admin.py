"""Every field of a customer at the desk: filled in, changed, emptied, refused beside itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from tests.customers.test_customers_admin import FIELDS, NO_ROWS, url
from tests.factories import NOW, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What an operator types, and what is kept of it where it is something else.
TYPED: dict[str, Any] = {
    "name": "Acme GmbH", "email": "office@acme.example", "external_id": "crm-7", "tier": "startup", "currency": "EUR",
    "timezone": "Europe/Berlin", "daily_requests": "5000", "rate_limit": "", "max_tokens_per_request": "100",
    "legal_name": "Acme Holding GmbH", "tax_id": "DE123456789", "address_line1": "Hauptstraße 1",
    "address_line2": "Hof", "address_city": "Berlin", "address_state": "BE", "address_zip": "10115",
    "address_country": "DE", "billing_email": "bills@acme.example", "billing_phone": "+49 30 1234",
    "remittance_instructions": "IBAN DE02 1203 0000 0000 2020 51", "payment_provider": "stripe",
    "billing_mode": "HYBRID", "net_payment_term_days": "14", "invoice_grace_days": "3",
    "associated_domains": "Acme.com, acme.de\r\nacme.com", "storefront_url": "https://shop.acme.example/",
}  # fmt: skip
KEPT = {
    **TYPED, "daily_requests": 5000, "rate_limit": None, "max_tokens_per_request": 100, "net_payment_term_days": 14,
    "invoice_grace_days": 3, "associated_domains": ["acme.com", "acme.de"],
}  # fmt: skip


def kept_of(customer: Customer) -> dict[str, Any]:
    customer.refresh_from_db()
    return {name: getattr(customer, name) for name in KEPT}


def change(desk: Client, customer: Customer, **typed: Any) -> Any:
    fields = {**FIELDS, "name": customer.name, "email": customer.email, "timezone": "UTC"}
    response = desk.post(url("change", customer.pk), {**fields, **NO_ROWS, **typed})
    customer.refresh_from_db()
    return response


def errors_of(response: Any) -> Any:
    return response.context["adminform"].form.errors


def test_every_field_is_asked_for_and_kept(desk: Client) -> None:
    parent = make_customer()

    desk.post(url("add"), {**FIELDS, **TYPED, "parent": parent.pk})

    customer = Customer.objects.get(name="Acme GmbH")
    assert kept_of(customer) == KEPT
    assert customer.parent == parent


def test_a_form_that_is_sent_back_as_it_was_shown_changes_nothing(desk: Client) -> None:
    parent = make_customer()
    desk.post(url("add"), {**FIELDS, **TYPED, "parent": parent.pk})
    customer = Customer.objects.get(name="Acme GmbH")

    form = desk.get(url("change", customer.pk)).context["adminform"].form
    shown = {field.name: field.value() for field in form if field.name != "metadata" and field.value() is not None}
    desk.post(url("change", customer.pk), {**FIELDS, **NO_ROWS, **shown})

    assert kept_of(customer) == KEPT
    assert customer.history.count() == 1


def test_what_is_emptied_is_gone(desk: Client) -> None:
    customer = make_customer(
        parent=make_customer().pk, daily_requests=5, associated_domains=["acme.com"], address_country="DE"
    )

    change(desk, customer, parent="", daily_requests="", associated_domains="", address_country="")

    assert (customer.parent, customer.daily_requests) == (None, None)
    assert (customer.associated_domains, customer.address_country) == ([], "")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("associated_domains", "acme.com, -acme-!", "“-acme-!” is not a domain name"),
        ("daily_requests", "0", "Ensure this value is greater than or equal to 1."),
        ("address_country", "XX", "Select a valid choice. XX is not one of the available choices."),
        ("storefront_url", "javascript:alert(1)", "Enter a valid URL."),
        ("currency", "EURO", "Ensure this value has at most 3 characters (it has 4)."),
        ("billing_email", "bills", "Enter a valid email address."),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_its_field(desk: Client, field: str, typed: str, sentence: str) -> None:
    customer = make_customer()

    response = change(desk, customer, **{field: typed})

    assert errors_of(response)[field][0] == sentence
    assert list(errors_of(response)) == [field]
    assert customer.history.count() == 1


def test_the_help_of_a_limit_names_what_each_tier_allows(desk: Client) -> None:
    page = desk.get(url("add")).content.decode()

    assert "Empty for the tier's: Free 1,000, Developer 10,000, Startup 100,000, Enterprise 1,000,000." in page


def test_a_parent_that_would_close_a_circle_is_refused_beside_its_field_and_another_is_not(desk: Client) -> None:
    top = make_customer()
    child = make_customer(parent=top.pk)
    other = make_customer()

    for parent in (top, child):
        assert errors_of(change(desk, top, parent=parent.pk)) == {"parent": ["A customer cannot stand below itself"]}
        assert top.parent is None
    change(desk, top, parent=other.pk)

    assert top.parent == other


@pytest.mark.parametrize("kind", ["deleted", "system"])
def test_a_customer_stands_below_live_customers_only(desk: Client, kind: str) -> None:
    gone = delete_customer(make_customer().pk, confirm=True, now=NOW).pk
    customer = make_customer()

    response = change(desk, customer, parent=gone if kind == "deleted" else UNCLASSIFIED_ID)

    assert list(errors_of(response)) == ["parent"]
    assert customer.parent is None


def test_a_reader_reads_every_field(reader: Client) -> None:
    parent = make_customer(name="Acme Group")
    customer = make_customer(
        parent=parent.pk, associated_domains=["acme.com", "acme.de"], address_city="Berlin", metadata={"seats": 12}
    )

    page = reader.get(url("change", customer.pk)).content.decode()

    for shown in ("Acme Group", "acme.com, acme.de", "Berlin", "seats = 12"):
        assert shown in page
    assert "metadata-key" not in page

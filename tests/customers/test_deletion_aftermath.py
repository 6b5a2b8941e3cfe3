"""After the deletion: the customer is nowhere any more, its names are free, its invoices stay and can be paid."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing.documents import content_hash
from billing.models import Invoice
from billing.operations.invoices import finalize_invoice
from billing.operations.payments import record_payment
from billing.queries.books import breaches
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.models import Customer
from customers.operations.customers import update_customer
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.status import deactivate_customer
from customers.operations.suspension import suspend_customer
from tests.api_client import code_of, ids_of
from tests.billing.bills import MARCH, draft, metered, use
from tests.factories import NOW, make_customer, make_subscription, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

NOT_FOUND = (404, "customer_not_found")
ADDRESS: dict[str, Any] = {
    "address_line1": "1 High Street", "address_city": "London", "address_zip": "N1 9GU", "address_country": "GB",
}  # fmt: skip


def terminated(customer: Customer) -> Customer:
    return delete_customer(customer.id, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "", None),
        ("patch", "", {"name": "New"}),
        ("delete", "", None),
        ("delete", "?mode=terminate&confirm=true", None),
        ("get", "/deletion-check", None),
        ("post", "/suspend", {}),
        ("post", "/reactivate", None),
        ("get", "/usage", None),
        ("get", "/current-usage", None),
        ("get", "/statement", None),
        ("get", "/api-keys", None),
        ("post", "/api-keys", {"name": "K", "scopes": ["*"]}),
    ],
)
def test_nothing_below_a_deleted_customer_is_found(
    api: APIClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    customer = terminated(make_subscription().customer)

    assert code_of(getattr(api, method)(f"/v1/customers/{customer.id}{path}", body)) == NOT_FOUND


def test_a_key_of_a_deleted_customer_is_on_no_list_and_cannot_be_touched(api: APIClient) -> None:
    gone, alive = make_customer(), make_customer()
    keys = [issue_customer_key(one.id, name="K", scopes=["*"], now=NOW) for one in (gone, alive)]
    terminated(gone)

    assert ids_of(api.get("/v1/credentials")) == [keys[1].id]
    assert ids_of(api.get(f"/v1/credentials?customer={gone.id}")) == []
    assert code_of(api.get(f"/v1/credentials/{keys[0].id}"))[0] == 404
    assert code_of(api.post(f"/v1/credentials/{keys[0].id}/revoke"))[0] == 404
    assert code_of(api.delete(f"/v1/customers/{gone.id}/api-keys/{keys[0].id}")) == NOT_FOUND


def test_a_deleted_customer_is_on_no_list(api: APIClient) -> None:
    gone, alive = make_customer(), make_customer()
    terminated(gone)

    assert ids_of(api.get("/v1/customers")) == [alive.id]
    assert [row["customer"] for row in api.get("/v1/statements").json()["data"]] == [alive.id]


def test_a_subscription_of_a_deleted_customer_is_on_no_list_and_read_by_the_id_that_its_invoices_name(
    api: APIClient,
) -> None:
    gone, alive = make_subscription(), make_subscription()
    terminated(gone.customer)

    assert ids_of(api.get("/v1/subscriptions")) == [alive.id]
    assert ids_of(api.get(f"/v1/subscriptions?customer={gone.customer_id}")) == []
    read = api.get(f"/v1/subscriptions/{gone.id}").json()
    assert (read["id"], read["customer"], read["status"]) == (gone.id, gone.customer_id, "terminated")
    assert code_of(api.patch(f"/v1/subscriptions/{gone.id}", {"name": "New"})) == (409, "subscription_ended")


@pytest.mark.parametrize("kind", ["teams", "subscribers"])
def test_the_units_of_a_deleted_customer_are_gone_with_it(api: APIClient, kind: str) -> None:
    customer = make_customer()
    body = {"customer": customer.id, "name": "R&D"} if kind == "teams" else {"customer": customer.id, "email": "a@b.cd"}
    made = api.post(f"/v1/{kind}", body)
    assert made.status_code == 201
    assert api.get(f"/v1/{kind}/{made.json()['id']}").status_code == 200
    terminated(customer)

    assert code_of(api.get(f"/v1/{kind}/{made.json()['id']}"))[0] == 404
    assert ids_of(api.get(f"/v1/{kind}")) == []


def test_nobody_subscribes_or_funds_a_deleted_customer(api: APIClient) -> None:
    subscription = make_subscription()
    wallet = make_wallet(customer=subscription.customer)
    gone = terminated(subscription.customer)

    assert code_of(api.post("/v1/subscriptions", {"customer": gone.id, "plan": subscription.plan_id})) == NOT_FOUND
    assert code_of(api.post("/v1/wallets", {"customer": gone.id})) == NOT_FOUND
    assert code_of(api.post(f"/v1/wallets/{wallet.id}/fund", {"amount": "5"})) == (409, "wallet_closed")


def test_email_and_external_id_are_free_again_and_belong_to_the_new_one(api: APIClient) -> None:
    names: dict[str, Any] = {"email": "bob@acme.com", "external_id": "crm-1"}
    old = make_customer(**names)
    assert code_of(api.post("/v1/customers", {"name": "New", **names}))[0] == 409
    terminated(old)

    new = api.post("/v1/customers", {"name": "New", "email": "BOB@acme.com", "external_id": "crm-1"})

    assert new.status_code == 201
    assert ids_of(api.get("/v1/customers?external_id=crm-1")) == [new.json()["id"]]
    assert terminated(Customer.objects.get(pk=new.json()["id"])).email == "BOB@acme.com"
    assert Customer.objects.filter(external_id="crm-1").count() == 2


@pytest.mark.parametrize("switch_off", [suspend_customer, deactivate_customer])
def test_a_customer_whose_access_is_off_can_be_deleted(api: APIClient, switch_off: Any) -> None:
    customer = make_customer()
    switch_off(customer.id, now=NOW)

    assert api.delete(f"/v1/customers/{customer.id}").status_code == 200


def test_an_invoice_keeps_whom_it_was_made_out_to_when_the_customer_moves_and_goes(api: APIClient) -> None:
    identity: dict[str, Any] = {
        "name": "Acme", "legal_name": "Acme Ltd", "tax_id": "GB123", "billing_email": "bills@acme.com",
        "billing_phone": "+44 20 1234", "remittance_instructions": "IBAN GB00\nBIC X", "external_id": "crm-1",
        **ADDRESS,
    }  # fmt: skip
    subscription = metered(customer=make_customer(**identity))
    use(subscription, MARCH, now=NOW)
    customer = subscription.customer
    terminated(customer)
    invoice = Invoice.objects.get()
    expected = {
        "customer": customer.id, "external_id": "crm-1", "name": "Acme", "legal_name": "Acme Ltd",
        "email": "bills@acme.com", "phone": "+44 20 1234", "tax_id": "GB123",
        "address": {"line1": "1 High Street", "line2": "", "city": "London", "state": "", "zip": "N1 9GU",
                    "country": "GB"},
        "remittance_instructions": "IBAN GB00\nBIC X",
    }  # fmt: skip

    assert api.get(f"/v1/invoices/{invoice.id}").json()["billed_to"] == expected
    assert ids_of(api.get(f"/v1/invoices?customer={customer.id}")) == [invoice.id]
    assert list(breaches()) == []


def test_an_invoice_does_not_follow_the_address_but_a_draft_does() -> None:
    invoice, subscription = draft()
    customer = update_customer(subscription.customer_id, now=NOW, **ADDRESS)
    assert finalize_invoice(invoice.id, now=NOW).billed_to["address"] == customer.address

    update_customer(customer.id, now=NOW, address_city="Leeds")

    invoice.refresh_from_db()
    assert invoice.billed_to["address"]["city"] == "London"
    assert list(breaches()) == []


def test_the_hash_of_an_invoice_covers_whom_it_is_made_out_to() -> None:
    invoice, subscription = draft()
    update_customer(subscription.customer_id, now=NOW, **ADDRESS)
    finalized = finalize_invoice(invoice.id, now=NOW)
    finalized.billed_to["address"]["city"] = "Leeds"

    lines = list(finalized.lines.order_by("position"))
    assert content_hash(finalized, lines) != finalized.content_hash
    finalized.refresh_from_db()
    assert content_hash(finalized, lines) == finalized.content_hash


def test_the_desk_shows_the_invoice_of_a_deleted_customer_and_takes_its_payment(desk: Client) -> None:
    customer = make_customer(legal_name="Acme & Sons", remittance_instructions="IBAN GB00", **ADDRESS)
    subscription = metered(customer=customer)
    use(subscription, MARCH, now=NOW)
    terminated(customer)
    invoice = Invoice.objects.get()

    page = desk.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    assert all(text in page for text in ("Acme &amp; Sons", "1 High Street", "N1 9GU London", "IBAN GB00"))
    assert invoice.number is not None
    assert invoice.number in desk.get(reverse("admin:billing_invoice_changelist")).content.decode()

    address = reverse("admin:billing_invoice_pay", args=[invoice.pk])
    desk.post(address, {"confirmed": "yes", "amount": "1", "method": "bank_transfer"})
    invoice.refresh_from_db()
    assert invoice.amount_due == 0


def test_payments_are_taken_over_the_api_after_the_deletion(api: APIClient) -> None:
    subscription = metered(unit_amount="10")
    use(subscription, MARCH, now=NOW)
    terminated(subscription.customer)
    invoice = Invoice.objects.get()
    path = f"/v1/invoices/{invoice.id}"

    part = api.post(f"{path}/payments", {"amount": "4"})
    assert part.status_code == 201
    assert api.get(path).json()["payment_status"] == "partial"
    record_payment(invoice.id, amount=Decimal(6), now=NOW + timedelta(days=90))

    assert api.get(path).json()["payment_status"] == "paid"
    assert code_of(api.post(f"{path}/payments", {"amount": "1"})) == (409, "invoice_not_open")
    assert list(breaches()) == []


def test_no_secret_lets_anybody_in_any_more(api: APIClient) -> None:
    customer = make_customer()
    key = api.post(f"/v1/customers/{customer.id}/api-keys", {"name": "K", "scopes": ["*"]}).json()["key"]
    assert api.post("/v1/credentials/verify", {"key": key}).json()["valid"] is True
    terminated(customer)

    verdict = api.post("/v1/credentials/verify", {"key": key}).json()

    assert (verdict["valid"], verdict["code"]) == (False, "not_found")
    assert Credential.objects.filter(digest__isnull=False).count() == 0

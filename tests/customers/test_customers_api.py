"""Customers over the API: created, read, changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from tests.api_client import code_of, error_of, refusal_of
from tests.factories import NOW, make_customer, make_operator_key, make_subscription, make_wallet

pytestmark = pytest.mark.django_db

SEED = {
    "name": "Tech Startup PH",
    "email": "founder@techstartup.ph",
    "tier": "startup",
    "metadata": {"industry": "SaaS", "employees": 25, "region": "Cebu"},
}

#: A well-formed id of no customer.
NOBODY = "cust_01h455vb4pex5vsknk084sn02q"

#: What only the answer to a single GET has, of a customer that has used nothing.
UNUSED = {"requests_this_month": 0, "tokens_this_month": 0, "credits_remaining": 0}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_customer_is_created_with_its_first_key_and_read_without(api: APIClient) -> None:
    created = api.post("/v1/customers", SEED)
    customer = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/customers/{customer['id']}"
    assert re.fullmatch("cust_[0-9a-z]{26}", customer["id"])
    assert re.fullmatch("sk-cust-[0-9a-f]{32}", customer["api_key"])
    assert customer == {
        **SEED, "id": customer["id"], "status": "active", "external_id": None, "parent": None, "currency": "USD",
        "timezone": "UTC",
        "limits": {"daily_requests": 100_000, "rate_limit": 1_000, "max_tokens_per_request": 16_384},
        "legal_name": "", "tax_id": "",
        "address": {"line1": "", "line2": "", "city": "", "state": "", "zip": "", "country": ""},
        "billing_email": "", "billing_phone": "", "remittance_instructions": "", "payment_provider": "manual",
        "billing_mode": "POSTPAID", "net_payment_term_days": 30, "invoice_grace_days": 0, "associated_domains": [],
        "storefront_url": "", "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
        "api_key": customer["api_key"],
    }  # fmt: skip

    read = api.get(created["Location"])
    assert read.status_code == 200
    assert read["ETag"] == created["ETag"]
    kept = {name: value for name, value in customer.items() if name != "api_key"}
    assert read.json() == {**kept, "last_active": None, "usage": UNUSED}


def test_a_name_and_an_email_suffice(api: APIClient) -> None:
    created = api.post("/v1/customers", {"name": "A", "email": "a@example.com"})

    assert created.status_code == 201
    assert (created.json()["tier"], created.json()["metadata"]) == ("free", {})


def test_a_customer_is_created_without_a_key_when_none_is_wanted(api: APIClient) -> None:
    created = api.post("/v1/customers", {**SEED, "create_api_key": False})

    assert (created.status_code, created.json()["api_key"]) == (201, None)
    assert not Credential.objects.exists()


def test_the_first_key_lets_its_bearer_in(api: APIClient) -> None:
    created = api.post("/v1/customers", SEED).json()

    verified = api.post("/v1/credentials/verify", {"key": created["api_key"], "scope": "anything"}).json()

    assert (verified["code"], verified["customer"], verified["scopes"]) == ("valid", created["id"], ["*"])


CUSTOMER_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"name": ""}, (400, "invalid_name", "name")),
    ({"name": 5}, (400, "invalid_name", "name")),
    ({"name": "x" * 201}, (400, "invalid_name", "name")),
    ({"email": "founder"}, (400, "invalid_email", "email")),
    ({"tier": "ultra"}, (400, "invalid_tier", "tier")),
    ({"currency": "usd"}, (400, "invalid_currency", "currency")),
    ({"timezone": "Mars/Olympus"}, (400, "invalid_timezone", "timezone")),
    ({"net_payment_term_days": -1}, (400, "invalid_net_payment_term_days", "net_payment_term_days")),
    ({"invoice_grace_days": 366}, (400, "invalid_invoice_grace_days", "invoice_grace_days")),
    ({"create_api_key": "no"}, (400, "invalid_create_api_key", "create_api_key")),
    ({"parent": "acme"}, (400, "invalid_parent", "parent")),
    ({"parent": ""}, (400, "invalid_parent", "parent")),
    ({"parent": NOBODY}, (404, "customer_not_found", "parent")),
    ({"parent": str(UNCLASSIFIED_ID)}, (404, "customer_not_found", "parent")),
    ({"tax_id": "x" * 51}, (400, "invalid_tax_id", "tax_id")),
    ({"address": "Main St"}, (400, "invalid_address", "address")),
    ({"address": {"country": "Atlantis"}}, (400, "invalid_country", "address.country")),
    ({"address": {"country": "ph"}}, (400, "invalid_country", "address.country")),
    ({"address": {"country": "EU"}}, (400, "invalid_country", "address.country")),
    ({"address": {"zip": 6000}}, (400, "invalid_zip", "address.zip")),
    ({"address": {"line3": "x"}}, (400, "unknown_field", "address.line3")),
    ({"billing_email": "accounts"}, (400, "invalid_billing_email", "billing_email")),
    ({"billing_phone": "0" * 51}, (400, "invalid_billing_phone", "billing_phone")),
    ({"remittance_instructions": "x" * 2001}, (400, "invalid_remittance_instructions", "remittance_instructions")),
    ({"payment_provider": "cash"}, (400, "invalid_payment_provider", "payment_provider")),
    ({"billing_mode": "postpaid"}, (400, "invalid_billing_mode", "billing_mode")),
    ({"associated_domains": "acme.com"}, (400, "invalid_associated_domains", "associated_domains")),
    ({"associated_domains": ["acme.com", "acme"]}, (400, "invalid_associated_domains", "associated_domains[1]")),
    ({"associated_domains": ["@acme.com"]}, (400, "invalid_associated_domains", "associated_domains[0]")),
    ({"storefront_url": "acme"}, (400, "invalid_storefront_url", "storefront_url")),
    ({"storefront_url": "javascript:alert(1)"}, (400, "invalid_storefront_url", "storefront_url")),
    ({"limits": {"rate_limit": 0}}, (400, "invalid_rate_limit", "limits.rate_limit")),
    ({"limits": {"daily_requests": 2**63}}, (400, "invalid_daily_requests", "limits.daily_requests")),
    ({"limits": {"rate_limit": 1.5}}, (400, "invalid_rate_limit", "limits.rate_limit")),
    ({"limits": {"tokens": 1}}, (400, "unknown_field", "limits.tokens")),
    ({"metadata": []}, (400, "invalid_metadata", "metadata")),
    ({"metadata": {"region": None}}, (400, "invalid_metadata", "metadata")),
    ({"status": "suspended"}, (400, "unknown_field", "status")),
    ({"nmae": "Tech"}, (400, "unknown_field", "nmae")),
]


@pytest.mark.parametrize(("change", "refusal"), CUSTOMER_BODIES)
def test_a_customer_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    assert refusal_of(api.post("/v1/customers", {**SEED, **change})) == refusal

    assert not Customer.objects.real().exists()


def test_what_is_missing_is_told_all_at_once(api: APIClient) -> None:
    error = error_of(api.post("/v1/customers", {}))

    assert (error["code"], error["type"]) == ("required", "validation_error")
    assert {field["param"] for field in error["details"]["fields"]} == {"name", "email"}


def test_an_unknown_tier_is_told_with_the_tiers_there_are(api: APIClient) -> None:
    error = error_of(api.post("/v1/customers", {**SEED, "tier": "ultra"}))

    assert error["message"] == "Invalid tier 'ultra'. Valid tiers are: free, developer, startup, enterprise"


def test_an_email_belongs_to_one_live_customer(api: APIClient) -> None:
    first = api.post("/v1/customers", SEED).json()

    refused = api.post("/v1/customers", {**SEED, "name": "Another"})

    error = error_of(refused)
    assert (refused.status_code, error["code"], error["param"]) == (409, "duplicate_email", "email")
    assert (error["type"], error["message"]) == (
        "conflict_error", "A customer with email 'founder@techstartup.ph' already exists"
    )  # fmt: skip
    assert code_of(api.post("/v1/customers", {**SEED, "email": "Founder@TechStartup.ph"})) == (409, "duplicate_email")
    other = api.post("/v1/customers", {**SEED, "email": "cto@techstartup.ph"})
    assert other.status_code == 201
    assert code_of(api.patch(other["Location"], {"email": SEED["email"]})) == (409, "duplicate_email")

    delete_customer(first["id"], confirm=True, now=NOW)
    assert api.post("/v1/customers", SEED).status_code == 201


def test_an_external_id_belongs_to_one_live_customer(api: APIClient) -> None:
    make_customer(external_id="A-1")

    refused = api.post("/v1/customers", {**SEED, "external_id": "A-1"})

    assert refusal_of(refused) == (409, "duplicate_external_id", "external_id")
    assert api.post("/v1/customers", {**SEED, "external_id": "A-2"}).status_code == 201


def test_a_change_changes_what_it_names_and_merges_metadata(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/customers", SEED)
    before = {name: value for name, value in created.json().items() if name != "api_key"}
    clock.shift(timedelta(hours=1))

    changed = api.patch(
        created["Location"], {"tier": "enterprise", "metadata": {"employees": 50, "industry": None, "vip": True}}
    )

    assert changed.status_code == 200
    assert changed.json() == {
        **before, "tier": "enterprise", "metadata": {"employees": 50, "region": "Cebu", "vip": True},
        "limits": {"daily_requests": 1_000_000, "rate_limit": 10_000, "max_tokens_per_request": 131_072},
        "updated_at": "2026-03-10T13:00:00Z",
    }  # fmt: skip
    assert changed.json().items() <= api.get(created["Location"]).json().items()


def test_a_change_to_what_it_is_already_makes_no_new_version(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer(currency="EUR")
    before = api.get(f"/v1/customers/{customer.id}")
    clock.shift(timedelta(hours=1))

    same = api.patch(f"/v1/customers/{customer.id}", {"currency": "EUR", "metadata": {}})

    assert (same.status_code, same["ETag"]) == (200, before["ETag"])
    assert same.json().items() <= before.json().items()


@pytest.mark.parametrize(("change", "refusal"), CUSTOMER_BODIES)
def test_a_change_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    customer = make_customer()
    if change == {"metadata": {"region": None}}:
        assert api.patch(f"/v1/customers/{customer.id}", change).status_code == 200
        return
    if "create_api_key" in change:
        refusal = (400, "unknown_field", "create_api_key")
    if "status" in change:
        change, refusal = {"status": "gone"}, (400, "invalid_status", "status")

    assert refusal_of(api.patch(f"/v1/customers/{customer.id}", change)) == refusal


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"external_id": "A-2"}, {"external_id": None}])
@pytest.mark.parametrize("assigned", [make_subscription, make_wallet])
def test_currency_and_external_id_are_locked_once_something_is_assigned(
    api: APIClient, change: dict[str, Any], assigned: Callable[..., Any]
) -> None:
    free, bound = make_customer(external_id="A-0"), make_customer(external_id="A-1")
    assigned(customer=bound)

    assert api.patch(f"/v1/customers/{free.id}", change).status_code == 200
    refused = api.patch(f"/v1/customers/{bound.id}", change)
    assert refusal_of(refused) == (409, "customer_field_locked", *change)
    assert api.patch(f"/v1/customers/{bound.id}", {"external_id": "A-1", "currency": "USD"}).status_code == 200
    assert api.patch(f"/v1/customers/{bound.id}", {"name": "Renamed"}).status_code == 200


def test_a_change_of_another_version_is_refused(api: APIClient, clock: time_machine.Traveller) -> None:
    path = f"/v1/customers/{make_customer().id}"
    read = api.get(path)["ETag"]
    clock.shift(1)

    current = api.patch(path, {"name": "First"}, headers={"If-Match": read})

    assert (current.status_code, current.json()["name"]) == (200, "First")
    assert code_of(api.patch(path, {"name": "Second"}, headers={"If-Match": read})) == (409, "version_mismatch")
    assert code_of(api.delete(path, headers={"If-Match": read})) == (409, "version_mismatch")
    assert api.get(path).json()["name"] == "First"
    assert api.delete(path, headers={"If-Match": current["ETag"]}).status_code == 200


def test_history_names_the_key_that_acted() -> None:
    key, secret = make_operator_key("customers:write")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    created = client.post("/v1/customers", {"name": "A", "email": "a@example.com"})
    client.patch(created["Location"], {"name": "B"})

    rows = Customer.objects.get(pk=created.json()["id"]).history.all()
    assert [row.history_actor for row in rows] == [f"operator key {key.name}"] * 2


def test_a_creation_sent_again_has_its_effect_once_and_tells_no_secret_again(api: APIClient) -> None:
    first, again = (api.post("/v1/customers", SEED, headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert first.json()["api_key"].startswith("sk-cust-")
    assert again.status_code == 201
    assert (again["Idempotency-Replayed"], again["Location"]) == ("true", first["Location"])
    assert again.json() == {**first.json(), "api_key": None, "secret_already_shown": True}
    assert (Customer.objects.real().count(), Credential.objects.count()) == (1, 1)
    other = api.post("/v1/customers", {**SEED, "name": "Other"}, headers={"Idempotency-Key": "once"})
    assert code_of(other) == (409, "idempotency_key_reused")

"""What can be told of a customer over the API and how parts of it change: address, limits, domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from config.kernel.errors import Invalid
from customers.domains import MAX_DOMAINS, normalised_domains
from customers.models import Customer
from tests.api_client import refusal_of
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.django_db

ADDRESS = {
    "line1": "1 Ayala Ave", "line2": "Floor 7", "city": "Makati", "state": "NCR", "zip": "1226", "country": "PH",
}  # fmt: skip

EVERYTHING: dict[str, Any] = {
    "name": "Acme", "email": "ap@acme.com", "external_id": "CRM-1", "tier": "developer",
    "currency": "PHP", "timezone": "Asia/Manila", "legal_name": "Acme, Inc.", "tax_id": "PH-123",
    "address": ADDRESS, "billing_email": "bills@acme.com", "billing_phone": "+63 2 8888 0000",
    "remittance_instructions": "By bank transfer to\nIBAN 1", "payment_provider": "stripe", "billing_mode": "HYBRID",
    "net_payment_term_days": 14, "invoice_grace_days": 3, "associated_domains": ["acme.com", "acme.ph"],
    "storefront_url": "https://shop.acme.com/?a=1", "metadata": {"industry": "Steel"},
    "limits": {"daily_requests": 5, "rate_limit": 6, "max_tokens_per_request": 7},
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def path_of(customer: Customer) -> str:
    return f"/v1/customers/{customer.id}"


def test_every_field_is_kept_as_it_was_created(api: APIClient) -> None:
    parent = make_customer()

    created = api.post("/v1/customers", {**EVERYTHING, "parent": parent.id})

    assert created.status_code == 201
    expected = {**EVERYTHING, "parent": parent.id}
    assert {name: created.json()[name] for name in expected} == expected
    assert expected.items() <= api.get(created["Location"]).json().items()


def test_every_field_can_change(api: APIClient) -> None:
    customer, parent = make_customer(), make_customer()
    expected = {**EVERYTHING, "parent": parent.id}

    changed = api.patch(path_of(customer), expected)

    assert changed.status_code == 200
    assert expected.items() <= changed.json().items()
    [newest, _] = customer.history.all()
    assert (newest.address_city, newest.daily_requests, newest.parent_id) == ("Makati", 5, parent.id)


def test_what_may_be_empty_can_be_emptied_again(api: APIClient) -> None:
    path = api.post("/v1/customers", {**EVERYTHING, "parent": make_customer().id})["Location"]
    empty: dict[str, Any] = {
        "parent": None, "external_id": None, "legal_name": "", "tax_id": "", "billing_email": "", "billing_phone": "",
        "remittance_instructions": "", "associated_domains": [], "storefront_url": "",
    }  # fmt: skip

    changed = api.patch(path, empty)

    assert changed.status_code == 200
    assert empty.items() <= changed.json().items()


@pytest.mark.parametrize(
    ("change", "different"),
    [
        ({"city": "Cebu"}, {"city": "Cebu"}),
        ({"line2": ""}, {"line2": ""}),
        ({"line2": None, "zip": None}, {"line2": "", "zip": ""}),
        ({"country": None}, {"country": ""}),
        ({}, dict.fromkeys(ADDRESS, "")),
        (None, dict.fromkeys(ADDRESS, "")),
    ],
)
def test_an_address_changes_by_its_parts_and_goes_as_a_whole(
    api: APIClient, change: dict[str, Any] | None, different: dict[str, str]
) -> None:
    address: dict[str, Any] = {f"address_{part}": text for part, text in ADDRESS.items()}
    customer = make_customer(**address)

    changed = api.patch(path_of(customer), {"address": change})

    assert changed.status_code == 200
    assert changed.json()["address"] == {**ADDRESS, **different}


def test_a_limit_of_its_own_holds_until_it_goes_back_to_the_tiers(api: APIClient) -> None:
    path = path_of(make_customer(tier="startup"))
    of_startup = {"daily_requests": 100_000, "rate_limit": 1_000, "max_tokens_per_request": 16_384}

    def limits(**body: Any) -> Any:
        answer = api.patch(path, body)
        assert answer.status_code == 200
        return answer.json()["limits"]

    assert limits() == of_startup
    assert limits(limits={"rate_limit": 1}) == {**of_startup, "rate_limit": 1}
    assert limits(limits={"daily_requests": 2**63 - 1}) == {
        **of_startup, "rate_limit": 1, "daily_requests": 2**63 - 1
    }  # fmt: skip
    assert limits(limits={"daily_requests": None}) == {**of_startup, "rate_limit": 1}
    assert limits(tier="free") == {"daily_requests": 1_000, "rate_limit": 1, "max_tokens_per_request": 4_096}
    assert limits(tier="startup", limits=None) == of_startup


@pytest.mark.parametrize(
    ("domains", "kept"),
    [
        ([], []),
        (["Acme.COM"], ["acme.com"]),
        (["acme.com.", "acme.com"], ["acme.com"]),
        (["b.example", "acme.com", "ACME.com", " b.example "], ["b.example", "acme.com"]),
        (["münchen.example"], ["münchen.example"]),
        (["xn--mnchen-3ya.example"], ["xn--mnchen-3ya.example"]),
        ([f"{'a' * 63}.example"], [f"{'a' * 63}.example"]),
    ],
)
def test_domains_are_kept_in_lower_case_and_once(domains: list[str], kept: list[str]) -> None:
    assert normalised_domains(domains) == kept
    assert make_customer(associated_domains=domains).associated_domains == kept


@pytest.mark.parametrize(
    "domain",
    [
        "", "acme", "acme..com", ".acme.com", "-acme.com", "ac me.com", "a@acme.com", "https://acme.com",
        f"{'a' * 64}.example", "1.2.3.4", "acme.com\nb.example",
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normalised_domains(["acme.com", domain])

    assert refusal.value.param == "associated_domains"


def test_domains_are_so_many_and_no_more(api: APIClient) -> None:
    path = path_of(make_customer())
    domains = [f"brand-{number}.example" for number in range(MAX_DOMAINS + 1)]

    assert api.patch(path, {"associated_domains": domains[1:]}).status_code == 200
    refused = api.patch(path, {"associated_domains": domains})
    assert refusal_of(refused) == (400, "invalid_associated_domains", "associated_domains")
    with pytest.raises(Invalid):
        normalised_domains(domains)


def test_domains_sent_again_in_another_case_are_no_change(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer(associated_domains=["acme.com"])
    clock.shift(1)

    assert api.patch(path_of(customer), {"associated_domains": ["ACME.com"]}).status_code == 200
    assert customer.history.count() == 1


def test_metadata_has_at_most_fifty_keys_after_the_change_too(api: APIClient) -> None:
    path = path_of(make_customer(metadata={f"k{number}": number for number in range(50)}))

    assert refusal_of(api.patch(path, {"metadata": {"one": 1}})) == (400, "invalid_metadata", "metadata")
    assert api.patch(path, {"metadata": {"one": 1, "k0": None}}).status_code == 200

"""Suspension, reactivation and deletion of customers over the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.models import Customer
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_customer, make_hold, make_subscription, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_customer_is_suspended_and_reactivated(api: APIClient) -> None:
    customer = make_customer()
    path = f"/v1/customers/{customer.id}"

    suspended = api.post(f"{path}/suspend", {"reason": "Payment overdue", "until": "2026-03-20T08:00:00+08:00"})

    assert suspended.status_code == 200
    assert suspended.json() == {
        "id": customer.id, "status": "suspended", "suspended_at": "2026-03-10T12:00:00Z",
        "suspended_until": "2026-03-20T00:00:00Z", "suspension_reason": "Payment overdue",
    }  # fmt: skip
    assert api.get(path).json()["status"] == "suspended"

    reactivated = api.post(f"{path}/reactivate")
    assert reactivated.status_code == 200
    assert reactivated.json() == {
        "id": customer.id, "status": "active", "suspended_at": None, "suspended_until": None, "suspension_reason": "",
    }  # fmt: skip
    assert api.get(path).json()["status"] == "active"


def test_suspending_again_keeps_the_beginning_and_takes_the_new_end(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    path = f"/v1/customers/{make_customer().id}"
    api.post(f"{path}/suspend", {"reason": "First", "until": "2026-03-20T00:00:00Z"})
    clock.shift(timedelta(hours=1))

    again = api.post(f"{path}/suspend", {"reason": "Second"}).json()

    assert (again["suspended_at"], again["suspended_until"]) == ("2026-03-10T12:00:00Z", None)
    assert again["suspension_reason"] == "Second"


def test_a_suspension_needs_no_body(api: APIClient) -> None:
    suspended = api.post(f"/v1/customers/{make_customer().id}/suspend")

    assert (suspended.status_code, suspended.json()["suspended_until"]) == (200, None)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"until": "2026-03-10T12:00:00Z"}, (400, "invalid_until", "until")),
        ({"until": "2026-03-10T12:00:00"}, (400, "invalid_until", "until")),
        ({"until": "2026-04-01"}, (400, "invalid_until", "until")),
        ({"until": 1780000000}, (400, "invalid_until", "until")),
        ({"reason": "x" * 1001}, (400, "invalid_reason", "reason")),
        ({"till": "2026-04-01T00:00:00Z"}, (400, "unknown_field", "till")),
    ],
)
def test_a_suspension_that_cannot_be_is_refused(
    api: APIClient, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    path = f"/v1/customers/{make_customer().id}"

    assert refusal_of(api.post(f"{path}/suspend", body)) == refusal
    assert api.get(path).json()["status"] == "active"
    assert api.post(f"{path}/suspend", {"until": "2026-03-10T12:00:00.000001Z"}).status_code == 200


def test_only_a_suspended_customer_is_reactivated(api: APIClient, clock: time_machine.Traveller) -> None:
    path = f"/v1/customers/{make_customer().id}"

    assert code_of(api.post(f"{path}/reactivate")) == (409, "customer_not_suspended")
    api.post(f"{path}/suspend", {"until": "2026-03-10T13:00:00Z"})
    assert refusal_of(api.post(f"{path}/reactivate", {"reason": "Paid"})) == (400, "unknown_field", "reason")
    clock.shift(timedelta(hours=1))
    assert code_of(api.post(f"{path}/reactivate")) == (409, "customer_not_suspended")


def test_a_customer_without_anything_is_deleted(api: APIClient) -> None:
    customer = make_customer()
    path = f"/v1/customers/{customer.id}"

    check = api.get(f"{path}/deletion-check")
    assert (check.status_code, check.json()) == (200, {"customer_id": customer.id, "verdict": "ALLOW", "findings": []})

    deleted = api.delete(path)
    assert deleted.status_code == 200
    assert deleted.json() == {"id": customer.id, "deleted": True, "deleted_at": "2026-03-10T12:00:00Z"}
    assert code_of(api.get(path)) == (404, "customer_not_found")
    assert code_of(api.delete(path)) == (404, "customer_not_found")
    assert ids_of(api.get("/v1/customers")) == []


def test_a_deletion_with_consequences_needs_a_confirmation(api: APIClient) -> None:
    customer = make_customer()
    path = f"/v1/customers/{customer.id}"
    issue_customer_key(customer.id, name="Key", scopes=["*"], now=NOW)
    make_hold(wallet=make_wallet(customer=customer, balance="10"))
    report = {
        "customer_id": customer.id,
        "verdict": "WARN",
        "findings": [
            {"code": "active_api_keys", "verdict": "WARN", "message": "1 key(s) will be revoked", "count": 1},
            {
                "code": "wallet_balance", "verdict": "WARN", "count": 1,
                "message": "1 wallet(s) with a balance ($10.00) will be forfeited",
            },
            {"code": "pending_holds", "verdict": "WARN", "message": "1 pending hold(s) will be released", "count": 1},
        ],
    }  # fmt: skip

    assert api.get(f"{path}/deletion-check").json() == report
    for query in ("", "?confirm=false"):
        refused = api.delete(f"{path}{query}")
        assert code_of(refused) == (409, "customer_deletion_needs_confirmation")
        assert error_of(refused)["details"] == report
    assert refusal_of(api.delete(f"{path}?confirm=maybe")) == (400, "invalid_confirm", "confirm")
    assert Customer.objects.live().filter(pk=customer.id).exists()

    assert api.delete(f"{path}?confirm=true").status_code == 200
    assert ids_of(api.get(f"/v1/credentials?customer={customer.id}")) == []
    assert not Credential.objects.filter(customer=customer, revoked_at__isnull=True).exists()


def test_a_deletion_that_something_stands_in_the_way_of_is_refused(api: APIClient) -> None:
    subscription = make_subscription()
    path = f"/v1/customers/{subscription.customer_id}"

    report = api.get(f"{path}/deletion-check").json()
    refused = api.delete(f"{path}?confirm=true")

    assert (report["verdict"], report["findings"][0]) == (
        "BLOCK",
        {
            "code": "active_subscriptions", "verdict": "BLOCK", "count": 1,
            "message": "1 subscription(s) are active or pending; terminate them first",
        },
    )  # fmt: skip
    assert code_of(refused) == (409, "customer_deletion_blocked")
    assert error_of(refused)["details"] == report
    assert api.get(path).status_code == 200


def test_a_deletion_takes_no_body(api: APIClient) -> None:
    path = f"/v1/customers/{make_customer().id}"

    assert refusal_of(api.delete(path, {"confirm": True})) == (400, "unknown_field", "confirm")
    assert api.delete(path).status_code == 200

"""Credentials of all customers over the API: found, revoked, verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.operations.credentials import revoke_credential
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_agent, suspend_customer
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.credentials.keys import issue, subscribe
from tests.factories import (
    NOW,
    make_agent,
    make_customer,
    make_operator_key,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
    make_team,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
#: The limits of a customer in the tier free, with a key that no agent has.
FREE = {
    "daily_requests": 1000, "rate_limit": 60, "max_tokens_per_request": 4096, "requests_per_second": None,
    "requests_per_minute": None, "requests_per_day": None, "tokens_per_minute": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_credential_is_shown_without_its_secret(api: APIClient) -> None:
    credential, secret = issue(scopes=["inference:read"], tags=["mobile"], expires_at=NOW + HOUR)

    answer = api.get(f"/v1/credentials/{credential.id}")

    assert answer["ETag"]
    assert answer.json() == {
        "id": credential.id, "type": "api_key", "name": "Key", "client_id": None, "prefix": "sk-cust-",
        "last_four": secret[-4:], "scopes": ["inference:read"], "tags": ["mobile"], "status": "active",
        "customer": credential.customer_id, "subscription": None, "agent": None, "subscriber": None,
        "created_at": "2026-03-10T12:00:00Z", "expires_at": "2026-03-10T13:00:00Z", "revoked_at": None,
        "previous_until": None, "last_used": None,
    }  # fmt: skip
    listed = api.get("/v1/credentials")
    assert listed.json()["data"] == [answer.json()]
    assert secret not in answer.content.decode() + listed.content.decode()


def test_credentials_are_listed_newest_first_and_found(
    api: APIClient, clock: time_machine.Traveller, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    old, _ = issue(now=NOW - HOUR, expires_at=NOW + HOUR)
    revoked = revoke_credential(issue()[0].id, now=NOW)
    subscription = make_subscription(plan=make_plan(product=make_product(product_type="MCP_SERVER")))
    client = subscription.credentials.get()

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/credentials{query}"))

    with django_assert_max_num_queries(3):
        assert listed() == [client.id, revoked.id, old.id]
    assert (listed("?limit=1"), listed("?limit=1&offset=2")) == ([client.id], [old.id])
    assert (listed("?type=client_credentials"), listed("?type=api_key")) == ([client.id], [revoked.id, old.id])
    assert (listed(f"?customer={old.customer_id}"), listed(f"?subscription={subscription.id}")) == (
        [old.id], [client.id]
    )  # fmt: skip
    assert (listed("?status=active"), listed("?status=expired")) == ([client.id, old.id], [])
    clock.shift(HOUR)
    by_status = [listed(f"?status={status}") for status in ("active", "expired", "revoked")]
    assert by_status == [[client.id], [old.id], [revoked.id]]
    assert refusal_of(api.get("/v1/credentials?status=gone")) == (400, "invalid_status", "status")
    assert refusal_of(api.get("/v1/credentials?type=jwt")) == (400, "invalid_type", "type")
    assert refusal_of(api.get("/v1/credentials?customer=acme")) == (400, "invalid_customer", "customer")
    assert refusal_of(api.get("/v1/credentials?key=sk")) == (400, "unknown_field", "key")


def test_credentials_are_found_by_who_uses_them(api: APIClient) -> None:
    customer = make_customer()
    agent, subscriber = make_agent(team=make_team(customer=customer)), make_subscriber(customer=customer)
    bound, _ = issue(customer=customer, agent=agent.id, subscriber=subscriber.id, tags=["eu", "mobile"])
    free, _ = issue(customer=customer, tags=["eu"])

    def listed(query: str) -> list[str]:
        return ids_of(api.get(f"/v1/credentials?{query}"))

    assert listed(f"agent={agent.id}") == listed(f"subscriber={subscriber.id}") == [bound.id]
    assert (listed("tag=eu"), listed("tag=mobile"), listed("tag=mob")) == ([free.id, bound.id], [bound.id], [])
    assert listed(f"agent={make_agent().id}") == []
    assert refusal_of(api.get(f"/v1/credentials?agent={subscriber.id}")) == (400, "invalid_agent", "agent")
    assert refusal_of(api.get(f"/v1/credentials?subscriber={agent.id}")) == (400, "invalid_subscriber", "subscriber")


def test_the_keys_of_a_deleted_customer_are_in_no_list(api: APIClient) -> None:
    gone, kept = issue()[0], issue()[0]
    delete_customer(gone.customer_id, confirm=True, now=NOW)

    assert ids_of(api.get("/v1/credentials")) == [kept.id]
    assert ids_of(api.get("/v1/credentials?status=revoked")) == []
    path = f"/v1/credentials/{gone.id}"
    answers = [api.get(path), api.post(f"{path}/revoke"), api.post(f"{path}/rotate", {})]
    assert {code_of(answer) for answer in answers} == {(404, "credential_not_found")}


def test_a_credential_is_revoked_once(api: APIClient) -> None:
    credential, secret = issue()
    path = f"/v1/credentials/{credential.id}"
    before = api.get(path).json()

    revoked = api.post(f"{path}/revoke")

    assert revoked.status_code == 200
    assert revoked.json() == {**before, "status": "revoked", "revoked_at": "2026-03-10T12:00:00Z"}
    assert code_of(api.post(f"{path}/revoke")) == (409, "credential_revoked")
    assert refusal_of(api.post(f"{path}/revoke", {"reason": "Leak"})) == (400, "unknown_field", "reason")
    assert api.post("/v1/credentials/verify", {"key": secret}).json()["code"] == "revoked"


@pytest.mark.parametrize("pk", ["nonsense", "key_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_credential_is_not_found(api: APIClient, pk: str) -> None:
    answers = [api.get(f"/v1/credentials/{pk}"), api.post(f"/v1/credentials/{pk}/revoke")]

    assert {code_of(answer) for answer in answers} == {(404, "credential_not_found")}


def verified(api: APIClient, secret: str, **fields: str) -> dict[str, Any]:
    """Return the verdict on a secret; it is an answer, whatever it says."""
    answer = api.post("/v1/credentials/verify", {"key": secret, **fields})
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    assert document["valid"] is (document["code"] == "valid")
    return document


def test_a_good_secret_is_valid_and_told_whose_it_is(api: APIClient) -> None:
    credential, secret = issue(scopes=["inference:read"])
    subscription, shown = subscribe()

    assert verified(api, secret) == {
        "valid": True, "code": "valid", "credential": credential.id, "customer": credential.customer_id,
        "subscription": None, "agent": None, "subscriber": None, "scopes": ["inference:read"], "limits": FREE,
    }  # fmt: skip
    assert verified(api, shown["key"]) == {
        "valid": True, "code": "valid", "credential": subscription.credentials.get().id,
        "customer": subscription.customer_id, "subscription": subscription.id, "agent": None, "subscriber": None,
        "scopes": ["*"], "limits": FREE,
    }  # fmt: skip


def test_an_unknown_secret_is_not_found_and_nobodys(api: APIClient) -> None:
    _, operator_secret = make_operator_key("*")
    nobodys = {
        "valid": False, "code": "not_found", "credential": None, "customer": None, "subscription": None, "agent": None,
        "subscriber": None, "scopes": [], "limits": None,
    }  # fmt: skip

    for secret in ("sk-cust-00000000000000000000000000000000", operator_secret, "ключ"):
        assert verified(api, secret) == nobodys


def test_a_revoked_secret_lets_nobody_in(api: APIClient) -> None:
    credential, secret = issue(expires_at=NOW + HOUR)

    assert verified(api, secret)["code"] == "valid"
    revoke_credential(credential.id, now=NOW)
    assert verified(api, secret)["code"] == "revoked"
    assert verified(api, secret)["credential"] == credential.id


def test_an_expired_secret_lets_nobody_in_from_its_end_on(api: APIClient, clock: time_machine.Traveller) -> None:
    _, secret = issue(expires_at=NOW + HOUR)

    clock.shift(HOUR - timedelta(microseconds=1))
    assert verified(api, secret)["code"] == "valid"
    clock.shift(timedelta(microseconds=1))
    assert verified(api, secret)["code"] == "expired"


def test_a_suspended_customer_is_let_in_again_when_the_suspension_ends(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    credential, secret = issue()
    suspend_customer(credential.customer_id, until=NOW + HOUR, now=NOW)

    assert verified(api, secret)["code"] == "customer_suspended"
    clock.shift(HOUR)
    assert verified(api, secret)["code"] == "valid"


def test_a_key_of_a_subscription_that_has_not_begun_lets_nobody_in(
    api: APIClient, clock: time_machine.Traveller
) -> None:
    subscription, shown = subscribe(starts_at=NOW + HOUR)
    secret = shown["key"]

    assert verified(api, secret)["code"] == "subscription_inactive"
    clock.shift(HOUR)
    assert verified(api, secret)["code"] == "valid"
    terminate_subscription(subscription.id, now=NOW + HOUR)
    assert verified(api, secret)["code"] == "revoked"


def test_a_scope_that_is_asked_for_is_needed(api: APIClient) -> None:
    _, narrow = issue(scopes=["inference:read"])
    _, wide = issue(scopes=["*"])

    assert verified(api, narrow, scope="inference:read")["code"] == "valid"
    assert verified(api, narrow, scope="inference:write")["code"] == "insufficient_scope"
    assert verified(api, wide, scope="inference:write")["code"] == "valid"


def test_an_agents_key_is_told_with_the_limits_of_both(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer(tier="startup", rate_limit=50)
    agent = make_agent(
        team=make_team(customer=customer), capabilities=["search"], requests_per_minute=5, tokens_per_minute=900
    )
    subscriber = make_subscriber(customer=customer)
    credential, secret = issue(customer=customer, agent=agent.id, subscriber=subscriber.id)

    assert verified(api, secret, capability="search") == {
        "valid": True, "code": "valid", "credential": credential.id, "customer": customer.id, "subscription": None,
        "agent": agent.id, "subscriber": subscriber.id, "scopes": ["*"],
        "limits": {
            "daily_requests": 100_000, "rate_limit": 50, "max_tokens_per_request": 16_384, "requests_per_second": None,
            "requests_per_minute": 5, "requests_per_day": None, "tokens_per_minute": 900,
        },
    }  # fmt: skip
    assert verified(api, secret, capability="browse")["code"] == "capability_not_declared"
    assert verified(api, issue()[1], capability="search")["code"] == "capability_not_declared"
    suspend_agent(agent.id, until=NOW + HOUR, now=NOW)
    assert verified(api, secret)["code"] == "agent_suspended"
    clock.shift(HOUR)
    assert verified(api, secret)["code"] == "valid"


def test_the_keys_of_a_deleted_customer_are_forgotten(api: APIClient) -> None:
    credential, secret = issue()
    delete_customer(credential.customer_id, confirm=True, now=NOW)

    assert verified(api, secret)["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "required", "key")),
        ({"key": " "}, (400, "invalid_key", "key")),
        ({"key": None}, (400, "invalid_key", "key")),
        ({"key": "x" * 256}, (400, "invalid_key", "key")),
        ({"key": "sk", "scope": 5}, (400, "invalid_scope", "scope")),
        ({"key": "sk", "scopes": ["*"]}, (400, "unknown_field", "scopes")),
        ({"key": "sk", "capability": ""}, (400, "invalid_capability", "capability")),
        ({"key": "sk", "consume": {"requests": 1}}, (400, "unknown_field", "consume")),
    ],
)
def test_a_verification_that_asks_nothing_clear_is_refused(
    api: APIClient, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    assert refusal_of(api.post("/v1/credentials/verify", body)) == refusal


def test_a_key_of_the_api_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("credentials:read"), api_of("credentials:write"), APIClient()
    path = f"/v1/credentials/{issue()[0].id}"
    body = {"key": "sk-cust-0"}

    assert {reader.get("/v1/credentials").status_code, reader.get(path).status_code} == {200}
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    for refused in (reader.post(f"{path}/revoke"), reader.post("/v1/credentials/verify", body)):
        assert error_of(refused)["details"]["required"] == "credentials:write"
    for refused in (nobody.get(path), nobody.post(f"{path}/revoke"), nobody.post("/v1/credentials/verify", body)):
        assert code_of(refused) == (401, "authentication_required")
    assert writer.post("/v1/credentials/verify", body).status_code == 200

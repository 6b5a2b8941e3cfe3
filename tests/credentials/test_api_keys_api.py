"""The keys of a customer over the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from config.kernel.ids import TypeID
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.operations.status import activate_customer, deactivate_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import reactivate_agent, reactivate_customer, suspend_agent, suspend_customer
from tests.api_client import code_of, error_of, ids_of, refusal_of
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

BODY: dict[str, Any] = {"name": "Mobile App", "scopes": ["inference:read", "inference:write"]}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def path() -> str:
    return f"/v1/customers/{make_customer().id}/api-keys"


def test_a_key_is_issued_listed_without_its_secret_and_revoked(api: APIClient, path: str) -> None:
    created = api.post(path, {**BODY, "tags": ["mobile"], "expires_at": "2026-12-31T23:59:59Z"})
    key = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/credentials/{key['id']}"
    assert re.fullmatch("sk-cust-[0-9a-f]{32}", key["key"])
    assert key == {
        **BODY, "id": key["id"], "key": key["key"], "tags": ["mobile"], "status": "active", "last_used": None,
        "subscription": None, "agent": None, "subscriber": None, "created_at": "2026-03-10T12:00:00Z",
        "expires_at": "2026-12-31T23:59:59Z",
    }  # fmt: skip

    secret = key.pop("key")
    listed = api.get(path)
    assert listed.json()["data"] == [key]
    read = api.get(created["Location"])
    assert read.status_code == 200
    assert secret not in listed.content.decode() + read.content.decode()

    revoked = api.delete(f"{path}/{key['id']}")
    assert revoked.status_code == 200
    assert revoked.json() == {"id": key["id"], "revoked": True, "revoked_at": "2026-03-10T12:00:00Z"}
    assert api.get(path).json()["data"] == [{**key, "status": "revoked"}]
    assert api.post("/v1/credentials/verify", {"key": secret}).json()["code"] == "revoked"
    assert code_of(api.delete(f"{path}/{key['id']}")) == (409, "credential_revoked")


def test_nothing_of_a_secret_is_kept_but_its_digest_and_end(api: APIClient, path: str) -> None:
    secret = api.post(path, BODY, headers={"Idempotency-Key": "once"}).json()["key"]

    kept = Credential.objects.values().get()
    assert secret not in str(kept)
    assert (kept["prefix"], kept["last_four"]) == ("sk-cust-", secret[-4:])


KEY_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"name": ""}, (400, "invalid_name", "name")),
    ({"scopes": []}, (400, "invalid_scopes", "scopes")),
    ({"scopes": "*"}, (400, "invalid_scopes", "scopes")),
    ({"scopes": [""]}, (400, "invalid_scopes", "scopes[0]")),
    ({"tags": ["x" * 101]}, (400, "invalid_tags", "tags[0]")),
    ({"expires_at": "2026-03-10T12:00:00Z"}, (400, "invalid_expires_at", "expires_at")),
    ({"expires_at": "2026-12-31T23:59:59"}, (400, "invalid_expires_at", "expires_at")),
    ({"key": "sk-cust-0"}, (400, "unknown_field", "key")),
]


@pytest.mark.parametrize(("change", "refusal"), KEY_BODIES)
def test_a_key_that_cannot_be_is_refused(
    api: APIClient, path: str, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    assert refusal_of(api.post(path, {**BODY, **change})) == refusal

    assert not Credential.objects.exists()
    assert api.post(path, {**BODY, "expires_at": "2026-03-10T12:00:00.000001Z"}).status_code == 201


def test_a_key_has_a_name_and_scopes(api: APIClient, path: str) -> None:
    error = error_of(api.post(path, {}))

    assert {(one["param"], one["code"]) for one in error["details"]["fields"]} == {
        ("name", "required"), ("scopes", "required")
    }  # fmt: skip


def test_a_suspended_customer_gets_no_key(api: APIClient) -> None:
    customer = suspend_customer(make_customer().id, now=NOW)
    path = f"/v1/customers/{customer.id}/api-keys"

    assert code_of(api.post(path, BODY)) == (409, "customer_suspended")
    assert api.get(path).status_code == 200
    reactivate_customer(customer.id, now=NOW)
    assert api.post(path, BODY).status_code == 201


def test_a_customer_has_its_own_keys_only(api: APIClient) -> None:
    customer, other = make_customer(), make_customer()
    old, new = (
        issue_customer_key(customer.id, name="Key", scopes=["*"], now=NOW - timedelta(hours=hours)) for hours in (1, 0)
    )
    foreign = issue_customer_key(other.id, name="Key", scopes=["*"], now=NOW)
    path = f"/v1/customers/{customer.id}/api-keys"

    assert ids_of(api.get(path)) == [new.id, old.id]
    assert ids_of(api.get(f"{path}?limit=1&offset=1")) == [old.id]
    assert refusal_of(api.get(f"{path}?status=active")) == (400, "unknown_field", "status")
    assert code_of(api.delete(f"{path}/{foreign.id}")) == (404, "credential_not_found")
    assert code_of(api.delete(f"{path}/{TypeID.new('key')}")) == (404, "credential_not_found")
    assert code_of(api.delete(f"{path}/nonsense")) == (404, "credential_not_found")
    assert api.post("/v1/credentials/verify", {"key": "sk-cust-0"}).json()["code"] == "not_found"
    assert api.delete(f"{path}/{old.id}").status_code == 200


def test_a_key_is_bound_to_what_is_the_customers_own(api: APIClient) -> None:
    customer = make_customer()
    team = make_team(customer=customer)
    own = {
        "subscription": make_subscription(customer=customer).id, "agent": make_agent(team=team).id,
        "subscriber": make_subscriber(customer=customer).id,
    }  # fmt: skip
    path = f"/v1/customers/{customer.id}/api-keys"

    created = api.post(path, {**BODY, **own})

    assert created.status_code == 201
    assert {name: created.json()[name] for name in own} == own
    assert {name: api.get(path).json()["data"][0][name] for name in own} == own
    assert api.post(path, {**BODY, **dict.fromkeys(own)}).json()["agent"] is None


@pytest.mark.parametrize(
    ("name", "prefix", "make"),
    [
        ("subscription", "sub", make_subscription),
        ("agent", "agent", make_agent),
        ("subscriber", "subr", lambda: make_subscriber(customer=make_customer())),
    ],
)
def test_what_is_not_the_customers_own_is_not_found(
    api: APIClient, path: str, name: str, prefix: str, make: Callable[[], Any]
) -> None:
    strange = make().id
    before = Credential.objects.count()

    for pk in (strange, TypeID.new(prefix)):
        assert refusal_of(api.post(path, {**BODY, name: pk})) == (404, f"{name}_not_found", name)
    assert refusal_of(api.post(path, {**BODY, name: "acme"})) == (400, f"invalid_{name}", name)
    assert Credential.objects.count() == before


def test_what_lets_nobody_in_gets_no_key(api: APIClient) -> None:
    customer = make_customer()
    agent = suspend_agent(make_agent(team=make_team(customer=customer)).id, now=NOW)
    subscription = terminate_subscription(make_subscription(customer=customer).id, now=NOW)
    path = f"/v1/customers/{customer.id}/api-keys"

    assert refusal_of(api.post(path, {**BODY, "agent": agent.id})) == (409, "agent_suspended", "agent")
    ended = api.post(path, {**BODY, "subscription": subscription.id})
    assert refusal_of(ended) == (409, "subscription_ended", "subscription")
    deactivate_customer(customer.id, now=NOW)
    assert code_of(api.post(path, BODY)) == (409, "customer_inactive")
    activate_customer(customer.id, now=NOW)
    reactivate_agent(agent.id, now=NOW)
    assert api.post(path, {**BODY, "agent": agent.id}).status_code == 201


def test_client_credentials_are_no_keys(api: APIClient) -> None:
    customer = make_customer()
    make_subscription(customer=customer, plan=make_plan(product=make_product(product_type="AI_AGENT")))
    of_api = make_subscription(customer=customer)

    answer = api.get(f"/v1/customers/{customer.id}/api-keys")

    assert ids_of(answer) == [str(of_api.credentials.get().id)]


def test_a_revocation_of_another_version_is_refused(api: APIClient, path: str, clock: time_machine.Traveller) -> None:
    created = api.post(path, BODY)
    clock.shift(1)

    stale = api.delete(f"{path}/{created.json()['id']}", headers={"If-Match": '"another"'})
    current = api.delete(f"{path}/{created.json()['id']}", headers={"If-Match": created["ETag"]})

    assert code_of(stale) == (409, "version_mismatch")
    assert current.status_code == 200


def test_a_key_issued_again_is_issued_once_and_told_once(api: APIClient, path: str) -> None:
    first, again = (api.post(path, BODY, headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert again.status_code == 201
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "key": None, "secret_already_shown": True}
    assert Credential.objects.count() == 1


def test_a_key_of_the_api_does_what_its_scopes_allow(api_of: Callable[..., APIClient], path: str) -> None:
    reader, writer, stranger = api_of("credentials:read"), api_of("credentials:write"), api_of("customers:write")

    assert reader.get(path).status_code == 200
    created = writer.post(path, BODY)
    assert created.status_code == 201
    one = f"{path}/{created.json()['id']}"
    refused = [reader.post(path, BODY), reader.delete(one), writer.get(path), stranger.get(path), stranger.delete(one)]
    assert {code_of(answer) for answer in refused} == {(403, "insufficient_scope")}
    nobody = APIClient()
    unknown = [nobody.get(path), nobody.post(path, BODY), nobody.delete(one)]
    assert {code_of(answer) for answer in unknown} == {(401, "authentication_required")}
    assert writer.delete(one).status_code == 200


def test_history_names_the_key_that_acted(path: str) -> None:
    key, secret = make_operator_key("credentials:write")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    client.delete(f"{path}/{client.post(path, BODY).json()['id']}")

    assert [row.history_actor for row in Credential.objects.get().history.all()] == [f"operator key {key.name}"] * 2

"""Rotation over the API: the new secret in one answer, the old one until its grace is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from config.api.models import IdempotencyRecord
from credentials.models import Credential
from credentials.operations.credentials import revoke_credential
from tests.api_client import code_of, error_of, refusal_of
from tests.credentials.keys import issue, subscribe
from tests.factories import NOW

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def paths_of(key: Credential) -> list[str]:
    """Return the two addresses at which a key is rotated."""
    return [f"/v1/customers/{key.customer_id}/api-keys/{key.id}/rotate", f"/v1/credentials/{key.id}/rotate"]


def verdict(api: APIClient, secret: str) -> str:
    """Return what verification says."""
    code: str = api.post("/v1/credentials/verify", {"key": secret}).json()["code"]
    return code


@pytest.mark.parametrize("which", [0, 1])
def test_the_new_secret_is_answered_once_and_the_old_one_goes_on_for_the_grace(
    api: APIClient, clock: time_machine.Traveller, which: int
) -> None:
    key, old = issue(tags=["eu"], scopes=["read"])

    answer = api.post(paths_of(key)[which], {"grace_seconds": 3600})

    new = answer.json()["key"]
    assert answer.status_code == 200
    assert answer["ETag"]
    assert {name: answer.json()[name] for name in ("id", "name", "scopes", "tags", "status")} == {
        "id": key.id, "name": "Key", "scopes": ["read"], "tags": ["eu"], "status": "active",
    }  # fmt: skip
    assert (verdict(api, old), verdict(api, new)) == ("valid", "valid")
    shown = api.get(f"/v1/credentials/{key.id}").content.decode()
    assert old not in shown
    assert new not in shown
    clock.shift(HOUR)
    assert (verdict(api, old), verdict(api, new)) == ("revoked", "valid")


@pytest.mark.parametrize("which", [0, 1])
def test_without_a_grace_the_old_secret_ends_at_once(api: APIClient, which: int) -> None:
    key, old = issue()

    answer = api.post(paths_of(key)[which])

    assert answer.status_code == 200
    assert (verdict(api, old), verdict(api, answer.json()["key"])) == ("revoked", "valid")


def test_the_answer_of_all_credentials_names_the_secret_by_its_kind(api: APIClient) -> None:
    key, _ = issue()
    subscription, shown = subscribe("AI_AGENT")
    client = subscription.credentials.get()

    of_key, of_client = (api.post(f"/v1/credentials/{one.id}/rotate", {}).json() for one in (key, client))

    assert (of_key["client_secret"], of_client["key"]) == (None, None)
    assert of_key["key"].startswith("sk-cust-")
    assert of_client["client_secret"].startswith("mcs_")
    assert (of_client["type"], of_client["client_id"]) == ("client_credentials", shown["client_id"])
    assert of_client["previous_until"] == "2026-03-10T12:00:00Z"
    keys = f"/v1/customers/{client.customer_id}/api-keys"
    assert code_of(api.post(f"{keys}/{client.id}/rotate")) == (404, "credential_not_found")


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"grace_seconds": -1}, (400, "invalid_grace_seconds", "grace_seconds")),
        ({"grace_seconds": 604_801}, (400, "invalid_grace_seconds", "grace_seconds")),
        ({"grace_seconds": "60"}, (400, "invalid_grace_seconds", "grace_seconds")),
        ({"grace_seconds": None}, (400, "invalid_grace_seconds", "grace_seconds")),
        ({"grace": 60}, (400, "unknown_field", "grace")),
    ],
)
def test_a_grace_that_cannot_be_is_refused(
    api: APIClient, which: int, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    key, old = issue()
    path = paths_of(key)[which]

    assert refusal_of(api.post(path, body)) == refusal
    assert verdict(api, old) == "valid"
    assert api.post(path, {"grace_seconds": 604_800}).status_code == 200


def test_a_revoked_and_a_strangers_key_are_not_rotated(api: APIClient) -> None:
    key, other = issue()[0], issue()[0]
    revoke_credential(key.id, now=NOW)

    assert {code_of(api.post(path)) for path in paths_of(key)} == {(409, "credential_revoked")}
    path = f"/v1/customers/{key.customer_id}/api-keys/{other.id}/rotate"
    assert code_of(api.post(path)) == (404, "credential_not_found")


def test_a_rotation_of_another_version_is_refused(api: APIClient) -> None:
    key, _ = issue()
    [_, path] = paths_of(key)
    etag = api.get(f"/v1/credentials/{key.id}")["ETag"]

    assert code_of(api.post(path, headers={"If-Match": '"another"'})) == (409, "version_mismatch")
    assert api.post(path, headers={"If-Match": etag}).status_code == 200


@pytest.mark.parametrize("kind", ["key", "client_secret"])
def test_a_rotation_sent_again_rotates_once_and_tells_the_secret_once(api: APIClient, kind: str) -> None:
    credential = issue()[0] if kind == "key" else subscribe("MCP_SERVER")[0].credentials.get()
    path = f"/v1/credentials/{credential.id}/rotate"

    first, again = (api.post(path, {"grace_seconds": 60}, headers={"Idempotency-Key": "once"}) for _ in range(2))

    secret = first.json()[kind]
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), kind: None, "secret_already_shown": True}
    assert again.json()["client_id"] == credential.client_id
    assert verdict(api, secret) == "valid"
    assert secret not in IdempotencyRecord.objects.get(key="once").body


def test_a_key_of_the_api_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    key, _ = issue()

    for path in paths_of(key):
        refused = api_of("credentials:read", "customers:write").post(path)
        assert error_of(refused)["details"]["required"] == "credentials:write"
        assert code_of(APIClient().post(path)) == (401, "authentication_required")
        assert api_of("credentials:write").post(path).status_code == 200

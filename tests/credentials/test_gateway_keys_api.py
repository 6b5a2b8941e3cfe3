"""Keys at gateways over the API: listed and filtered, sent again, and what a gateway made shown once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from config.api.models import IdempotencyRecord
from config.kernel.ids import TypeID
from config.kernel.sealing import seal
from credentials.models import GatewayKey
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.gateway_key_operations import sent_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

PATH = "/v1/gateway-keys"


def made_key() -> GatewayKey:
    """Return a key in place of which the gateway made a client."""
    key = sent_key()
    made = seal({"client_id": "mule-1", "client_secret": "their-secret"}, bound_to=key.id)
    GatewayKey.objects.filter(pk=key.pk).update(
        status="PLACED", is_due=False, sealed=None, sealed_until=None, made=made
    )
    return key


def test_a_key_says_where_it_stands_and_no_secret(api: APIClient) -> None:
    key = sent_key()

    answer = api.get(f"{PATH}/{key.id}")

    assert answer.status_code == 200
    assert answer["ETag"]
    assert answer.json() == {
        "id": key.id,
        "credential": key.credential_id,
        "subscription": key.consumer_id,
        "mapping": key.mapping_id,
        "gateway": key.mapping.gateway_id,
        "product": key.mapping.product_id,
        "generation": 1,
        "wanted": "active",
        "status": "PENDING",
        "placed_at": None,
        "remove_at": None,
        "last_error": None,
        "last_error_code": None,
        "next_try_at": None,
        "has_something_to_show": False,
        "created_at": "2026-03-10T12:00:00Z",
        "updated_at": "2026-03-10T12:00:00Z",
    }
    assert code_of(api.get(f"{PATH}/{TypeID.new('gkey')}")) == (404, "gateway_key_not_found")
    assert code_of(api.get(f"{PATH}/one")) == (404, "gateway_key_not_found")


def test_keys_are_found_by_all_that_they_belong_to(api: APIClient) -> None:
    key, other = sent_key(), sent_key()
    GatewayKey.objects.filter(pk=other.pk).update(status="LOST", last_error="Gone")
    filters = {
        "credential": key.credential_id,
        "subscription": key.consumer_id,
        "customer": key.credential.customer_id,
        "mapping": key.mapping_id,
        "gateway": key.mapping.gateway_id,
        "status": "PENDING",
    }

    assert ids_of(api.get(PATH)) == [other.id, key.id]
    for name, value in filters.items():
        assert ids_of(api.get(PATH, {name: value})) == [key.id], name
    assert refusal_of(api.get(PATH, {"status": "pending"})) == (400, "invalid_status", "status")
    assert code_of(api.get(PATH, {"vendor": "KONG"})) == (400, "unknown_field")


def test_a_list_takes_as_many_queries_for_many_keys_as_for_one(
    api: APIClient, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(4):
        sent_key()

    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        assert len(ids_of(api.get(PATH))) == 4


def test_a_key_is_sent_again_unless_it_is_as_it_should_be(api: APIClient) -> None:
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(status="ERROR", last_error="No", is_due=False)

    answer = api.post(f"{PATH}/{key.id}/retry")

    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")
    key.refresh_from_db()
    assert key.is_due
    GatewayKey.objects.filter(pk=key.pk).update(status="PLACED")
    refused = api.post(f"{PATH}/{key.id}/retry")
    assert code_of(refused) == (409, "gateway_key_not_retried")
    assert error_of(refused)["message"] == "A key that is PLACED is not sent again"


def test_what_a_gateway_made_is_answered_once(api: APIClient) -> None:
    key = made_key()
    path = f"{PATH}/{key.id}"
    assert api.get(path).json()["has_something_to_show"] is True
    assert b"their-secret" not in api.get(path).content

    first, again = (api.post(f"{path}/reveal", headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert first.status_code == 200
    shown = {name: first.json()[name] for name in ("key", "client_id", "client_secret")}
    assert shown == {"key": None, "client_id": "mule-1", "client_secret": "their-secret"}
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "client_secret": None, "secret_already_shown": True}
    assert "their-secret" not in IdempotencyRecord.objects.get(key="once").body
    assert code_of(api.post(f"{path}/reveal")) == (409, "nothing_to_show")
    assert api.get(path).json()["has_something_to_show"] is False


def test_a_key_of_the_api_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    key = made_key()
    reader, writer = api_of("credentials:read"), api_of("credentials:write")

    assert reader.get(PATH).status_code == 200
    for verb in ("retry", "reveal"):
        assert error_of(reader.post(f"{PATH}/{key.id}/{verb}"))["details"]["required"] == "credentials:write"
    assert code_of(api_of("catalog:write").get(PATH)) == (403, "insufficient_scope")
    assert writer.post(f"{PATH}/{key.id}/reveal").status_code == 200

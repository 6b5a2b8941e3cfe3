"""Gateways over JSON: credentials go in and never come out; connections are tested outside any transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from catalog.models import Gateway, GatewayMapping, Vendor
from config.api.models import IdempotencyRecord
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import make_gateway, make_gateway_mapping, make_operator_key
from tests.gateways.contract import Answered, Sent
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure
from tests.gateways.fakes.server import Fault, serving
from tests.gateways.house import connect

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"vendor": "AZURE_APIM", "name": "EU", "settings": SETTINGS, "credentials": CREDENTIALS}
UNKNOWN = "gate_01h455vb4pex5vsknk084sn02q"


def test_a_gateway_is_connected_and_read_without_its_credentials(api: APIClient) -> None:
    created = api.post("/v1/gateways", {**BODY, "restores_by_itself": True})

    found = created.json()
    assert created.status_code == 201
    assert created["Location"] == f"/v1/gateways/{found['id']}"
    assert {name: found[name] for name in ("vendor", "name", "base_url", "settings", "mark", "restores_by_itself")} == {
        "vendor": "AZURE_APIM", "name": "EU", "base_url": "", "settings": SETTINGS, "mark": "meterdesk",
        "restores_by_itself": True,
    }  # fmt: skip
    assert (found["credentials_set"], len(found["fingerprint"])) == (["client_id", "client_secret"], 12)
    assert (found["attention"], found["tested_at"], found["test_result"]) == (None, None, None)
    assert "credentials" not in found
    assert api.get(created["Location"]).json() == found
    assert api.get("/v1/gateways").json()["data"] == [found]
    assert not any(value in str(found) for value in CREDENTIALS.values())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"vendor": None}, (400, "required", "vendor")),
        ({"vendor": "TYK"}, (400, "invalid_vendor", "vendor")),
        ({"name": None}, (400, "required", "name")),
        ({"name": ""}, (400, "invalid_name", "name")),
        ({"settings": {}}, (400, "invalid_tenant_id", "settings.tenant_id")),
        ({"settings": "x"}, (400, "invalid_settings", "settings")),
        ({"settings": {**SETTINGS, "x": "y"}}, (400, "invalid_x", "settings.x")),
        ({"credentials": None}, (400, "invalid_client_id", "credentials.client_id")),
        ({"credentials": "s3cret-canary"}, (400, "invalid_credentials", "credentials")),
        ({"credentials": {**CREDENTIALS, "x": "s3cret-canary"}}, (400, "invalid_x", "credentials.x")),
        (
            {"credentials": {"client_secret": {"a": "s3cret-canary"}}},
            (400, "invalid_client_secret", "credentials.client_secret"),
        ),
        ({"base_url": "http://169.254.169.254/"}, (400, "invalid_base_url", "base_url")),
        ({"mark": "No Slug"}, (400, "invalid_mark", "mark")),
        ({"fingerprint": "x"}, (400, "unknown_field", "fingerprint")),
    ],
)
def test_what_cannot_be_used_is_refused(api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]) -> None:
    body = {name: value for name, value in {**BODY, **change}.items() if value is not None}

    answer = api.post("/v1/gateways", body)

    assert refusal_of(answer) == refusal
    assert "s3cret-canary" not in answer.content.decode()
    assert not Gateway.objects.exists()


def test_a_body_that_is_no_json_is_refused_without_its_secrets(api: APIClient) -> None:
    answer = api.generic("POST", "/v1/gateways", '{"credentials": {"token": "s3cret-canary"', "application/json")

    assert code_of(answer) == (400, "malformed_json")
    assert "s3cret-canary" not in answer.content.decode()


def test_a_connection_is_changed_and_its_credentials_replaced(api: APIClient) -> None:
    gateway = make_gateway(name="EU")
    path = f"/v1/gateways/{gateway.id}"
    make_gateway(name="US")

    changed = api.patch(path, {"name": "Europe", "credentials": {"client_id": "c", "client_secret": "another-one"}})

    assert (changed.status_code, changed.json()["name"]) == (200, "Europe")
    assert changed.json()["fingerprint"] != gateway.fingerprint
    assert api.patch(path, {"settings": SETTINGS}).json()["fingerprint"] == changed.json()["fingerprint"]
    assert refusal_of(api.patch(path, {"name": "US"})) == (409, "duplicate_name", "name")
    assert code_of(api.patch(path, {"vendor": "KONG"})) == (400, "unknown_field")
    assert code_of(api.patch(path, {"name": "X"}, headers={"If-Match": '"other"'})) == (409, "version_mismatch")


def test_the_mark_of_a_gateway_in_use_stays(api: APIClient) -> None:
    mapping = make_gateway_mapping()

    answer = api.patch(f"/v1/gateways/{mapping.gateway_id}", {"mark": "other"})

    assert refusal_of(answer) == (409, "gateway_mark_in_use", "mark")


def test_a_gateway_is_forgotten_once_nothing_is_mapped_to_it(api: APIClient) -> None:
    mapping = make_gateway_mapping()
    path = f"/v1/gateways/{mapping.gateway_id}"

    assert api.get(f"{path}/deletion-check").json()["verdict"] == "BLOCK"
    assert code_of(api.delete(path)) == (409, "gateway_deletion_blocked")
    assert api.delete(f"/v1/gateway-mappings/{mapping.id}").status_code == 200
    assert api.get(f"{path}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    assert api.delete(path).json()["deleted"] is True
    assert code_of(api.get(path)) == (404, "gateway_not_found")


def test_the_list_is_filtered_by_vendor(api: APIClient) -> None:
    first, second = make_gateway(), make_gateway()

    assert ids_of(api.get("/v1/gateways")) == [second.id, first.id]
    assert ids_of(api.get("/v1/gateways?vendor=AZURE_APIM")) == [second.id, first.id]
    assert ids_of(api.get("/v1/gateways?vendor=KONG")) == []
    assert code_of(api.get("/v1/gateways?vendor=TYK")) == (400, "invalid_vendor")


def test_a_test_says_who_answers(api: APIClient, azure: FakeAzure) -> None:
    gateway = connect(azure)

    answer = api.post(f"/v1/gateways/{gateway.id}/test")

    assert (answer.status_code, answer.json()["ok"], answer.json()["version"]) == (200, True, "2024-05-01")
    found = api.get(f"/v1/gateways/{gateway.id}").json()
    assert found["test_result"].startswith("Answers as 2024-05-01")
    assert gateway.history.latest("history_id").history_actor.startswith("operator key")


def test_a_test_that_fails_says_why(api: APIClient, azure: FakeAzure) -> None:
    gateway = connect(azure, credentials={**CREDENTIALS, "client_secret": "wrong-secret"})

    answer = api.post(f"/v1/gateways/{gateway.id}/test")

    assert code_of(answer) == (409, "gateway_unusable")
    assert error_of(answer)["details"]["failure"] == "not_allowed"
    assert "wrong-secret" not in answer.content.decode()
    assert "AADSTS7000215" in api.get(f"/v1/gateways/{gateway.id}").json()["attention"]
    assert code_of(api.post(f"/v1/gateways/{UNKNOWN}/test")) == (404, "gateway_not_found")
    assert code_of(api.post(f"/v1/gateways/{gateway.id}/test", {"x": 1})) == (400, "unknown_field")


def test_a_test_under_an_idempotency_key_asks_once(api: APIClient, azure: FakeAzure) -> None:
    path = f"/v1/gateways/{connect(azure).id}/test"

    first = api.post(path, HTTP_IDEMPOTENCY_KEY="k1")
    asked = len(azure.exchanges)
    again = api.post(path, HTTP_IDEMPOTENCY_KEY="k1")

    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (200, first.content, "true")
    assert len(azure.exchanges) == asked
    other = f"/v1/gateways/{connect(azure).id}/test"
    assert code_of(api.post(other, HTTP_IDEMPOTENCY_KEY="k1")) == (409, "idempotency_key_reused")
    azure.token = "another"
    azure.faults.append(Fault("GET", 403, times=9))
    refused = api.post(other, HTTP_IDEMPOTENCY_KEY="k2")
    azure.faults.clear()
    assert code_of(refused) == (409, "gateway_unusable")
    assert code_of(api.post(other, HTTP_IDEMPOTENCY_KEY="k2")) == (409, "gateway_unusable")
    assert IdempotencyRecord.objects.count() == 2
    assert api.post(other).status_code == 200


class Watching(FakeAzure):
    """Counts the transactions that are open while it is asked, and lets something happen meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[int] = []
        self.meanwhile: Callable[[], Any] | None = None

    def respond(self, sent: Sent) -> Answered | None:
        """Look, let it happen, and answer."""
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND state <> 'active'"
            )
            self.open.append(cursor.fetchone()[0])
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()
        connections.close_all()
        return super().respond(sent)


@pytest.mark.usefixtures("gateways_on_loopback")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"HTTP_IDEMPOTENCY_KEY": "k1"}])
def test_no_transaction_is_open_while_the_gateway_is_asked(headers: dict[str, Any]) -> None:
    _, secret = make_operator_key()
    client, other = APIClient(), APIClient()
    for one in (client, other):
        one.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    with serving(Watching()) as fake:
        assert isinstance(fake, Watching)
        path = f"/v1/gateways/{connect(fake).id}/test"
        twin: list[Any] = []
        fake.meanwhile = lambda: twin.append(other.post(path, **headers))

        assert client.post(path, **headers).status_code == 200

    assert len(fake.open) >= 2
    assert set(fake.open) == {0}
    if headers:
        assert code_of(twin[0]) == (409, "idempotency_key_in_use")
        assert client.post(path, **headers)["Idempotency-Replayed"] == "true"
    else:
        assert twin[0].status_code == 200


@pytest.mark.parametrize(("verb", "job"), [("check", "check"), ("restore", "restore")])
def test_everything_at_a_gateway_is_asked_for_in_one_call(api: APIClient, verb: str, job: str) -> None:
    first = make_gateway_mapping()
    second = make_gateway_mapping(gateway=first.gateway)
    make_gateway_mapping()

    answer = api.post(f"/v1/gateways/{first.gateway_id}/{verb}")

    assert (answer.status_code, answer.json()) == (
        202, {"gateway": first.gateway_id, "requested": 2, "mappings": [first.id, second.id]}
    )  # fmt: skip
    assert {one.job for one in GatewayMapping.objects.filter(gateway=first.gateway)} == {job}
    assert code_of(api.post(f"/v1/gateways/{UNKNOWN}/{verb}")) == (404, "gateway_not_found")


def test_what_a_gateway_can_do_is_told_with_every_limit(api: APIClient) -> None:
    found = api.get(f"/v1/gateways/{make_gateway().id}/capabilities").json()

    levels = {one["limit"]: one["level"] for one in found["limits"]}
    assert (found["vendor"], found["takes_our_keys"], found["suspends_keys"]) == ("AZURE_APIM", True, True)
    assert (levels["rate_per_minute"], levels["quota_per_month"], levels["burst"]) == (
        "exact", "approximate", "unsupported"
    )  # fmt: skip
    assert len(levels) == 7
    assert all(one["why"] for one in found["limits"] if one["level"] != "exact")


def test_what_each_vendor_asks_for_is_told(api: APIClient) -> None:
    found = {one["vendor"]: one for one in api.get("/v1/gateway-vendors").json()["data"]}

    assert set(found) == set(Vendor.values)
    azure = found["AZURE_APIM"]
    assert [one["name"] for one in azure["credentials"]] == ["client_id", "client_secret"]
    cloud = azure["settings"][0]
    assert (cloud["name"], cloud["required"], cloud["default"]) == ("cloud", True, "public")
    assert {"value": "china", "label": "China"} in cloud["choices"]
    assert all(one["external_ref"] and one["external_ref_help"] for one in found.values())
    assert len(api.get("/v1/gateway-vendors?limit=2").json()["data"]) == 2


def test_connections_need_a_scope_of_their_own(api_of: Callable[..., APIClient]) -> None:
    gateway = make_gateway()
    path = f"/v1/gateways/{gateway.id}"
    catalog, connector = api_of("catalog:read", "catalog:write"), api_of("gateways:write")

    assert catalog.get(path).status_code == 200
    assert catalog.post(f"{path}/check").status_code == 202
    for refused in (
        catalog.post("/v1/gateways", BODY), catalog.patch(path, {}), catalog.delete(path), catalog.post(f"{path}/test")
    ):  # fmt: skip
        assert error_of(refused)["details"]["required"] == "gateways:write"
    assert connector.patch(path, {"name": "New"}).status_code == 200
    assert code_of(connector.get(path)) == (403, "insufficient_scope")
    assert code_of(connector.post(f"{path}/restore")) == (403, "insufficient_scope")


def test_the_same_creation_again_has_its_effect_once_and_no_secret_is_kept(api: APIClient) -> None:
    first = api.post("/v1/gateways", BODY, HTTP_IDEMPOTENCY_KEY="k1")
    again = api.post("/v1/gateways", BODY, HTTP_IDEMPOTENCY_KEY="k1")

    assert (again.content, Gateway.objects.count()) == (first.content, 1)
    kept = IdempotencyRecord.objects.get()
    assert CREDENTIALS["client_secret"] not in f"{kept.body}{kept.headers}{kept.fingerprint}"
    other = {**BODY, "credentials": {**CREDENTIALS, "client_secret": "another"}}
    assert code_of(api.post("/v1/gateways", other, HTTP_IDEMPOTENCY_KEY="k1")) == (409, "idempotency_key_reused")

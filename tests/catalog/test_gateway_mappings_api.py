"""Mappings over JSON: linked, watched, checked, restored, unlinked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import GatewayMapping
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_gateway, make_gateway_mapping, make_product
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import connect, limited_product, link, loosen, restored, work

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
UNKNOWN = {"product": "prod_01h455vb4pex5vsknk084sn02q", "gateway": "gate_01h455vb4pex5vsknk084sn02q"}


def path_of(mapping: GatewayMapping) -> str:
    return f"/v1/gateway-mappings/{mapping.id}"


def test_a_product_is_linked_and_waits_for_its_first_check(api: APIClient) -> None:
    gateway, product = make_gateway(), make_product()
    body = {"product": product.id, "gateway": gateway.id, "external_ref": "petstore"}

    created = api.post("/v1/gateway-mappings", body)

    found = created.json()
    assert (created.status_code, created["Location"]) == (201, f"/v1/gateway-mappings/{found['id']}")
    assert {name: found[name] for name in (*body, "sync_status", "accepts_approximations")} == {
        **body, "sync_status": "PENDING", "accepts_approximations": False
    }  # fmt: skip
    empty = ("drift_reason", "last_synced_at", "last_checked_at", "last_error", "last_error_code", "progress")
    assert [found[name] for name in empty] == [None] * 6
    assert found["drift"] == []
    assert api.get(created["Location"]).json() == found
    assert refusal_of(api.post("/v1/gateway-mappings", body)) == (409, "duplicate_mapping", "external_ref")
    again = {**body, "external_ref": "weather"}
    assert refusal_of(api.post("/v1/gateway-mappings", again)) == (409, "product_mapped_already", "product")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"product": None}, (400, "required", "product")),
        ({"product": UNKNOWN["product"]}, (404, "product_not_found", "product")),
        ({"product": "prod_1"}, (400, "invalid_product", "product")),
        ({"gateway": UNKNOWN["gateway"]}, (404, "gateway_not_found", "gateway")),
        ({"external_ref": ""}, (400, "invalid_external_ref", "external_ref")),
        ({"external_ref": "no api"}, (400, "invalid_external_ref", "external_ref")),
        ({"sync_status": "SYNCED"}, (400, "unknown_field", "sync_status")),
    ],
)
def test_what_cannot_be_linked_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    body = {"product": make_product().id, "gateway": make_gateway().id, "external_ref": "petstore", **change}

    answer = api.post("/v1/gateway-mappings", {name: value for name, value in body.items() if value is not None})

    assert refusal_of(answer) == refusal
    assert not GatewayMapping.objects.exists()


def test_drift_is_told_side_by_side_and_a_restore_ends_it(api: APIClient, azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    path = path_of(mapping)
    loosen(azure)

    asked = api.post(f"{path}/check")
    assert (asked.status_code, asked.json()["sync_status"]) == (202, "PENDING")
    work(mapping.gateway, now=LATER)
    stale = api.get(path).json()
    assert (stale["sync_status"], stale["drift_reason"]) == ("STALE", "gateway_changed")
    [difference] = stale["drift"]
    assert set(difference) == {"kind", "key", "label", "field", "record", "gateway"}
    assert ('calls="100"' in str(difference["record"]), 'calls="1000"' in str(difference["gateway"])) == (True, True)

    asked = api.post(f"{path}/restore")
    assert (asked.status_code, asked.json()["sync_status"]) == (202, "PENDING")
    assert asked.json()["restore_requested_at"] is not None
    work(mapping.gateway, now=LATER + timedelta(days=3650))
    found = api.get(path).json()
    assert (found["sync_status"], found["drift"], found["drift_reason"]) == ("SYNCED", [], None)
    assert found["progress"] == {"done": 1, "of": 1, "step": ""}


def test_a_failure_is_told_with_its_code_and_the_next_try(api: APIClient, azure: FakeAzure) -> None:
    mapping = link(connect(azure))
    azure.faults.append(Fault("GET", 503, times=3))

    work(mapping.gateway)

    found = api.get(path_of(mapping)).json()
    assert (found["sync_status"], found["last_error_code"]) == ("ERROR", "unavailable")
    assert found["last_error"].startswith("The gateway answers 503")
    assert found["next_try_at"] == "2026-03-10T12:00:10Z"


def test_a_mapping_is_changed_and_looked_at_again(api: APIClient, azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    path = path_of(mapping)

    changed = api.patch(path, {"external_ref": "weather", "accepts_approximations": True}).json()

    assert (changed["external_ref"], changed["accepts_approximations"]) == ("weather", True)
    assert changed["sync_status"] == "PENDING"
    assert code_of(api.patch(path, {"product": make_product().id})) == (400, "unknown_field")
    assert refusal_of(api.patch(path, {"external_ref": "a b"})) == (400, "invalid_external_ref", "external_ref")
    assert code_of(api.patch(path, {}, headers={"If-Match": '"other"'})) == (409, "version_mismatch")


def test_a_mapping_is_unlinked(api: APIClient) -> None:
    mapping = make_gateway_mapping()
    path = path_of(mapping)

    assert api.get(f"{path}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    assert api.delete(path).json()["deleted"] is True
    for answer in (api.get(path), api.delete(path), api.post(f"{path}/check"), api.post(f"{path}/restore")):
        assert code_of(answer) == (404, "gateway_mapping_not_found")
    assert code_of(api.get("/v1/gateway-mappings/gmap_x/limits")) == (404, "gateway_mapping_not_found")


def test_limits_that_cannot_be_enforced_are_told(api: APIClient) -> None:
    product = limited_product(rate_per_minute=10, burst=3)
    mapping = make_gateway_mapping(product=product)

    [limit] = api.get(f"{path_of(mapping)}/limits").json()["limits"]

    plan = product.rate_plans.get()
    assert (limit["plan"], limit["plan_name"], limit["count"]) == (plan.id, str(plan), 3)
    assert (limit["limit"], limit["level"], bool(limit["why"])) == ("burst", "unsupported", True)
    exact = make_gateway_mapping(product=limited_product(rate_per_minute=10))
    assert api.get(f"{path_of(exact)}/limits").json() == {"limits": []}


def test_the_list_is_filtered(api: APIClient, azure: FakeAzure) -> None:
    gateway = connect(azure)
    stale, agreed = link(gateway, ref="weather"), restored(gateway)
    waiting = make_gateway_mapping()

    assert ids_of(api.get("/v1/gateway-mappings")) == [waiting.id, agreed.id, stale.id]
    filters = {
        f"gateway={gateway.id}": [agreed.id, stale.id],
        f"product={stale.product_id}": [stale.id],
        "sync_status=STALE": [stale.id],
        "sync_status=SYNCED": [agreed.id],
        "sync_status=PENDING": [waiting.id],
        "sync_status=ERROR": [],
        "vendor=AZURE_APIM": [waiting.id, agreed.id, stale.id],
        "vendor=KONG": [],
        f"gateway={gateway.id}&sync_status=PENDING": [],
    }
    for query, found in filters.items():
        assert ids_of(api.get(f"/v1/gateway-mappings?{query}")) == found, query
    assert code_of(api.get("/v1/gateway-mappings?sync_status=synced")) == (400, "invalid_sync_status")
    assert code_of(api.get("/v1/gateway-mappings?vendor=TYK")) == (400, "invalid_vendor")
    assert code_of(api.get("/v1/gateway-mappings?product=x")) == (400, "invalid_product")


def test_a_list_asks_the_database_as_often_for_many_as_for_one(api: APIClient, django_assert_num_queries: Any) -> None:
    gateway = make_gateway()
    for _ in range(3):
        make_gateway_mapping(gateway=gateway)
    api.get("/v1/gateway-mappings")
    with django_assert_num_queries(3):
        api.get("/v1/gateway-mappings")


def test_a_reader_links_nothing_and_restores_nothing(api_of: Any) -> None:
    path = path_of(make_gateway_mapping())
    reader = api_of("catalog:read")

    assert reader.get(path).status_code == 200
    assert reader.get(f"{path}/limits").status_code == 200
    for refused in (
        reader.post("/v1/gateway-mappings", {}), reader.patch(path, {}), reader.delete(path),
        reader.post(f"{path}/check"), reader.post(f"{path}/restore"),
    ):  # fmt: skip
        assert error_of(refused)["details"]["required"] == "catalog:write"

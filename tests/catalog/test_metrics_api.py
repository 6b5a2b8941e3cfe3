"""Metrics over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import Metric
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_metric

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"code": "tokens", "name": "Tokens", "aggregation": "SUM", "property": "tokens"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_metric_is_created_read_and_renamed(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/metrics", {**BODY, "event_type": "llm.request", "dimensions": ["model", "region"]})
    metric = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/metrics/{metric['id']}"
    assert metric == {
        **BODY, "id": metric["id"], "event_type": "llm.request", "dimensions": ["model", "region"], "recurring": False,
        "rounding": None, "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, metric, created["ETag"])

    clock.shift(1)
    renamed = api.patch(created["Location"], {"name": "All tokens"}, headers={"If-Match": created["ETag"]})
    assert renamed.status_code == 200
    assert renamed.json() == {**metric, "name": "All tokens", "updated_at": "2026-03-10T12:00:01Z"}
    stale = api.patch(created["Location"], {"name": "Stale"}, headers={"If-Match": created["ETag"]})
    assert code_of(stale) == (409, "version_mismatch")


def test_a_count_has_no_property_and_counts_events_of_its_code(api: APIClient) -> None:
    created = api.post("/v1/metrics", {"code": "calls", "name": "Calls", "aggregation": "COUNT"})

    assert created.status_code == 201
    assert created.json()["property"] is None
    assert (created.json()["event_type"], created.json()["dimensions"]) == ("calls", [])


@pytest.mark.parametrize("aggregation", ["UNIQUE_COUNT", "LATEST", "WEIGHTED_SUM"])
def test_a_metric_may_recur_and_round_its_units(api: APIClient, aggregation: str) -> None:
    rounding = {"function": "ceil", "precision": 2}
    more = {"aggregation": aggregation, "recurring": True, "rounding": rounding}

    created = api.post("/v1/metrics", {**BODY, **more})

    assert created.status_code == 201
    assert {name: created.json()[name] for name in more} == more
    assert api.get(created["Location"]).json() == created.json()
    without = api.post("/v1/metrics", {**BODY, "code": "exact", "rounding": None})
    usual = api.post("/v1/metrics", {**BODY, "code": "whole", "rounding": {"function": "round"}})
    assert without.json()["rounding"] is None
    assert usual.json()["rounding"] == {"function": "round", "precision": 0}


METRIC_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"aggregation": "COUNT"}, (400, "invalid_property", "property")),
    ({"property": ""}, (400, "invalid_property", "property")),
    ({"aggregation": "sum"}, (400, "invalid_aggregation", "aggregation")),
    ({"code": "All tokens"}, (400, "invalid_code", "code")),
    ({"code": "taken"}, (409, "duplicate_code", "code")),
    ({"name": None}, (400, "invalid_name", "name")),
    ({"dimensions": ["model", "model"]}, (400, "invalid_dimensions", "dimensions")),
    ({"dimensions": "model"}, (400, "invalid_dimensions", "dimensions")),
    ({"dimensions": ["x"] * 21}, (400, "invalid_dimensions", "dimensions")),
    ({"unit": "token"}, (400, "unknown_field", "unit")),
    ({"aggregation": "MAX", "recurring": True}, (400, "invalid_recurring", "recurring")),
    ({"recurring": None}, (400, "invalid_recurring", "recurring")),
    ({"rounding": "ceil"}, (400, "invalid_rounding", "rounding")),
    ({"rounding": {}}, (400, "required", "rounding.function")),
    ({"rounding": {"function": "up"}}, (400, "invalid_function", "rounding.function")),
    ({"rounding": {"function": "ceil", "precision": 13}}, (400, "invalid_precision", "rounding.precision")),
    ({"rounding": {"function": "ceil", "precision": -1}}, (400, "invalid_precision", "rounding.precision")),
    ({"rounding": {"function": "ceil", "digits": 1}}, (400, "unknown_field", "rounding.digits")),
]


@pytest.mark.parametrize(("change", "refusal"), METRIC_BODIES)
def test_a_metric_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    make_metric(code="taken")

    assert refusal_of(api.post("/v1/metrics", {**BODY, **change})) == refusal

    assert Metric.objects.count() == 1
    assert api.post("/v1/metrics", BODY).status_code == 201


def test_a_sum_names_its_property(api: APIClient) -> None:
    body = {name: value for name, value in BODY.items() if name != "property"}

    assert refusal_of(api.post("/v1/metrics", body)) == (400, "invalid_property", "property")


@pytest.mark.parametrize(
    "field", ["code", "aggregation", "event_type", "property", "dimensions", "recurring", "rounding"]
)
def test_the_definition_of_a_metric_is_fixed(api: APIClient, field: str) -> None:
    path = f"/v1/metrics/{make_metric().id}"

    assert refusal_of(api.patch(path, {field: "other"})) == (400, "unknown_field", field)
    assert api.patch(path, {"name": "Other"}).status_code == 200
    assert api.patch(path, {}).json()["name"] == "Other"
    assert code_of(api.put(path, {})) == (405, "method_not_allowed")


def test_metrics_are_listed_newest_first_and_found(api: APIClient) -> None:
    old, new = make_metric(code="calls", event_type="call"), make_metric(code="jobs", event_type="job")

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/metrics{query}"))

    assert listed() == [new.id, old.id]
    assert (listed("?limit=1"), listed("?limit=1&offset=1")) == ([new.id], [old.id])
    assert (listed("?code=calls"), listed("?event_type=job")) == ([old.id], [new.id])
    assert refusal_of(api.get("/v1/metrics?aggregation=SUM")) == (400, "unknown_field", "aggregation")


@pytest.mark.parametrize("pk", ["nonsense", "metr_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_metric_is_not_found(api: APIClient, pk: str) -> None:
    answers = [api.get(f"/v1/metrics/{pk}"), api.patch(f"/v1/metrics/{pk}", {"name": "New"})]

    assert {code_of(answer) for answer in answers} == {(404, "metric_not_found")}


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, stranger = api_of("catalog:read"), api_of("catalog:write"), api_of("billing:write")
    path = f"/v1/metrics/{make_metric().id}"

    assert {reader.get("/v1/metrics").status_code, reader.get(path).status_code} == {200}
    assert (writer.post("/v1/metrics", BODY).status_code, writer.patch(path, {"name": "N"}).status_code) == (201, 200)
    for client in (reader, stranger):
        for refused in (client.post("/v1/metrics", BODY), client.patch(path, {"name": "N"})):
            assert error_of(refused)["details"]["required"] == "catalog:write"
    assert code_of(stranger.get(path)) == (403, "insufficient_scope")
    for refused in (APIClient().get(path), APIClient().post("/v1/metrics", BODY)):
        assert code_of(refused) == (401, "authentication_required")

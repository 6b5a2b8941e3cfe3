"""What every endpoint does: versions, locations, the caller's name in the history, rate limits, the document."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import validate
from redis import Redis

from catalog.models import Product
from config.api.document import document
from config.api.redis import Outage
from tests.config.api_desk import api, make_product, new_product

pytestmark = [pytest.mark.urls("tests.config.api_desk"), pytest.mark.django_db]


def test_a_created_object_has_an_address_and_a_version() -> None:
    answer = api().post("/v1/products", new_product())

    assert answer.status_code == 201
    assert answer["Location"] == f"/v1/products/{answer.json()['id']}"
    found = api().get(answer["Location"])
    assert (found.status_code, found["ETag"]) == (200, answer["ETag"])


def test_a_change_makes_another_version() -> None:
    product = make_product()
    path = f"/v1/products/{product.pk}"
    before = api().get(path)["ETag"]

    answer = api().patch(path, {"name": "New"}, HTTP_IF_MATCH=before)

    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    assert answer["ETag"] == api().get(path)["ETag"] != before


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_write_on_another_version_is_refused(method: str) -> None:
    product = make_product()
    path = f"/v1/products/{product.pk}"
    stale = api().get(path)["ETag"]
    api().patch(path, {"name": "Newer"})

    answer = api().generic(method, path, HTTP_IF_MATCH=stale)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "version_mismatch")
    assert Product.objects.get().name == "Newer"


def test_a_write_on_any_version_or_without_one_is_taken() -> None:
    path = f"/v1/products/{make_product().pk}"
    current = api().get(path)["ETag"]

    assert api().patch(path, {"name": "A"}, HTTP_IF_MATCH=f'"other", {current}').status_code == 200
    assert api().patch(path, {"name": "B"}, HTTP_IF_MATCH="*").status_code == 200
    assert api().patch(path, {"name": "C"}).status_code == 200


def test_a_patch_takes_only_what_it_is_given() -> None:
    product = make_product()

    answer = api().patch(f"/v1/products/{product.pk}", {"audience": "PARTNER"})

    assert (answer.json()["name"], answer.json()["audience"]) == ("LLM", "PARTNER")


def test_history_names_the_operator_key() -> None:
    answer = api().post("/v1/products", new_product())

    row = Product.objects.get(pk=answer.json()["id"]).history.get()
    assert row.history_actor == "operator key Everything"


@pytest.fixture
def _no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outage, "until", 0.0)


@pytest.mark.usefixtures("_no_outage")
def test_a_caller_over_the_limit_waits_for_the_next_minute(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_RATE_LIMIT_PER_MINUTE = 2
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("api:rate:opk_all:1000000", "api:rate:opk_all:1000001")
    monkeypatch.setattr("config.api.throttling.time.time", lambda: 60_000_015.0)

    answers = [api().get("/v1/products") for _ in range(3)]
    other = api("other").get("/v1/products")
    monkeypatch.setattr("config.api.throttling.time.time", lambda: 60_000_060.0)
    later = api().get("/v1/products")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert [answers[2][name] for name in ("RateLimit-Limit", "RateLimit-Reset", "Retry-After")] == ["2", "45", "45"]
    assert answers[2].json()["error"]["type"] == "rate_limit_error"
    assert (other.status_code, later.status_code) == (200, 200)


@pytest.mark.usefixtures("_no_outage")
def test_without_redis_nobody_is_refused(settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{free.getsockname()[1]}/0"
        settings.API_RATE_LIMIT_PER_MINUTE = 0

        answers = [api().get("/v1/products") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert "RateLimit-Limit" not in answers[0]
    assert Outage.until > 0


def test_the_document_is_valid_openapi() -> None:
    answer = Client().get("/v1/openapi.json")

    assert answer["Content-Type"] == "application/json"
    described = json.loads(answer.content)
    assert described["openapi"].startswith("3.1")
    validate(described)


def described() -> Any:
    document.cache_clear()
    return json.loads(document("tests.config.api_desk"))


def test_the_document_tells_our_conventions() -> None:
    paths = described()["paths"]
    create, listing = paths["/v1/products"]["post"], paths["/v1/products"]["get"]

    assert create["operationId"] == "products_create"
    assert (create["summary"], create["description"]) == ("Create a product", "It begins as EXPERIMENTAL.")
    assert set(create["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "415", "429"}
    assert create["security"] == [{"operatorKey": []}]
    assert "Idempotency-Key" in {parameter["name"] for parameter in create["parameters"]}
    assert {parameter["name"] for parameter in listing["parameters"]} == {
        "limit",
        "offset",
        "cursor",
        "audience",
        "code",
        "created_after",
    }
    assert "requestBody" not in paths["/v1/products/key"]["post"]
    assert paths["/v1/products/{id}/advance"]["post"]["operationId"] == "products_advance"
    assert [one["name"] for one in paths["/v1/products/{id}/shout"]["get"]["parameters"]] == ["id", "times"]


def test_the_document_tells_values_as_the_api_takes_them() -> None:
    schemas = described()["components"]["schemas"]

    assert schemas["QuoteRequest"]["additionalProperties"] is False
    assert schemas["NewProductRequest"]["required"] == ["code", "name", "product_type"]
    line = schemas["LineRequest"]["properties"]
    assert line["product"]["pattern"].startswith("^prod_")
    assert line["units"]["oneOf"][0] == {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**18}


def test_the_reference_pages_need_no_key_and_no_foreign_server() -> None:
    answer = Client().get("/v1/docs")

    assert answer.status_code == 200
    assert b"https://" not in answer.content
    assert Client().get("/v1/docs", {"script": ""}).status_code == 200

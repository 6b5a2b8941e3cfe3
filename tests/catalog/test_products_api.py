"""Products and their life cycle over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import Product, RatePlan
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_operator_key, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

BODY = {"code": "chat-api", "name": "Chat API", "product_type": "STANDARD_API"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_product_is_created_read_and_changed(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/products", {**BODY, "description": "Chat", "audience": "PARTNER"})
    product = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/products/{product['id']}"
    assert product == {
        **BODY, "id": product["id"], "description": "Chat", "audience": "PARTNER", "maturity_stage": "EXPERIMENTAL",
        "publish_status": "DRAFT", "openapi_url": "", "documentation_status": None,
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, product, created["ETag"])

    clock.shift(1)
    changed = api.patch(created["Location"], {"name": "Chat", "code": "chat", "description": ""})
    assert changed.status_code == 200
    assert changed.json() == {
        **product, "name": "Chat", "code": "chat", "description": "", "updated_at": "2026-03-10T12:00:01Z"
    }  # fmt: skip
    assert api.get(created["Location"]).json() == changed.json()


PRODUCT_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"code": "Chat API"}, (400, "invalid_code", "code")),
    ({"code": "x" * 101}, (400, "invalid_code", "code")),
    ({"code": "taken"}, (409, "duplicate_code", "code")),
    ({"name": ""}, (400, "invalid_name", "name")),
    ({"audience": "external"}, (400, "invalid_audience", "audience")),
    ({"maturity_stage": "GA"}, (400, "unknown_field", "maturity_stage")),
    ({"colour": "red"}, (400, "unknown_field", "colour")),
]


@pytest.mark.parametrize(("change", "refusal"), PRODUCT_BODIES)
def test_a_product_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    make_product(code="taken")
    other = make_product()

    assert refusal_of(api.post("/v1/products", {**BODY, **change})) == refusal
    assert refusal_of(api.patch(f"/v1/products/{other.id}", change)) == refusal
    assert Product.objects.count() == 2
    assert api.post("/v1/products", BODY).status_code == 201


@pytest.mark.parametrize("missing", BODY)
def test_a_product_lacks_nothing_required(api: APIClient, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}

    assert refusal_of(api.post("/v1/products", body)) == (400, "required", missing)


def test_the_type_of_a_product_is_one_of_ours_and_stays(api: APIClient) -> None:
    refused = api.post("/v1/products", {**BODY, "product_type": "API"})
    created = api.post("/v1/products", {**BODY, "product_type": "MCP_SERVER"})

    assert refusal_of(refused) == (400, "invalid_product_type", "product_type")
    assert created.status_code == 201
    change = api.patch(created["Location"], {"product_type": "AI_AGENT"})
    assert refusal_of(change) == (400, "unknown_field", "product_type")


def test_a_product_goes_one_stage_forward_at_a_time(api: APIClient) -> None:
    path = f"/v1/products/{make_product(stage='EXPERIMENTAL').id}"

    for stage, beyond in [("BETA", "DEPRECATED"), ("GA", "EXPERIMENTAL"), ("DEPRECATED", "GA")]:
        refused = api.post(f"{path}/advance", {"to": beyond})
        assert refusal_of(refused) == (409, "invalid_stage_transition", "to")
        assert error_of(refused)["details"]["allowed"] == [stage]
        advanced = api.post(f"{path}/advance", {"to": stage})
        assert (advanced.status_code, advanced.json()["maturity_stage"]) == (200, stage)

    assert api.post(f"{path}/advance", {"to": "RETIRED"}).status_code == 200
    refused = api.post(f"{path}/advance", {"to": "RETIRED"})
    assert refusal_of(refused) == (409, "invalid_stage_transition", "to")
    assert error_of(refused)["details"]["allowed"] == []
    assert refusal_of(api.post(f"{path}/advance", {"to": "ga"})) == (400, "invalid_to", "to")
    assert refusal_of(api.post(f"{path}/advance")) == (400, "required", "to")


def test_a_product_does_not_retire_under_its_subscribers(api: APIClient) -> None:
    product = make_product()
    make_subscription(plan=make_plan(product=product))
    path = f"/v1/products/{product.id}"

    assert api.post(f"{path}/advance", {"to": "DEPRECATED"}).status_code == 200
    assert code_of(api.post(f"{path}/advance", {"to": "RETIRED"})) == (409, "product_has_subscriptions")
    assert api.get(path).json()["maturity_stage"] == "DEPRECATED"


def test_a_product_with_plans_is_deleted_once_that_is_confirmed(api: APIClient) -> None:
    bare, product = make_product(), make_product()
    make_plan(product=product)
    path = f"/v1/products/{product.id}"
    report = {
        "verdict": "WARN",
        "findings": [
            {
                "code": "rate_plans", "verdict": "WARN", "count": 1,
                "message": "1 rate plan(s), 1 of them active, will be deleted with the product",
            }
        ],
    }  # fmt: skip

    assert api.get(f"/v1/products/{bare.id}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    assert api.delete(f"/v1/products/{bare.id}").status_code == 200
    assert api.get(f"{path}/deletion-check").json() == report
    refused = api.delete(path)
    assert code_of(refused) == (409, "product_deletion_needs_confirmation")
    assert error_of(refused)["details"] == report

    deleted = api.delete(f"{path}?confirm=true")
    assert deleted.status_code == 200
    assert deleted.json() == {"id": product.id, "deleted": True, "deleted_at": "2026-03-10T12:00:00Z"}
    assert code_of(api.get(path)) == (404, "product_not_found")
    assert not RatePlan.objects.exists()


def test_a_product_that_somebody_subscribes_to_is_not_deleted(api: APIClient) -> None:
    product = make_product()
    make_subscription(plan=make_plan(product=product))

    refused = api.delete(f"/v1/products/{product.id}?confirm=true")

    assert code_of(refused) == (409, "product_deletion_blocked")
    assert error_of(refused)["details"]["findings"][0]["code"] == "active_subscriptions"
    assert Product.objects.get() == product


def test_a_product_is_cloned(api: APIClient) -> None:
    product = make_product(product_type="AI_AGENT", audience="PARTNER", description="Talk", publish_status="PUBLISHED")
    make_plan(product=product, code="pro")

    cloned = api.post(f"/v1/products/{product.id}/clone", {"name": "EU", "code": "eu"})

    clone = cloned.json()
    assert (cloned.status_code, cloned["Location"]) == (201, f"/v1/products/{clone['id']}")
    assert clone == {
        **api.get(f"/v1/products/{product.id}").json(), "id": clone["id"], "code": "eu", "name": "EU",
        "maturity_stage": "EXPERIMENTAL", "publish_status": "DRAFT",
    }  # fmt: skip
    assert api.get(cloned["Location"]).json() == clone
    [plan] = api.get(f"/v1/rate-plans?product={clone['id']}").json()["data"]
    assert (plan["code"], plan["status"]) == ("eu-pro", "DRAFT")


def test_a_clone_needs_a_name_and_a_code_of_its_own(api: APIClient) -> None:
    product = make_product(code="chat")
    path = f"/v1/products/{product.id}/clone"

    assert refusal_of(api.post(path, {"name": "EU"})) == (400, "required", "code")
    assert refusal_of(api.post(path, {"code": "eu"})) == (400, "required", "name")
    assert refusal_of(api.post(path, {"name": "EU", "code": "E U"})) == (400, "invalid_code", "code")
    assert refusal_of(api.post(path, {"name": "EU", "code": "chat"})) == (409, "duplicate_code", "code")
    assert Product.objects.get() == product


def test_products_are_listed_newest_first_and_found(api: APIClient) -> None:
    old = make_product(stage="GA", code="old")
    new = make_product(stage="BETA", code="new", product_type="AI_AGENT")

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/products{query}"))

    assert listed() == [new.id, old.id]
    assert (listed("?limit=1"), listed("?limit=1&offset=1")) == ([new.id], [old.id])
    assert (listed("?code=old"), listed("?code=ol")) == ([old.id], [])
    assert listed("?product_type=AI_AGENT") == [new.id]
    assert listed("?maturity_stage=GA") == [old.id]
    assert (listed("?publish_status=DRAFT"), listed("?publish_status=ARCHIVED")) == ([new.id, old.id], [])
    assert (listed("?audience=EXTERNAL"), listed("?audience=INTERNAL")) == ([new.id, old.id], [])
    assert refusal_of(api.get("/v1/products?maturity_stage=ga")) == (400, "invalid_maturity_stage", "maturity_stage")
    assert refusal_of(api.get("/v1/products?name=x")) == (400, "unknown_field", "name")


def test_a_change_of_another_version_is_refused(api: APIClient, clock: time_machine.Traveller) -> None:
    path = f"/v1/products/{make_product().id}"
    read = api.get(path)["ETag"]
    clock.shift(1)

    current = api.patch(path, {"name": "First"}, headers={"If-Match": read})

    assert current.status_code == 200
    assert code_of(api.patch(path, {"name": "Second"}, headers={"If-Match": read})) == (409, "version_mismatch")
    assert code_of(api.delete(path, headers={"If-Match": read})) == (409, "version_mismatch")
    assert api.delete(path, headers={"If-Match": current["ETag"]}).status_code == 200


@pytest.mark.parametrize("pk", ["nonsense", "prod_01h455vb4pex5vsknk084sn02q", "cust_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_product_is_not_found(api: APIClient, pk: str) -> None:
    path = f"/v1/products/{pk}"
    answers = [
        api.get(path),
        api.patch(path, {"name": "New"}),
        api.delete(path),
        api.get(f"{path}/deletion-check"),
        api.post(f"{path}/advance", {"to": "BETA"}),
        api.post(f"{path}/publish-status", {"to": "DRAFT"}),
        api.post(f"{path}/clone", {"name": "N", "code": "n"}),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "product_not_found")}
    assert error_of(answers[0])["message"] == f"Product {pk} not found"


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("catalog:read"), api_of("catalog:write"), APIClient()
    path = f"/v1/products/{make_product().id}"

    assert {reader.get(read).status_code for read in ("/v1/products", path, f"{path}/deletion-check")} == {200}
    for refused in (writer.get("/v1/products"), writer.get(path), reader.post("/v1/products", BODY)):
        assert code_of(refused) == (403, "insufficient_scope")
    verbs = (reader.post(f"{path}/advance", {"to": "BETA"}), reader.post(f"{path}/publish-status", {"to": "DRAFT"}))
    for refused in (reader.patch(path, {}), reader.delete(path), *verbs):
        assert error_of(refused)["details"]["required"] == "catalog:write"
    for refused in (nobody.get("/v1/products"), nobody.post("/v1/products", BODY), nobody.delete(path)):
        assert code_of(refused) == (401, "authentication_required")
    assert writer.post("/v1/products", BODY).status_code == 201


def test_history_names_the_key_that_acted() -> None:
    key, secret = make_operator_key("catalog:write")

    created = APIClient(headers={"Authorization": f"Bearer {secret}"}).post("/v1/products", BODY)

    product = Product.objects.get(pk=created.json()["id"])
    assert [row.history_actor for row in product.history.all()] == [f"operator key {key.name}"]

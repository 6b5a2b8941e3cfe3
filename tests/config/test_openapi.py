"""The OpenAPI document of the whole API, and its browsable form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = ("get", "post", "patch", "delete")

#: From a new customer to a paid invoice, and what is looked at on the way.
WALK = [
    ("post", "/v1/products"),
    ("post", "/v1/products/{id}/advance"),
    ("post", "/v1/products/{id}/publish-status"),
    ("post", "/v1/products/{id}/clone"),
    ("get", "/v1/products/{id}/deletion-check"),
    ("delete", "/v1/products/{id}"),
    ("get", "/v1/products/{id}/documentation"),
    ("post", "/v1/products/{id}/documentation"),
    ("delete", "/v1/products/{id}/documentation"),
    ("post", "/v1/products/{id}/documentation/fetch"),
    ("get", "/v1/catalog-check"),
    ("get", "/v1/storefront/products"),
    ("get", "/v1/storefront/products/{id}"),
    ("post", "/v1/metrics"),
    ("patch", "/v1/metrics/{id}"),
    ("post", "/v1/rate-plans"),
    ("post", "/v1/rate-plans/{id}/activate"),
    ("post", "/v1/rate-plans/{id}/archive"),
    ("post", "/v1/rate-plans/{id}/price"),
    ("post", "/v1/taxes"),
    ("get", "/v1/taxes/{id}/deletion-check"),
    ("post", "/v1/add-ons"),
    ("post", "/v1/coupons"),
    ("post", "/v1/coupons/{id}/terminate"),
    ("post", "/v1/rate-plans/{id}/clone"),
    ("get", "/v1/rate-plans/{id}/diff"),
    ("get", "/v1/gateway-vendors"),
    ("post", "/v1/gateways"),
    ("patch", "/v1/gateways/{id}"),
    ("post", "/v1/gateways/{id}/test"),
    ("post", "/v1/gateways/{id}/check"),
    ("post", "/v1/gateways/{id}/restore"),
    ("get", "/v1/gateways/{id}/capabilities"),
    ("post", "/v1/gateway-mappings"),
    ("post", "/v1/gateway-mappings/{id}/check"),
    ("post", "/v1/gateway-mappings/{id}/restore"),
    ("get", "/v1/gateway-mappings/{id}/limits"),
    ("get", "/v1/customers"),
    ("post", "/v1/customers"),
    ("get", "/v1/customers/{id}"),
    ("patch", "/v1/customers/{id}"),
    ("delete", "/v1/customers/{id}"),
    ("get", "/v1/customers/{id}/deletion-check"),
    ("post", "/v1/customers/{id}/suspend"),
    ("post", "/v1/customers/{id}/reactivate"),
    ("get", "/v1/customers/{id}/api-keys"),
    ("post", "/v1/customers/{id}/api-keys"),
    ("delete", "/v1/customers/{id}/api-keys/{id}"),
    ("get", "/v1/customers/{id}/usage"),
    ("get", "/v1/customers/{id}/current-usage"),
    ("get", "/v1/customers/{id}/price-on-plan"),
    ("get", "/v1/customers/{id}/statement"),
    ("post", "/v1/subscriptions"),
    ("post", "/v1/subscriptions/{id}/terminate"),
    ("get", "/v1/credentials"),
    ("post", "/v1/credentials/{id}/revoke"),
    ("post", "/v1/credentials/verify"),
    ("get", "/v1/gateway-keys"),
    ("get", "/v1/gateway-keys/{id}"),
    ("post", "/v1/gateway-keys/{id}/retry"),
    ("post", "/v1/gateway-keys/{id}/reveal"),
    ("post", "/v1/events"),
    ("post", "/v1/events/batch"),
    ("get", "/v1/events"),
    ("get", "/v1/invoices"),
    ("get", "/v1/invoices/{id}"),
    ("post", "/v1/invoices/{id}/payments"),
    ("get", "/v1/statements"),
    ("post", "/v1/wallets"),
    ("post", "/v1/wallets/{id}/fund"),
    ("post", "/v1/wallets/{id}/holds"),
    ("post", "/v1/holds/{id}/commit"),
    ("post", "/v1/holds/{id}/release"),
]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    answer = Client().get("/v1/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    document: dict[str, Any] = answer.json()
    return document


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with its name for a message."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def test_the_document_is_openapi_3_1(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"

    assert [error.message for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []


def test_the_document_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    GENERATOR_STATS.reset()

    SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]

    assert capsys.readouterr().err == ""
    assert not GENERATOR_STATS


def test_every_operation_says_who_may_call_it_what_it_does_and_what_it_refuses(spec: dict[str, Any]) -> None:
    named = dict(operations(spec))

    assert len(named) > len(WALK)
    assert [name for name, one in named.items() if one.get("security") != [{"operatorKey": []}]] == []
    assert [name for name, one in named.items() if not one.get("summary")] == []
    refusals = {"400", "401", "403", "429"}
    assert [name for name, one in named.items() if not refusals <= set(one["responses"])] == []
    assert [name for name, one in named.items() if not any(code[0] == "2" for code in one["responses"])] == []
    assert len({one["operationId"] for one in named.values()}) == len(named)


def test_every_address_of_the_walk_is_in_the_document(spec: dict[str, Any]) -> None:
    described = {(method, re.sub(r"\{\w+\}", "{id}", path)) for path, item in spec["paths"].items() for method in item}

    assert [one for one in WALK if one not in described] == []


def test_every_body_is_closed_to_unknown_fields(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    # CloudEvents of other senders carry attributes that are not ours to refuse; they have a media type of their own.
    bodies = {
        name: one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for name, one in operations(spec)
        if "application/json" in one.get("requestBody", {}).get("content", {})
    }

    assert {"POST /v1/customers", "PATCH /v1/rate-plans/{id}", "POST /v1/events"} <= set(bodies)
    assert [name for name, body in bodies.items() if schemas[body].get("additionalProperties") is not False] == []


def test_a_list_tells_its_filters_and_a_creation_its_headers(spec: dict[str, Any]) -> None:
    listing, creation = spec["paths"]["/v1/customers"]["get"], spec["paths"]["/v1/customers"]["post"]

    assert {parameter["name"] for parameter in listing["parameters"]} == {
        "limit", "offset", "cursor", "status", "tier", "search", "external_id", "parent", "ancestor", "created_after",
        "created_before", "metadata",
    }  # fmt: skip
    assert {(parameter["in"], parameter["name"]) for parameter in creation["parameters"]} == {
        ("header", "Idempotency-Key")
    }  # fmt: skip
    assert "201" in creation["responses"]
    patterns = {one["name"]: one["schema"].get("pattern", "")[:6] for one in listing["parameters"]}
    assert (patterns["parent"], patterns["ancestor"], patterns["search"]) == ("^cust_", "^cust_", "")


def test_a_value_has_the_bounds_in_the_document_that_it_has_in_the_api(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    keys = spec["paths"]["/v1/customers/{customer_id}/api-keys"]["post"]

    assert next(one for one in keys["parameters"] if one["name"] == "customer_id")["schema"]["pattern"][:6] == "^cust_"
    assert schemas["NewApiKeyRequest"]["properties"]["scopes"]["minItems"] == 1
    budget = schemas["NewTeamRequest"]["properties"]["budget_amount"]["oneOf"][0]
    assert budget == {"type": "number", "minimum": 0, "exclusiveMaximum": 10**18}
    # What must lie in the future has an example that does.
    assert schemas["NewApiKeyRequest"]["properties"]["expires_at"]["examples"] == ["2099-12-31T23:59:59Z"]


def test_the_reference_is_browsed_with_scripts_of_our_own() -> None:
    page = Client().get("/v1/docs")

    text = page.content.decode()
    assert page.status_code == 200
    assert "swagger-ui" in text
    sources = re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    assert sources
    assert [source for source in sources if re.match("(https?:)?//", source)] == []
    script = Client().get("/v1/docs?script=").content.decode()
    assert "/v1/openapi.json" in script
    assert "http://" not in text + script
    assert "https://" not in text + script

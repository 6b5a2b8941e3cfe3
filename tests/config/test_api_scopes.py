"""Which scope every operation of the API asks for, read off the OpenAPI document."""

from __future__ import annotations

import re

import pytest
from rest_framework.test import APIClient

from config.api.document import document
from config.api.json import loads
from config.settings import ROOT_URLCONF
from tests.api_client import api_client, code_of, error_of
from tests.factories import make_customer

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "patch", "delete")

#: Whose scopes an address is opened by: the first that its path begins with.
AREAS = [
    (r"/v1/customers/{\w+}/api-keys", "credentials"),
    (r"/v1/customers/{\w+}/(usage|current-usage|price-on-plan|statement)$", "billing"),
    (r"/v1/(customers|teams|agents|subscribers|subscriptions)\b", "customers"),
    (r"/v1/(credentials|gateway-keys)\b", "credentials"),
    (r"/v1/(products|metrics|rate-plans|add-ons|coupons|taxes|catalog-check)\b", "catalog"),
    (r"/v1/(gateways|gateway-mappings|gateway-vendors)\b", "catalog"),
    (r"/v1/storefront\b", "storefront"),
    (r"/v1/(events|invoices|payments|statements|unclassified-usage|wallets|holds)\b", "billing"),
]


#: What asks for another scope than its area and method would have it.
SPECIAL = {
    ("post", "/v1/events"): "events:write",
    ("post", "/v1/events/batch"): "events:write",
    ("post", "/v1/rate-plans/{id}/price"): "catalog:read",
    ("post", "/v1/gateways"): "gateways:write",
    ("patch", "/v1/gateways/{id}"): "gateways:write",
    ("delete", "/v1/gateways/{id}"): "gateways:write",
    ("post", "/v1/gateways/{id}/test"): "gateways:write",
}


def operations() -> list[tuple[str, str, str]]:
    """Return method, path and scope of every operation."""
    paths = loads(document(ROOT_URLCONF))["paths"]
    return [
        (method, path, SPECIAL.get((method, path)) or f"{area_of(path)}:{'read' if method == 'get' else 'write'}")
        for path, item in paths.items()
        for method in METHODS
        if method in item
    ]


def area_of(path: str) -> str:
    """Return the area that opens the address."""
    return next(area for pattern, area in AREAS if re.match(pattern, path))


OPERATIONS = operations()


def test_every_operation_lets_in_whoever_has_its_scope_and_nobody_else() -> None:
    scopes = sorted({scope for _, _, scope in OPERATIONS})
    clients = {scope: api_client(scope) for scope in scopes}

    for method, path, scope in OPERATIONS:
        address = re.sub(r"{\w+}", "nobody", path)
        for held, client in clients.items():
            answer = getattr(client, method)(address)
            if held == scope:
                assert answer.status_code in (200, 400, 404), (method, path, held)
            else:
                assert code_of(answer) == (403, "insufficient_scope"), (method, path, held)
                assert error_of(answer)["details"] == {"required": scope}
        assert code_of(getattr(APIClient(), method)(address)) == (401, "authentication_required")


def test_the_matrix_is_of_the_whole_api() -> None:
    assert len(OPERATIONS) > 80
    assert {scope.partition(":")[0] for _, _, scope in OPERATIONS} == {
        "billing", "catalog", "credentials", "customers", "events", "gateways", "storefront"
    }  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_address_that_is_only_read_says_so_to_whoever_writes_whatever_the_scopes(method: str) -> None:
    path = f"/v1/customers/{make_customer().id}/usage"

    for client in (api_client(), api_client("catalog:read")):
        assert code_of(client.generic(method, path)) == (405, "method_not_allowed")
    assert api_client().get(path).status_code == 200
    assert code_of(api_client("catalog:read").get(path)) == (403, "insufficient_scope")


def test_a_put_is_told_of_its_method_and_not_of_the_fields_and_parameters_it_came_with() -> None:
    client, path = api_client(), f"/v1/customers/{make_customer().id}?dry_run=1"

    assert code_of(client.put(path, {"name": "Acme"})) == (405, "method_not_allowed")
    assert code_of(client.patch(path, {"name": "Acme"})) == (400, "unknown_field")

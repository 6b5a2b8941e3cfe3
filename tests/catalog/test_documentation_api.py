"""The documentation of products over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from catalog.models import Documentation
from catalog.operations.documentation import fetch_documentation
from tests.api_client import code_of, error_of, refusal_of
from tests.catalog.openapi import PETS, document
from tests.factories import NOW, make_product
from tests.web import Page, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

URL = "https://example.com/openapi.json"


def work() -> None:
    """Do what a worker does."""
    for pk in Documentation.objects.due(NOW).values_list("pk", flat=True):
        fetch_documentation(pk, now=NOW)


def test_an_uploaded_document_becomes_documentation(api: APIClient) -> None:
    product = make_product()
    path = f"/v1/products/{product.id}/documentation"

    assert code_of(api.get(path)) == (404, "documentation_not_found")
    uploaded = api.post(path, {"document": document().decode()})
    assert (uploaded.status_code, uploaded["Location"]) == (201, path)
    nothing = {"openapi": None, "title": None, "version": None, "description": None}
    waiting: dict[str, Any] = {
        "product": product.id, "status": "PENDING", "error": "", "source_url": "",
        "requested_at": "2026-03-10T12:00:00Z", "fetched_at": None, **nothing, "servers": [], "tags": [], "schemas": {},
    }  # fmt: skip
    assert uploaded.json() == api.get(path).json() == waiting
    assert api.get(f"/v1/products/{product.id}").json()["documentation_status"] == "PENDING"

    work()
    read = api.get(path)
    found = read.json()
    assert read["ETag"]
    assert (found["status"], found["title"], found["version"]) == ("FETCHED", "Pets", "2.1")
    assert (found["servers"], found["schemas"]) == (PETS["servers"], PETS["components"]["schemas"])
    paths = [one["path"] for tag in found["tags"] for one in tag["operations"]]
    assert paths == ["/pets/{id}", "/pets/{id}", "/health"]
    [listed] = api.get("/v1/products").json()["data"]
    assert listed["documentation_status"] == "FETCHED"


def test_a_product_is_given_a_url_and_its_documentation_is_fetched(api: APIClient, settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with site({"/": Page(body=document())}) as web:
        body = {"code": "pets", "name": "Pets", "product_type": "STANDARD_API", "openapi_url": web.url()}
        created = api.post("/v1/products", body)
        path = f"{created['Location']}/documentation"

        assert (created.status_code, created.json()["openapi_url"]) == (201, web.url())
        assert created.json()["documentation_status"] == "PENDING"
        work()
        assert (api.get(path).json()["status"], api.get(path).json()["source_url"]) == ("FETCHED", web.url())

        web.pages["/"] = Page(status=500)
        again = api.post(f"{path}/fetch")
        assert (again.status_code, again.json()["status"], again.json()["title"]) == (200, "PENDING", "Pets")
        work()
        failed = api.get(path).json()
        assert (failed["status"], failed["title"]) == ("ERROR", "Pets")
        assert failed["error"] == "The address answers with status 500"

    removed = api.patch(created["Location"], {"openapi_url": ""})
    assert (removed.json()["openapi_url"], removed.json()["documentation_status"]) == ("", None)
    assert code_of(api.get(path)) == (404, "documentation_not_found")


NOWHERE = ["http://example.com/", "https://10.0.0.1/", "https://2130706433/", "https://localhost/", "x"]


@pytest.mark.parametrize("url", [*NOWHERE, "https://example.com/" + "a" * 500])
def test_a_url_that_nobody_would_call_is_refused(api: APIClient, url: str) -> None:
    path = f"/v1/products/{make_product().id}"
    body = {"code": "p", "name": "P", "product_type": "STANDARD_API", "openapi_url": url}

    assert refusal_of(api.post("/v1/products", body)) == (400, "invalid_openapi_url", "openapi_url")
    assert refusal_of(api.patch(path, {"openapi_url": url})) == (400, "invalid_openapi_url", "openapi_url")
    assert api.patch(path, {"openapi_url": URL}).json()["documentation_status"] == "PENDING"


def test_what_cannot_be_asked_for_is_refused(api: APIClient) -> None:
    path = f"/v1/products/{make_product().id}/documentation"

    assert code_of(api.post(f"{path}/fetch")) == (409, "no_openapi_url")
    assert refusal_of(api.post(path, {"document": ""})) == (400, "invalid_document", "document")
    assert refusal_of(api.post(path, {"document": " "})) == (400, "invalid_document", "document")
    assert refusal_of(api.post(path, {})) == (400, "required", "document")
    assert refusal_of(api.post(path, {"document": {}})) == (400, "invalid_document", "document")
    assert refusal_of(api.post(path, {"document": "x" * (5 * 2**20 + 1)})) == (400, "invalid_document", "document")
    assert code_of(api.post(path, {"document": "x" * 50 * 2**20})) == (413, "payload_too_large")
    assert code_of(api.delete(path)) == (404, "documentation_not_found")
    assert api.post(path, {"document": "x" * 5 * 2**20}).status_code == 201


def test_documentation_is_removed(api: APIClient) -> None:
    path = f"/v1/products/{make_product(openapi_url=URL).id}/documentation"
    read = api.get(path)

    assert code_of(api.delete(path, headers={"If-Match": '"another"'})) == (409, "version_mismatch")
    removed = api.delete(path, headers={"If-Match": read["ETag"]})

    assert (removed.status_code, removed.json()["deleted"]) == (200, True)
    assert code_of(api.get(path)) == (404, "documentation_not_found")
    assert api.post(f"{path}/fetch").json()["status"] == "PENDING", "the URL stays"


@pytest.mark.parametrize("pk", ["nonsense", "prod_01h455vb4pex5vsknk084sn02q"])
def test_the_documentation_of_an_unknown_product_is_not_found(api: APIClient, pk: str) -> None:
    path = f"/v1/products/{pk}/documentation"

    for answer in (api.get(path), api.delete(path), api.post(f"{path}/fetch"), api.post(path, {"document": "x"})):
        assert code_of(answer) == (404, "product_not_found")


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    path = f"/v1/products/{make_product(openapi_url=URL).id}/documentation"
    reader, writer = api_of("catalog:read"), api_of("catalog:write")

    assert reader.get(path).status_code == 200
    for refused in (reader.post(path, {"document": "x"}), reader.post(f"{path}/fetch"), reader.delete(path)):
        assert error_of(refused)["details"]["required"] == "catalog:write"
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    assert writer.post(f"{path}/fetch").status_code == 200
    assert code_of(APIClient().get(path)) == (401, "authentication_required")

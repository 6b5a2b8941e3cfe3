"""The documentation of products: fetched or uploaded, checked by a worker, kept until something better has come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from catalog.errors import NoOpenapiUrl
from catalog.events import DocumentationRequested
from catalog.models import Documentation, Product
from catalog.operations.documentation import (
    fetch_documentation,
    remove_documentation,
    request_documentation,
    upload_documentation,
)
from catalog.operations.product_clones import clone_product
from catalog.operations.products import ProductFields, create_product, delete_product, update_product
from config.kernel.errors import Invalid, NotFound
from tests.catalog.documented import fetched, of
from tests.catalog.openapi import BOMB, YAML, document
from tests.events import heard
from tests.factories import NOW, make_product
from tests.web import Page, Site, site

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
JSON = {"Content-Type": "application/json"}


def test_a_product_with_a_url_is_documented_once_a_worker_has_been_there(web: Site) -> None:
    with heard(DocumentationRequested) as requested:
        product = make_product(openapi_url=web.url("/openapi.json"))

    asked = of(product)
    assert requested == [DocumentationRequested(product_id=product.id)]
    assert (asked.status, asked.source_url, asked.outline, web.requests) == ("PENDING", product.openapi_url, None, [])

    found = fetched(product)
    assert (found.status, found.error, found.title, found.fetched_at) == ("FETCHED", "", "Pets", NOW)
    assert bytes(found.document or b"") == document()
    assert web.requests == ["/openapi.json"]
    assert [row.status for row in found.history.order_by("history_id")] == ["PENDING", "FETCHED"]
    assert not fetch_documentation(found.id, now=LATER), "nothing is due any more"


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (Page(status=404), "answers with status 404"),
        (Page(status=500), "answers with status 500"),
        (Page(status=302, headers={"Location": "http://169.254.169.254/"}), "answers with a redirect (302)"),
        (Page(status=301, headers={"Location": "http://127.0.0.2/"}), "answers with a redirect (301)"),
        (Page(body=b"<html></html>", headers={"Content-Type": "text/html; charset=utf-8"}), "answers with text/html"),
        (Page(body=b"<html></html>", headers=JSON), "HTML or XML"),
        (Page(body=b'{"hello": "world"}', headers=JSON), "not OpenAPI 3"),
        (Page(body=BOMB, headers={"Content-Type": "application/yaml"}), "uses YAML aliases"),
        (Page(body=b"x", headers={"Content-Length": str(50 * 2**20)}), "larger than 5 MiB"),
        (Page(body=b"x" * (5 * 2**20 + 1), headers={"Content-Length": ""}), "larger than 5 MiB"),
        (Page(body=document(), headers={**JSON, "Content-Encoding": "gzip"}), "compressed"),
    ],
)
def test_what_cannot_be_documentation_is_an_error_that_says_so(web: Site, page: Page, complaint: str) -> None:
    web.pages["/bad"] = page
    product = make_product(openapi_url=web.url("/bad"))

    found = fetched(product)

    assert (found.status, found.outline, found.document) == ("ERROR", None, None)
    assert complaint in found.error
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    "media_type",
    ["application/yaml", "text/yaml", "application/x-yaml", "text/plain", "application/vnd.oai.openapi+json", ""],
)
def test_the_media_types_that_documents_are_served_as_are_taken(web: Site, media_type: str) -> None:
    web.pages["/yaml"] = Page(body=YAML, headers={"Content-Type": media_type})

    assert fetched(make_product(openapi_url=web.url("/yaml"))).status == "FETCHED"


def test_a_url_that_nobody_answers_at_is_an_error(web: Site) -> None:
    with site() as gone:
        url = gone.url()

    found = fetched(make_product(openapi_url=url))

    assert (found.status, "cannot be reached" in found.error) == ("ERROR", True)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "ftp://example.com/"])
def test_a_url_inside_is_refused_at_once(url: str) -> None:
    product = make_product()

    with pytest.raises(Invalid) as refusal:
        create_product(ProductFields(code="p", name="P", openapi_url=url), product_type="STANDARD_API", now=NOW)
    assert refusal.value.param == "openapi_url"
    with pytest.raises(Invalid):
        update_product(product.id, openapi_url=url, now=NOW)
    assert Product.objects.get() == product
    assert not Documentation.objects.exists()


def test_a_name_that_leads_inside_is_an_error_and_nobody_hears_of_it(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    with site({"/": Page(body=document(), headers=JSON)}) as canary:
        settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.9/32"]
        found = fetched(make_product(openapi_url=f"http://localhost:{canary.port}/"))

        assert (found.status, canary.connections) == ("ERROR", 0)
        assert "not on the public internet" in found.error


def test_what_there_is_stays_until_something_better_has_come(web: Site) -> None:
    product = make_product(openapi_url=web.url("/openapi.json"))
    fetched(product)
    web.pages["/openapi.json"] = Page(status=503)

    assert request_documentation(product.id, now=LATER).title == "Pets"
    failed = fetched(product)
    assert (failed.status, failed.error, failed.title) == ("ERROR", "The address answers with status 503", "Pets")

    web.pages["/openapi.json"] = Page(body=document(info={"title": "Cats", "version": "3"}), headers=JSON)
    request_documentation(product.id, now=LATER)
    assert (fetched(product).title, of(product).error) == ("Cats", "")


def test_the_documentation_follows_the_url(web: Site) -> None:
    product = make_product(openapi_url=web.url("/openapi.json"))
    fetched(product)
    web.pages["/cats"] = Page(body=document(info={"title": "Cats", "version": "3"}), headers=JSON)

    update_product(product.id, openapi_url=web.url("/cats"), now=LATER)
    assert fetched(product).title == "Cats"
    update_product(product.id, name="Renamed", now=LATER)
    assert of(product).status == "FETCHED"
    update_product(product.id, openapi_url="", now=LATER)
    assert not Documentation.objects.exists()
    with pytest.raises(NoOpenapiUrl):
        request_documentation(product.id, now=LATER)


def test_an_uploaded_document_is_checked_by_a_worker_too() -> None:
    product = make_product()

    asked = upload_documentation(product.id, document=document(), now=NOW)
    assert (asked.status, asked.source_url, asked.outline) == ("PENDING", "", None)
    assert fetched(product).title == "Pets"
    assert of(product).waiting is None

    upload_documentation(product.id, document=b'{"hello": "world"}', now=LATER)
    assert (fetched(product).status, of(product).title) == ("ERROR", "Pets")
    update_product(product.id, name="Renamed", openapi_url="", now=LATER)
    assert of(product).title == "Pets", "it did not come from the URL"


def test_a_document_that_is_empty_or_too_large_is_not_taken() -> None:
    product = make_product()

    for body in (b"", b" \n", b"x" * (5 * 2**20 + 1)):
        with pytest.raises(Invalid, match=r"empty|larger than 5 MiB"):
            upload_documentation(product.id, document=body, now=NOW)
    assert not Documentation.objects.exists()
    assert upload_documentation(product.id, document=b"x" * 5 * 2**20, now=NOW).status == "PENDING"


def test_documentation_is_removed_once() -> None:
    product = make_product()
    upload_documentation(product.id, document=document(), now=NOW)

    remove_documentation(product.id)

    assert not Documentation.objects.exists()
    with pytest.raises(NotFound):
        remove_documentation(product.id)


def test_documentation_goes_with_its_product_without_a_question() -> None:
    product = make_product()
    upload_documentation(product.id, document=document(), now=NOW)

    assert delete_product(product.id, confirm=False).findings == ()
    assert not Documentation.objects.exists()


def test_a_clone_has_the_documentation_of_its_original(web: Site) -> None:
    product = make_product(openapi_url=web.url("/openapi.json"))
    waiting = clone_product(product.id, name="Early", code="early", now=NOW)
    fetched(product)

    clone = clone_product(product.id, name="EU", code="eu", now=LATER)

    assert (clone.openapi_url, of(clone).title, of(clone).status) == (product.openapi_url, "Pets", "FETCHED")
    assert of(waiting).status == "PENDING"
    assert fetched(waiting).title == "Pets"
    delete_product(product.id, confirm=False)
    assert of(clone).title == "Pets"
    assert clone_product(make_product().id, name="Bare", code="bare", now=NOW).openapi_url == ""


@pytest.mark.parametrize(
    "change",
    [{"status": "LOST"}, {"error": "Late"}, {"status": "ERROR"}, {"status": "FETCHED"}],
)
def test_the_database_knows_what_a_status_comes_with(change: dict[str, str]) -> None:
    upload_documentation(make_product().id, document=document(), now=NOW)

    with pytest.raises(IntegrityError, match="documentation_"), transaction.atomic():
        Documentation.objects.update(**change)
    assert Documentation.objects.update(status="ERROR", error="Late") == 1

"""The documentation of products at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.admin.documentation import SHOWN_OPERATIONS, outline_shown, schema_text
from catalog.models import Documentation, Product
from catalog.operations.documentation import fetch_documentation, upload_documentation
from tests.catalog.openapi import document
from tests.factories import NOW, make_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

URL = "https://example.com/openapi.json"


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_product_{page}", args=arguments)


def documented(body: bytes = document()) -> Product:
    """Return a product whose document a worker has read."""
    product = make_product()
    assert fetch_documentation(upload_documentation(product.id, document=body, now=NOW).id, now=NOW)
    return product


def test_the_page_of_a_product_shows_what_its_document_says(desk: Client, reader: Client) -> None:
    product = documented()

    told = ["Fetched", "Pets", "2.1", "https://pets.example.com/v2", "/pets/{id}", "Return a pet"]
    for browser in (desk, reader):
        page = browser.get(url("change", product.pk)).content.decode()
        assert [text for text in [*told, "application/json: Pet"] if text not in page] == []
    assert "There is none." in desk.get(url("change", make_product().pk)).content.decode()


def test_the_page_says_why_a_document_cannot_be_shown_and_keeps_the_last_one(desk: Client) -> None:
    product = documented()
    fetch_documentation(upload_documentation(product.id, document=b"<html>", now=NOW).id, now=NOW)

    page = desk.get(url("change", product.pk)).content.decode()

    assert "HTML or XML" in page
    assert "the last document that could be read" in page
    assert "Return a pet" in page


def test_what_a_stranger_writes_in_a_document_runs_nowhere(desk: Client) -> None:
    hostile = "<script>alert(1)</script>"
    product = documented(document(info={"title": hostile, "version": hostile, "description": hostile}))

    page = desk.get(url("change", product.pk)).content.decode()

    assert hostile not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_form_takes_a_url_and_refuses_one_inside(desk: Client) -> None:
    form = {"product_type": "STANDARD_API", "code": "p", "name": "P", "audience": "EXTERNAL"}

    refused = desk.post(url("add"), {**form, "openapi_url": "https://10.0.0.1/openapi.json"})
    assert "not on the public internet" in str(refused.context["adminform"].form.errors["openapi_url"])
    assert not Product.objects.exists()
    desk.post(url("add"), {**form, "openapi_url": URL})
    assert Documentation.objects.get().source_url == URL


def test_documentation_is_fetched_uploaded_and_removed(desk: Client) -> None:
    product = make_product(openapi_url=URL)
    upload = {"document": SimpleUploadedFile("pets.json", document())}

    for page, asked in (("fetch_documentation", {}), ("upload_documentation", upload)):
        assert desk.get(url(page, product.pk)).status_code == 200
        desk.post(url(page, product.pk), {"confirmed": "yes", "reason": "As agreed", **asked})
        found = Documentation.objects.get()
        row = found.history.latest("history_id")
        assert (found.status, row.history_actor, row.history_change_reason) == ("PENDING", "olga", "As agreed")
    assert bytes(found.waiting or b"") == document()

    desk.post(url("remove_documentation", product.pk), {"confirmed": "yes", "reason": "Wrong one"})
    assert not Documentation.objects.exists()


def test_a_reader_changes_no_documentation(reader: Client) -> None:
    product = make_product(openapi_url=URL)

    for page in ("fetch_documentation", "upload_documentation", "remove_documentation"):
        assert reader.post(url(page, product.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403
    assert Documentation.objects.get().request_number == 1


def test_a_page_shows_so_many_operations_as_it_bears() -> None:
    operation: dict[str, Any] = {"parameters": [], "request": None, "responses": []}
    tags = [{"name": name, "operations": [operation] * (SHOWN_OPERATIONS // 2 + 1)} for name in ("a", "b", "c")]

    shown = outline_shown({"tags": tags})

    assert [len(tag["operations"]) for tag in shown["tags"]] == [SHOWN_OPERATIONS // 2 + 1, SHOWN_OPERATIONS // 2 - 1]
    assert shown["unnamed"] == 3 * (SHOWN_OPERATIONS // 2 + 1) - SHOWN_OPERATIONS


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"$ref": "#/components/schemas/Pet"}, "Pet"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}, "list of Pet"),
        ({"type": "string"}, "string"),
        ({"type": "object", "title": "x"}, '{"type": "object", "title": "x"}'),
        (True, ""),
        (None, ""),
    ],
)
def test_a_schema_is_told_by_its_name_or_type(schema: Any, text: str) -> None:
    assert schema_text(schema) == text

"""The documentation of a product in the admin: what its OpenAPI document says, how it is fetched, uploaded, removed."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.models import Documentation, DocumentationStatus, Product
from catalog.openapi.parsing import MAX_BYTES
from catalog.operations.documentation import remove_documentation, request_documentation, upload_documentation
from config.kernel.admin import ActionForm, Colour, ModelAdmin, action, badge, display

STATUS_COLOURS: dict[str, Colour] = {
    DocumentationStatus.PENDING: "info",
    DocumentationStatus.FETCHED: "success",
    DocumentationStatus.ERROR: "danger",
}


#: How many operations a page shows, and how much of a schema that has no name.
SHOWN_OPERATIONS = 300
LONGEST_SCHEMA = 500


class UploadForm(ActionForm):
    """The file."""

    document = forms.FileField(
        label="OpenAPI document", help_text=f"OpenAPI 3 in JSON or YAML, at most {MAX_BYTES // 2**20} MiB."
    )


def has_url(product: Product) -> bool:
    """Tell whether there is something to fetch from."""
    return bool(product.openapi_url)


def has_documentation(product: Product) -> bool:
    """Tell whether there is documentation, or a request for some."""
    return Documentation.objects.filter(product=product).exists()


@display(description="documentation")
def documentation_shown(product: Product) -> str:
    """Print the status of the newest request, and below it what the last document that could be read says."""
    found = Documentation.objects.filter(product=product).defer("document", "waiting").first()
    status = found and badge(found.get_status_display(), STATUS_COLOURS[found.status])
    context = {"found": found, "status": status, **(outline_shown(found.outline) if found and found.outline else {})}
    return render_to_string("catalog/documentation.html", context)


def outline_shown(outline: dict[str, Any]) -> dict[str, Any]:
    """Return the tags with their operations as the page prints them, so many as it bears, and how many are left."""
    left = SHOWN_OPERATIONS
    tags = []
    for tag in outline["tags"]:
        shown = tag["operations"][:left]
        left -= len(shown)
        tags.append({**tag, "operations": [operation_shown(one) for one in shown]})
    unnamed = sum(len(tag["operations"]) for tag in outline["tags"]) - (SHOWN_OPERATIONS - left)
    return {"tags": [tag for tag in tags if tag["operations"]], "unnamed": unnamed}


def operation_shown(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with its schemas in words."""
    return {
        **operation,
        "parameters": [{**one, "schema": schema_text(one["schema"])} for one in operation["parameters"]],
        "request": contents_shown(operation["request"]["content"]) if operation["request"] else [],
        "responses": [{**one, "content": contents_shown(one["content"])} for one in operation["responses"]],
    }


def contents_shown(contents: list[dict[str, Any]]) -> list[str]:
    """Return each media type with its schema in words."""
    return [f"{one['media_type']}: {schema_text(one['schema'])}" for one in contents]


def schema_text(schema: Any) -> str:
    """Return what a schema is called where it has a name, else its type or its beginning: ``Pet``, ``list of Pet``."""
    if not isinstance(schema, dict):
        return ""
    if isinstance(schema.get("$ref"), str):
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array" and (items := schema_text(schema.get("items"))):
        return f"list of {items}"
    if isinstance(schema.get("type"), str) and schema["type"] != "object":
        return str(schema["type"])
    return json.dumps(schema)[:LONGEST_SCHEMA]


class DocumentationActions(ModelAdmin):
    """What an operator can do about a product's documentation."""

    @action("Fetch OpenAPI", permissions=["change"], when=has_url, reason="optional", icon="sync")
    def fetch_documentation(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The OpenAPI document is fetched from its URL again; what there is stays until then."""
        request_documentation(product_id, now=timezone.now())
        return "The documentation is being fetched."

    @action("Upload OpenAPI", permissions=["change"], form=UploadForm, reason="optional", icon="upload_file")
    def upload_documentation(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """The documentation is made from the file once it has been checked; what there is stays until then."""
        upload_documentation(product_id, document=cleaned["document"].read(), now=timezone.now())
        return "The documentation is being checked."

    @action("Remove OpenAPI", permissions=["change"], when=has_documentation, danger=True, icon="scan_delete")
    def remove_documentation(self, request: HttpRequest, product_id: str, cleaned: dict[str, Any]) -> str:
        """What customers read of the API goes; the OpenAPI URL stays, for another time."""
        remove_documentation(product_id)
        return "The documentation is removed."

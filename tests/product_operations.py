"""The operations on products and their documentation, for the table of what each leaves in history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalog.operations import documentation, product_clones, products
from tests.factories import NOW, make_charge, make_metric, make_plan, make_product

LATER = NOW + timedelta(hours=1)

#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
PRODUCT_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_product",
        lambda: products.ProductFields(code="p", name="P"),
        lambda made: products.create_product(made, product_type="MCP_SERVER", now=NOW),
        {"product": 1},
    ),
    (
        "update_product",
        make_product,
        lambda made: products.update_product(made.id, name="New", description="New", now=LATER),
        {"product": 1},
    ),
    (
        "advance_product",
        make_product,
        lambda made: products.advance_product(made.id, to="DEPRECATED", now=LATER),
        {"product": 1},
    ),
    (
        "set_publish_status",
        make_product,
        lambda made: products.set_publish_status(made.id, to="IN_REVIEW", now=LATER),
        {"product": 1},
    ),
    (
        "clone_product",
        lambda: make_plan(charges=[make_charge(make_metric())]),
        lambda made: product_clones.clone_product(made.product_id, name="C", code="c", now=LATER),
        {"product": 1, "rateplan": 1, "charge": 1},
    ),
    (
        "request_documentation",
        lambda: make_product(openapi_url="https://example.com/openapi.json"),
        lambda made: documentation.request_documentation(made.id, now=LATER),
        {"documentation": 1},
    ),
    (
        "upload_documentation",
        make_product,
        lambda made: documentation.upload_documentation(made.id, document=b"openapi: 3.1.0", now=LATER),
        {"documentation": 1},
    ),
    (
        "fetch_documentation",
        lambda: documentation.upload_documentation(make_product().id, document=b"openapi: 3.1.0", now=NOW),
        lambda made: documentation.fetch_documentation(made.id, now=LATER),
        {"documentation": 1},
    ),
    (
        "remove_documentation",
        lambda: documentation.upload_documentation(make_product().id, document=b"openapi: 3.1.0", now=NOW),
        lambda made: documentation.remove_documentation(made.product_id),
        {"documentation": 1},
    ),
    (
        "delete_product",
        lambda: make_plan(charges=[make_charge(make_metric())]),
        lambda made: products.delete_product(made.product_id, confirm=True),
        {"product": 1, "rateplan": 1, "charge": 1},
    ),
]

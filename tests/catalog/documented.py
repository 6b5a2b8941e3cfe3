"""The documentation of a product, as it is and as a worker leaves it."""

from __future__ import annotations

from catalog.models import Documentation, Product
from catalog.operations.documentation import fetch_documentation
from tests.factories import NOW


def of(product: Product) -> Documentation:
    return Documentation.objects.get(product=product)


def fetched(product: Product) -> Documentation:
    """Do what a worker does, and return what came of it."""
    assert fetch_documentation(of(product).id, now=NOW)
    return of(product)

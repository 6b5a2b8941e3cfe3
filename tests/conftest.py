"""What every test of the suite relies on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import UNCLASSIFIED_ID, Customer
from tests.factories import make_operator_key

DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.fixture(autouse=True)
def _unclassified_customer(request: pytest.FixtureRequest) -> None:
    """
    Put the UNCLASSIFIED customer back where it is missing.

    A migration makes it, and a test that commits ends by emptying every table.
    """
    if request.node.get_closest_marker("django_db") is None and not DATABASE_FIXTURES & set(request.fixturenames):
        return
    # Which of the two it means, the marker of the test decides.
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    now = timezone.now()
    row = {"name": "UNCLASSIFIED", "email": "unclassified@meterdesk.invalid", "created_at": now, "updated_at": now}
    Customer.objects.get_or_create(pk=UNCLASSIFIED_ID, defaults=row)


@pytest.fixture
def api_of() -> Callable[..., APIClient]:
    """Return the function from scopes to a client of the API with a key that has them."""

    def client_of(*scopes: str) -> APIClient:
        _, secret = make_operator_key(*scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return client_of


@pytest.fixture
def api(api_of: Callable[..., APIClient]) -> APIClient:
    """Return a client of the API that may do everything."""
    return api_of("*")

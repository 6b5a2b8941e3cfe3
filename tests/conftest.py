"""What every test of the suite relies on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import UNCLASSIFIED_ID, Customer
from tests.api_client import api_client
from tests.factories import NOW, make_clerk, make_operator

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
    return api_client


@pytest.fixture
def api(api_of: Callable[..., APIClient]) -> APIClient:
    """Return a client of the API that may do everything."""
    return api_of("*")


@pytest.fixture
def clock_at_now() -> Iterator[None]:
    """Stop the clock that interfaces read at the moment most tests happen at."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(client: Client) -> Client:
    """Return the browser of an operator who may do everything."""
    client.force_login(make_operator(username="olga"))
    return client


@pytest.fixture
def reader() -> Client:
    """Return the browser of somebody who may only look."""
    client = Client()
    client.force_login(make_clerk())
    return client

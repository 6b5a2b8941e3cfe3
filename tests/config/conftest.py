"""What the tests of the admin's base have in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import make_operator


@pytest.fixture
def desk_without_navigation(settings: Any) -> None:
    """Leave out the product's navigation and dashboard, whose pages the private site of these tests has not got."""
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {}, "DASHBOARD_CALLBACK": None}


@pytest.fixture
def operator() -> User:
    return make_operator(username="olga")


@pytest.fixture
def browser(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client

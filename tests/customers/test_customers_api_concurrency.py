"""Requests about one customer at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from credentials.models import Credential
from customers.models import Customer
from tests.api_client import code_of
from tests.factories import make_customer

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


def at_once(*requests: Callable[[], Any]) -> list[Any]:
    """Return the answers to requests sent at the same moment, each on a connection of its own."""
    start = Barrier(len(requests))

    def send(request: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return request()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_two_creations_with_one_email_make_one_customer(api: APIClient) -> None:
    for number in range(ROUNDS):
        body = {"name": "Twin", "email": f"twin-{number}@example.com"}
        upper = {"name": "Twin", "email": f"TWIN-{number}@example.com"}

        answers = at_once(partial(api.post, "/v1/customers", body), partial(api.post, "/v1/customers", upper))

        refused = next(answer for answer in answers if answer.status_code != 201)
        assert code_of(refused) == (409, "duplicate_email")
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert Customer.objects.filter(email__iexact=body["email"]).count() == 1
        assert Credential.objects.count() == number + 1


def test_two_changes_of_metadata_are_both_kept(api: APIClient) -> None:
    for _ in range(ROUNDS):
        path = f"/v1/customers/{make_customer(metadata={'kept': 1}).id}"

        answers = at_once(
            partial(api.patch, path, {"metadata": {"one": 1}}),
            partial(api.patch, path, {"metadata": {"two": 2}}),
        )

        assert [answer.status_code for answer in answers] == [200, 200]
        assert api.get(path).json()["metadata"] == {"kept": 1, "one": 1, "two": 2}

"""Usage of nobody known over the API: what there is, whose it probably is, and moving it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from billing.models import UsageReassignment
from billing.operations.billing_runs import bill_due
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.subscribers import reassign_subscriber
from tests.api_client import code_of, error_of, refusal_of
from tests.billing.bills import APRIL, JUNE, MARCH
from tests.billing.unclassified import LOST, by_tokens, events_of, lose
from tests.factories import make_customer, make_subscriber

pytestmark = pytest.mark.django_db

LIST = "/v1/unclassified-usage"
REASSIGN = f"{LIST}/reassign"
NOBODY = "cust_01h455vb4pex5vsknk084sn02q"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with time_machine.travel(JUNE, tick=False):
        yield


def listed(api: APIClient, **parameters: Any) -> list[dict[str, Any]]:
    answer = api.get(LIST, parameters)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def suggested(api: APIClient) -> dict[str, str | None]:
    """Return the customer suggested for each thing that was named."""
    return {row["named"]: row["suggested_customer"] for row in listed(api)}


def reassign(api: APIClient, customer: Customer | str, **chosen: str) -> Any:
    whose = customer if isinstance(customer, str) else customer.id
    return api.post(REASSIGN, {"customer": whose, **chosen}, format="json")


def test_usage_is_listed_by_what_it_named_and_whose_it_is_the_latest_first(api: APIClient) -> None:
    bob = make_subscriber(email="bob@acme.com")
    lose(MARCH + DAY, MARCH + 3 * DAY, MARCH + 2 * DAY)
    lose(MARCH, whose={"customer": NOBODY, "subscriber": bob.id}, prefix="bob")
    lose(MARCH + 9 * DAY, whose={"subscriber": "eve@acme.com"}, prefix="eve")

    assert listed(api) == [
        {
            "named": "subscriber eve@acme.com",
            "subscriber": None,
            "events": 1,
            "first_at": "2026-03-10T00:00:00Z",
            "last_at": "2026-03-10T00:00:00Z",
            "suggested_customer": None,
        },
        {
            "named": LOST,
            "subscriber": None,
            "events": 3,
            "first_at": "2026-03-02T00:00:00Z",
            "last_at": "2026-03-04T00:00:00Z",
            "suggested_customer": None,
        },
        {
            "named": LOST,
            "subscriber": bob.id,
            "events": 1,
            "first_at": "2026-03-01T00:00:00Z",
            "last_at": "2026-03-01T00:00:00Z",
            "suggested_customer": None,
        },
    ]


def test_usage_whose_customer_is_known_is_not_listed(api: APIClient) -> None:
    lose(MARCH)
    assert len(listed(api)) == 1

    reassign(api, make_customer(), named=LOST)

    assert listed(api) == []


def test_the_only_customer_with_the_domain_is_suggested(api: APIClient) -> None:
    acme = make_customer(associated_domains=["acme.com", "shared.com"])
    make_customer(associated_domains=["shared.com"])
    known = make_subscriber(email="known@ACME.com")
    lose(MARCH, whose={"subscriber": known.id}, prefix="known")
    for name in ("bob@acme.com", "eve@shared.com", "zoe@unknown.com", "acme.com", "@acme.com"):
        lose(MARCH, whose={"subscriber": name}, prefix=name)
    lose(MARCH)

    assert suggested(api) == {
        f"subscriber {known.id}": acme.id,
        "subscriber bob@acme.com": acme.id,
        "subscriber eve@shared.com": None,
        "subscriber zoe@unknown.com": None,
        "subscriber acme.com": None,
        "subscriber @acme.com": acme.id,
        LOST: None,
    }


def test_what_stayed_behind_is_suggested_to_whom_its_subscriber_belongs(api: APIClient) -> None:
    subscription = by_tokens()
    bob = make_subscriber(email="bob@acme.com")
    make_customer(associated_domains=["acme.com"])
    lose(MARCH, whose={"subscriber": bob.id})
    bill_due(now=APRIL)
    reassign_subscriber(bob.id, customer=subscription.customer_id, now=JUNE)

    assert suggested(api) == {f"subscriber {bob.id}": subscription.customer_id}


def test_the_list_comes_in_pages_and_takes_as_many_queries_for_many_as_for_one(api: APIClient) -> None:
    make_customer(associated_domains=["acme.com"])
    lose(MARCH, whose={"subscriber": "0@acme.com"}, prefix="0")
    with CaptureQueriesContext(connection) as one:
        listed(api)
    for number in range(1, 5):
        lose(MARCH + number * DAY, whose={"subscriber": f"{number}@acme.com"}, prefix=str(number))
        lose(MARCH, whose={"subscriber": make_subscriber(email=f"known-{number}@acme.com").id}, prefix=f"k{number}")

    with CaptureQueriesContext(connection) as many:
        found = listed(api)
    page = api.get(LIST, {"limit": 2, "offset": 1}).json()

    assert len(many) == len(one)
    assert len(found) == 9
    assert [row["named"] for row in page["data"]] == ["subscriber 3@acme.com", "subscriber 2@acme.com"]
    assert (page["pagination"]["total"], page["pagination"]["has_more"]) == (9, True)
    assert api.get(LIST, {"named": LOST}).json()["error"]["code"] == "unknown_field"


def test_usage_moves_to_the_customer_by_what_it_named(api: APIClient) -> None:
    subscription = by_tokens()
    lose(MARCH, APRIL, prefix="lost")
    lose(APRIL, prefix="bad", tokens="many")
    bill_due(now=APRIL)

    answer = reassign(api, subscription.customer, named=LOST)

    assert (answer.status_code, answer.json()) == (200, {"moved": 1, "kept": 2, "is_complete": True})
    assert (events_of(subscription.customer), events_of(UNCLASSIFIED_ID)) == (1, 2)
    assert UsageReassignment.objects.get().actor.startswith("operator key")


def test_usage_moves_to_the_customer_by_its_subscriber(api: APIClient) -> None:
    customer, bob = make_customer(), make_subscriber()
    lose(MARCH, whose={"subscriber": bob.id})
    lose(MARCH, prefix="other")

    assert reassign(api, customer, subscriber=bob.id).json()["moved"] == 1

    assert (events_of(customer), events_of(UNCLASSIFIED_ID)) == (1, 1)


def test_the_same_key_moves_once_and_answers_the_same(api: APIClient) -> None:
    customer = make_customer()
    lose(MARCH)
    body = {"customer": customer.id, "named": LOST}

    first, again = (api.post(REASSIGN, body, format="json", HTTP_IDEMPOTENCY_KEY="once") for _ in range(2))

    assert first.json() == again.json() == {"moved": 1, "kept": 0, "is_complete": True}
    assert again["Idempotency-Replayed"] == "true"


def test_what_cannot_be_meant_is_refused(api: APIClient) -> None:
    customer = make_customer()
    lose(MARCH)

    assert refusal_of(reassign(api, customer)) == (400, "invalid_named", "named")
    assert refusal_of(reassign(api, NOBODY, named=LOST)) == (404, "customer_not_found", "customer")
    assert refusal_of(reassign(api, str(UNCLASSIFIED_ID), named=LOST)) == (404, "customer_not_found", "customer")
    assert refusal_of(reassign(api, "acme", named=LOST)) == (400, "invalid_customer", "customer")
    assert refusal_of(reassign(api, customer, named="")) == (400, "invalid_named", "named")
    assert refusal_of(reassign(api, customer, named="x" * 301)) == (400, "invalid_named", "named")
    unknown = "subr_01h455vb4pex5vsknk084sn02q"
    assert refusal_of(reassign(api, customer, subscriber=unknown)) == (404, "subscriber_not_found", "subscriber")
    assert error_of(api.post(REASSIGN, {"named": LOST}, format="json"))["code"] == "required"

    assert events_of(UNCLASSIFIED_ID) == 1
    assert reassign(api, customer, named=LOST).status_code == 200


def test_whoever_may_only_read_moves_nothing(api_of: Callable[..., APIClient]) -> None:
    customer = make_customer()
    lose(MARCH)

    assert code_of(reassign(api_of("billing:read"), customer, named=LOST)) == (403, "insufficient_scope")
    assert code_of(api_of("customers:read").get(LIST)) == (403, "insufficient_scope")

    assert len(listed(api_of("billing:read"))) == 1
    assert reassign(api_of("billing:write"), customer, named=LOST).json()["moved"] == 1

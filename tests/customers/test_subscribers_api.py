"""Subscribers over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Subscriber
from customers.operations.deletion import delete_customer
from tests.api_client import code_of, ids_of, refusal_of
from tests.factories import NOW, make_customer, make_subscriber

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_subscriber_is_created_read_changed_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    customer = make_customer()
    body = {
        "customer": customer.id, "email": "bob@acme.com", "first_name": "Bob", "last_name": "Bo", "subscriber_id": "U-1"
    }  # fmt: skip

    created = api.post("/v1/subscribers", body)
    subscriber = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/subscribers/{subscriber['id']}")
    assert subscriber == {
        **body, "id": subscriber["id"], "suggested_customer": None, "created_at": "2026-03-10T12:00:00Z",
        "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.json(), read["ETag"]) == (subscriber, created["ETag"])
    assert api.get("/v1/subscribers").json()["data"] == [subscriber]

    clock.shift(HOUR)
    changed = api.patch(created["Location"], {"email": "rob@acme.com", "last_name": "", "subscriber_id": None})
    assert changed.json() == {
        **subscriber, "email": "rob@acme.com", "last_name": "", "subscriber_id": subscriber["id"],
        "updated_at": "2026-03-10T13:00:00Z",
    }  # fmt: skip

    deleted = api.delete(created["Location"])
    assert (deleted.status_code, deleted.json()) == (
        200, {"id": subscriber["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    )  # fmt: skip
    assert code_of(api.get(created["Location"])) == (404, "subscriber_not_found")


def test_an_email_is_all_a_subscriber_needs_and_its_customer_is_suggested_and_taken(api: APIClient) -> None:
    customer = make_customer(associated_domains=["acme.com"])

    created = api.post("/v1/subscribers", {"email": "Bob@Acme.com"})
    subscriber = created.json()

    assert (subscriber["customer"], subscriber["subscriber_id"]) == (UNCLASSIFIED_ID, subscriber["id"])
    assert subscriber["suggested_customer"] == customer.id
    assert api.get(created["Location"]).json() == subscriber
    assert api.get("/v1/subscribers").json()["data"] == [subscriber]

    moved = api.patch(created["Location"], {"customer": subscriber["suggested_customer"]}).json()
    assert (moved["customer"], moved["suggested_customer"]) == (customer.id, None)
    assert api.patch(created["Location"], {"customer": customer.id}).status_code == 200
    for other in (make_customer().id, UNCLASSIFIED_ID):
        refused = api.patch(created["Location"], {"customer": other})
        assert refusal_of(refused) == (409, "subscriber_customer_locked", "customer")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"email": "bob"}, "invalid_email", "email"),
        ({"email": ""}, "invalid_email", "email"),
        ({"email": None}, "invalid_email", "email"),
        ({"email": f"{'b' * 250}@acme.com"}, "invalid_email", "email"),
        ({"first_name": "x" * 101}, "invalid_first_name", "first_name"),
        ({"last_name": 5}, "invalid_last_name", "last_name"),
        ({"subscriber_id": "x" * 256}, "invalid_subscriber_id", "subscriber_id"),
        ({"customer": "acme"}, "invalid_customer", "customer"),
        ({"suggested_customer": UNCLASSIFIED_ID}, "unknown_field", "suggested_customer"),
        ({"name": "Bob"}, "unknown_field", "name"),
    ],
)
def test_a_subscriber_that_is_not_well_formed_is_refused(
    api: APIClient, change: dict[str, Any], code: str, param: str
) -> None:
    subscriber = make_subscriber()

    assert refusal_of(api.post("/v1/subscribers", {"email": "bob@acme.com", **change})) == (400, code, param)
    assert refusal_of(api.patch(f"/v1/subscribers/{subscriber.id}", change)) == (400, code, param)

    assert Subscriber.objects.get().updated_at == NOW
    assert api.post("/v1/subscribers", {"email": "bob@acme.com", "subscriber_id": "x" * 255}).status_code == 201


def test_what_is_missing_unknown_or_taken_is_refused(api: APIClient) -> None:
    subscriber = make_subscriber(email="bob@acme.com", subscriber_id="U-1")
    gone = delete_customer(make_customer().id, confirm=True, now=NOW)

    assert refusal_of(api.post("/v1/subscribers", {})) == (400, "required", "email")
    for answer in (
        api.post("/v1/subscribers", {"email": "a@acme.com", "customer": gone.id}),
        api.patch(f"/v1/subscribers/{subscriber.id}", {"customer": gone.id}),
    ):
        assert refusal_of(answer) == (404, "customer_not_found", "customer")
    taken = api.post("/v1/subscribers", {"email": "BOB@acme.com"})
    assert refusal_of(taken) == (409, "duplicate_email", "email")
    taken = api.post("/v1/subscribers", {"email": "a@acme.com", "subscriber_id": "U-1"})
    assert refusal_of(taken) == (409, "duplicate_subscriber_id", "subscriber_id")
    assert api.post("/v1/subscribers", {"email": "BOB@acme.com", "customer": make_customer().id}).status_code == 201


def test_deleting_a_subscriber_with_keys_needs_confirmation(api: APIClient) -> None:
    subscriber = make_subscriber(customer=make_customer())
    issue_customer_key(subscriber.customer_id, name="Laptop", scopes=["*"], subscriber=subscriber.id, now=NOW)
    path = f"/v1/subscribers/{subscriber.id}"

    refused = api.delete(path)

    assert code_of(refused) == (409, "subscriber_deletion_needs_confirmation")
    details = refused.json()["error"]["details"]
    assert (details["subscriber_id"], details["verdict"]) == (subscriber.id, "WARN")
    assert [finding["code"] for finding in details["findings"]] == ["active_api_keys"]
    assert api.delete(f"{path}?confirm=true").status_code == 200
    assert not Subscriber.objects.live().exists()


def test_subscribers_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    customer = make_customer()
    old = make_subscriber(email="Bob@acme.com", first_name="Robert", subscriber_id="U-1", now=NOW - HOUR)
    new = make_subscriber(customer=customer, email="alice@acme.com")
    delete_customer(make_subscriber(customer=make_customer()).customer_id, confirm=True, now=NOW)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/subscribers{query}"))

    with django_assert_max_num_queries(4):
        assert listed() == [new.id, old.id]
    assert (listed(f"?customer={customer.id}"), listed(f"?customer={UNCLASSIFIED_ID}")) == ([new.id], [old.id])
    assert (listed("?email=bob@ACME.com"), listed("?email=bob")) == ([old.id], [])
    assert (listed("?subscriber_id=U-1"), listed("?subscriber_id=U")) == ([old.id], [])
    assert (listed("?search=acme.com"), listed("?search=robe"), listed("?search=cme")) == (
        [new.id, old.id], [old.id], []
    )  # fmt: skip
    assert refusal_of(api.get("/v1/subscribers?customer=acme")) == (400, "invalid_customer", "customer")
    assert refusal_of(api.get("/v1/subscribers?first_name=x")) == (400, "unknown_field", "first_name")


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("customers:read"), api_of("customers:write"), APIClient()
    path, body = f"/v1/subscribers/{make_subscriber().id}", {"email": "bob@acme.com"}

    assert {reader.get("/v1/subscribers").status_code, reader.get(path).status_code} == {200}
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    for client, refusal in ((reader, (403, "insufficient_scope")), (nobody, (401, "authentication_required"))):
        answers = [client.post("/v1/subscribers", body), client.patch(path, body), client.delete(path)]
        assert {code_of(answer) for answer in answers} == {refusal}
    assert [writer.post("/v1/subscribers", body).status_code, writer.delete(path).status_code] == [201, 200]

"""Wallets and holds over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Hold, LedgerEntry, Wallet
from billing.operations.wallets import terminate_wallet
from config.kernel.ids import TypeID
from tests.api_client import refusal_of
from tests.factories import NOW, make_customer, make_hold, make_operator_key, make_wallet

pytestmark = pytest.mark.django_db

UNKNOWN_CUSTOMER = "cust_01h455vb4pex5vsknk084sn02q"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def client_of(*scopes: str) -> APIClient:
    """Return a client with a key of its own."""
    _, secret = make_operator_key(*scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def api() -> APIClient:
    return client_of("billing:read", "billing:write")


def code_of(response: Any) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return response.status_code, response.json()["error"]["code"]


def test_a_wallet_is_opened_funded_and_terminated(api: APIClient) -> None:
    customer = make_customer(currency="EUR")

    opened = api.post("/v1/wallets", {"customer": customer.id, "name": "Main", "priority": 3})
    wallet = opened.json()
    assert opened.status_code == 201
    assert opened["Location"] == f"/v1/wallets/{wallet['id']}"
    assert wallet == {
        "id": wallet["id"], "customer": customer.id, "currency": "EUR", "name": "Main", "priority": 3,
        "status": "active", "balance": 0, "held": 0, "spendable": 0, "created_at": "2026-03-10T12:00:00Z",
        "terminated_at": None,
    }  # fmt: skip

    funded = api.post(f"/v1/wallets/{wallet['id']}/fund", {"amount": "12.50", "reason": "Goodwill"})
    assert funded.status_code == 200
    assert funded.json() == {**wallet, "balance": 12.5, "spendable": 12.5}
    assert api.get(f"/v1/wallets/{wallet['id']}").json() == funded.json()

    closed = api.post(f"/v1/wallets/{wallet['id']}/terminate")
    assert closed.status_code == 200
    assert closed.json() == {**wallet, "status": "terminated", "terminated_at": "2026-03-10T12:00:00Z"}


def test_the_ledger_tells_every_movement_newest_first(api: APIClient) -> None:
    wallet = make_wallet()
    api.post(f"/v1/wallets/{wallet.id}/fund", {"amount": 3, "reason": "Goodwill"})
    hold = api.post(f"/v1/wallets/{wallet.id}/holds", {"amount": 2, "reference": "job"}).json()

    answer = api.get(f"/v1/wallets/{wallet.id}/transactions").json()

    assert answer["pagination"]["total"] == 2
    entry = answer["data"][0]
    assert entry == {
        "id": entry["id"], "wallet": wallet.id, "number": 2, "kind": "hold", "amount": 2, "balance_after": 3,
        "held_after": 2, "hold": hold["id"], "lot": None, "actor": entry["actor"], "reason": "",
        "created_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    assert entry["actor"].startswith("operator key ")
    assert (answer["data"][1]["kind"], answer["data"][1]["reason"]) == ("fund", "Goodwill")


def test_a_hold_is_placed_committed_in_parts_and_released(api: APIClient) -> None:
    wallet = make_wallet(balance="10")

    placed = api.post(f"/v1/wallets/{wallet.id}/holds", {"amount": 5, "reference": "job"})
    hold = placed.json()
    assert placed.status_code == 201
    assert placed["Location"] == f"/v1/holds/{hold['id']}"
    assert hold == {
        "id": hold["id"], "wallet": wallet.id, "amount": 5, "committed": 0, "reference": "job", "status": "open",
        "expires_at": "2026-03-10T13:00:00Z", "created_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    assert api.post(f"/v1/wallets/{wallet.id}/holds", {"amount": 5, "reference": "job"}).json() == hold

    part = api.post(f"/v1/holds/{hold['id']}/commit", {"amount": "1.5", "final": False})
    assert (part.status_code, part.json()) == (200, {**hold, "committed": 1.5})
    released = api.post(f"/v1/holds/{hold['id']}/release")
    assert (released.status_code, released.json()) == (200, {**hold, "committed": 1.5, "status": "released"})
    assert api.get(f"/v1/holds/{hold['id']}").json() == released.json()
    assert api.get(f"/v1/wallets/{wallet.id}/holds").json()["data"] == [released.json()]
    assert api.get(f"/v1/wallets/{wallet.id}").json()["balance"] == 8.5


def test_a_commit_without_a_body_takes_all(api: APIClient) -> None:
    hold = make_hold("5")

    committed = api.post(f"/v1/holds/{hold.id}/commit")

    assert (committed.status_code, committed.json()["status"], committed.json()["committed"]) == (200, "committed", 5)


def test_a_hold_is_expired_from_its_end_on(api: APIClient) -> None:
    hold = make_hold("5", balance="10", expires_at=NOW + timedelta(minutes=1))

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        wallet = api.get(f"/v1/wallets/{hold.wallet_id}").json()
        assert api.get(f"/v1/holds/{hold.id}").json()["status"] == "expired"
        assert (wallet["balance"], wallet["held"], wallet["spendable"]) == (10, 0, 10)
        assert code_of(api.post(f"/v1/holds/{hold.id}/commit")) == (409, "hold_already_ended")


def test_wallets_are_listed_by_customer_and_status(api: APIClient) -> None:
    older, closed, newer = (make_wallet() for _ in range(3))
    terminate_wallet(closed.id, now=NOW)

    def listed(query: str = "") -> list[str]:
        return [wallet["id"] for wallet in api.get(f"/v1/wallets{query}").json()["data"]]

    assert listed() == [newer.id, closed.id, older.id]
    assert listed("?status=active") == [newer.id, older.id]
    assert listed("?status=terminated") == [closed.id]
    assert listed(f"?customer={older.customer_id}") == [older.id]
    assert code_of(api.get("/v1/wallets?status=open")) == (400, "invalid_status")
    assert code_of(api.get("/v1/wallets?customer=nobody")) == (400, "invalid_customer")


def test_a_list_of_wallets_takes_as_many_queries_however_long(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(5):
        make_hold()

    with django_assert_max_num_queries(3):
        assert len(api.get("/v1/wallets").json()["data"]) == 5


WALLET_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"customer": "nobody"}, (400, "invalid_customer", "customer")),
    ({"customer": UNKNOWN_CUSTOMER}, (404, "customer_not_found", "customer")),
    ({"currency": "usd"}, (400, "invalid_currency", "currency")),
    ({"priority": 0}, (400, "invalid_priority", "priority")),
    ({"priority": 51}, (400, "invalid_priority", "priority")),
    ({"name": "x" * 201}, (400, "invalid_name", "name")),
    ({"balance": 5}, (400, "unknown_field", "balance")),
    ({"name": "Taken"}, (409, "duplicate_wallet", "name")),
]


@pytest.mark.parametrize(("change", "refusal"), WALLET_BODIES)
def test_a_wallet_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    taken = make_wallet(name="Taken")

    assert refusal_of(api.post("/v1/wallets", {"customer": taken.customer_id, **change})) == refusal

    assert Wallet.objects.get() == taken


HOLD_BODIES: list[tuple[dict[str, Any], tuple[int, str]]] = [
    ({"amount": 0}, (400, "invalid_amount")),
    ({"amount": "1e-13"}, (400, "invalid_amount")),
    ({"amount": "much"}, (400, "invalid_amount")),
    ({"reference": ""}, (400, "invalid_reference")),
    ({"reference": "x" * 256}, (400, "invalid_reference")),
    ({"expires_at": "2026-03-10T12:00:00"}, (400, "invalid_expires_at")),
    ({"expires_at": "2026-03-10T12:00:00Z"}, (400, "invalid_expires_at")),
    ({"expires_at": "2026-04-09T12:00:01Z"}, (400, "invalid_expires_at")),
    ({"amount": "10.01"}, (409, "insufficient_funds")),
    ({"reference": "taken"}, (409, "hold_reference_conflict")),
]


@pytest.mark.parametrize(("change", "refusal"), HOLD_BODIES)
def test_a_hold_that_cannot_be_is_refused(api: APIClient, change: dict[str, Any], refusal: tuple[int, str]) -> None:
    wallet = make_wallet(balance="10")
    make_hold("1e-12", wallet=wallet, reference="taken")

    assert code_of(api.post(f"/v1/wallets/{wallet.id}/holds", {"amount": 5, "reference": "job", **change})) == refusal

    assert Hold.objects.count() == 1


def test_details_of_a_refusal_are_exact_numbers(api: APIClient) -> None:
    wallet = make_wallet(balance="4.99")

    refused = api.post(f"/v1/wallets/{wallet.id}/holds", {"amount": "5.000000000001", "reference": "job"})

    assert b'"spendable":4.99' in refused.content.replace(b" ", b"")
    assert b'"asked":5.000000000001' in refused.content.replace(b" ", b"")


def test_what_has_ended_stays_ended(api: APIClient) -> None:
    hold = make_hold("5", balance="10")

    assert code_of(api.post(f"/v1/holds/{hold.id}/commit", {"amount": 6})) == (409, "commit_exceeds_hold")
    api.post(f"/v1/wallets/{hold.wallet_id}/terminate")
    written = LedgerEntry.objects.count()
    assert code_of(api.post(f"/v1/holds/{hold.id}/release")) == (409, "hold_already_ended")
    assert code_of(api.post(f"/v1/wallets/{hold.wallet_id}/fund", {"amount": 1})) == (409, "wallet_closed")
    assert code_of(api.post(f"/v1/wallets/{hold.wallet_id}/terminate")) == (409, "wallet_closed")
    assert LedgerEntry.objects.count() == written


@pytest.mark.parametrize("pk", ["wal_01h455vb4pex5vsknk084sn02q", UNKNOWN_CUSTOMER, "nonsense"])
def test_an_unknown_wallet_is_not_found(api: APIClient, pk: str) -> None:
    hold = {"amount": 1, "reference": "job"}
    answers = [
        api.get(f"/v1/wallets/{pk}"),
        api.get(f"/v1/wallets/{pk}/transactions"),
        api.get(f"/v1/wallets/{pk}/holds"),
        api.post(f"/v1/wallets/{pk}/holds", hold),
        api.post(f"/v1/wallets/{pk}/fund", {"amount": 1}),
        api.post(f"/v1/wallets/{pk}/terminate"),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "wallet_not_found")}


@pytest.mark.parametrize("verb", ["commit", "release"])
def test_an_unknown_hold_is_not_found(api: APIClient, verb: str) -> None:
    pk = TypeID.new("hold")

    assert code_of(api.get(f"/v1/holds/{pk}")) == (404, "hold_not_found")
    assert code_of(api.post(f"/v1/holds/{pk}/{verb}")) == (404, "hold_not_found")


def test_a_key_does_what_its_scopes_allow() -> None:
    hold = make_hold()
    reader, stranger = client_of("billing:read"), client_of("customers:write")
    wallet, one = f"/v1/wallets/{hold.wallet_id}", f"/v1/holds/{hold.id}"
    reads = ["/v1/wallets", wallet, f"{wallet}/transactions", f"{wallet}/holds", one]
    writes = [
        "/v1/wallets",
        f"{wallet}/fund",
        f"{wallet}/terminate",
        f"{wallet}/holds",
        f"{one}/commit",
        f"{one}/release",
    ]

    assert {reader.get(path).status_code for path in reads} == {200}
    assert {code_of(stranger.get(path)) for path in reads} == {(403, "insufficient_scope")}
    assert {code_of(client.post(path)) for path in writes for client in (reader, stranger)} == {
        (403, "insufficient_scope")
    }


def test_a_retried_credit_is_given_once(api: APIClient) -> None:
    wallet = make_wallet()

    answers = [
        api.post(f"/v1/wallets/{wallet.id}/fund", {"amount": 5}, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    wallet.refresh_from_db()
    assert wallet.balance == 5

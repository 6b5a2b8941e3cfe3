"""Add-ons over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import AddOn
from config.kernel.ids import TypeID
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_add_on, make_tax

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"code": "set-up", "name": "Set-up", "amount": 250.5, "currency": "EUR"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_an_add_on_is_created_read_changed_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    tax = make_tax()

    created = api.post("/v1/add-ons", {**BODY, "taxes": [tax.id]})
    add_on = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/add-ons/{add_on['id']}")
    assert add_on == {
        **BODY, "id": add_on["id"], "invoice_display_name": "", "description": "", "taxes": [tax.id],
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, add_on, created["ETag"])

    clock.shift(timedelta(hours=1))
    body = {"code": "start", "amount": "0.000000000001", "currency": "USD", "invoice_display_name": "Start"}
    changed = api.patch(created["Location"], {**body, "taxes": []})
    assert changed.json() == {
        **add_on, **body, "amount": 1e-12, "taxes": [], "updated_at": "2026-03-10T13:00:00Z"
    }  # fmt: skip
    assert api.get(created["Location"]).json() == changed.json()
    stale = api.delete(created["Location"], headers={"If-Match": created["ETag"]})
    assert code_of(stale) == (409, "version_mismatch")

    assert api.get(f"{created['Location']}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    deleted = api.delete(created["Location"])
    assert deleted.json() == {"id": add_on["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    assert code_of(api.delete(created["Location"])) == (404, "add_on_not_found")


def test_an_add_on_without_more_is_in_dollars(api: APIClient) -> None:
    created = api.post("/v1/add-ons", {"code": "free", "name": "Free", "amount": 0})

    assert (created.status_code, created.json()["currency"], created.json()["taxes"]) == (201, "USD", [])


ADD_ON_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"code": "taken"}, (409, "duplicate_code", "code")),
    ({"code": "Set up"}, (400, "invalid_code", "code")),
    ({"name": None}, (400, "invalid_name", "name")),
    ({"amount": -0.01}, (400, "invalid_amount", "amount")),
    ({"amount": "1e400"}, (400, "invalid_amount", "amount")),
    ({"currency": "eur"}, (400, "invalid_currency", "currency")),
    ({"invoice_display_name": "x" * 201}, (400, "invalid_invoice_display_name", "invoice_display_name")),
    ({"taxes": ["vat"]}, (400, "invalid_taxes", "taxes[0]")),
    ({"taxes": [TypeID.new("tax")]}, (404, "tax_not_found", "taxes")),
    ({"units": 1}, (400, "unknown_field", "units")),
]


@pytest.mark.parametrize(("change", "refusal"), ADD_ON_BODIES)
def test_an_add_on_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    make_add_on(code="taken")
    other = make_add_on()

    assert refusal_of(api.post("/v1/add-ons", {**BODY, **change})) == refusal
    assert refusal_of(api.patch(f"/v1/add-ons/{other.id}", change)) == refusal
    assert AddOn.objects.count() == 2
    assert api.post("/v1/add-ons", BODY).status_code == 201


def test_add_ons_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    tax = make_tax()
    old, new = make_add_on(code="old", currency="EUR", taxes=[tax.id]), make_add_on(code="new", taxes=[tax.id])

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/add-ons{query}"))

    with django_assert_max_num_queries(4):
        assert listed() == [new.id, old.id]
    assert (listed("?code=old"), listed("?currency=USD")) == ([old.id], [new.id])
    assert refusal_of(api.get("/v1/add-ons?name=old")) == (400, "unknown_field", "name")


@pytest.mark.parametrize("pk", ["nonsense", "addon_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_add_on_is_not_found(api: APIClient, pk: str) -> None:
    path = f"/v1/add-ons/{pk}"
    answers = [api.get(path), api.patch(path, {"name": "N"}), api.delete(path), api.get(f"{path}/deletion-check")]

    assert {code_of(answer) for answer in answers} == {(404, "add_on_not_found")}


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, stranger = api_of("catalog:read"), api_of("catalog:write"), api_of("billing:write")
    path = f"/v1/add-ons/{make_add_on().id}"

    assert {reader.get("/v1/add-ons").status_code, reader.get(path).status_code} == {200}
    for client in (reader, stranger):
        for refused in (client.post("/v1/add-ons", BODY), client.patch(path, {"name": "N"}), client.delete(path)):
            assert error_of(refused)["details"]["required"] == "catalog:write"
    assert (writer.post("/v1/add-ons", BODY).status_code, writer.delete(path).status_code) == (201, 200)

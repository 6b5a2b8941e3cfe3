"""Taxes over the API, and those of rate plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import Tax
from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.ids import TypeID
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.catalog.bodies import new_plan
from tests.factories import NOW, make_add_on, make_plan, make_tax

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"code": "vat-de", "name": "VAT", "rate_percent": 19}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_tax_is_created_read_changed_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/taxes", BODY)
    tax = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/taxes/{tax['id']}")
    assert tax == {
        **BODY, "id": tax["id"], "description": "", "is_default": False,
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, tax, created["ETag"])

    clock.shift(timedelta(hours=1))
    changed = api.patch(created["Location"], {"rate_percent": "16.000000000001", "is_default": True})
    assert changed.json() == {
        **tax, "rate_percent": 16.000000000001, "is_default": True, "updated_at": "2026-03-10T13:00:00Z"
    }  # fmt: skip
    assert b"16.000000000001" in changed.content
    stale = api.patch(created["Location"], {"name": "Stale"}, headers={"If-Match": created["ETag"]})
    assert code_of(stale) == (409, "version_mismatch")

    assert code_of(api.delete(created["Location"])) == (409, "tax_deletion_blocked")
    api.patch(created["Location"], {"is_default": False})
    deleted = api.delete(created["Location"])
    assert deleted.json() == {"id": tax["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    assert code_of(api.get(created["Location"])) == (404, "tax_not_found")


TAX_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"rate_percent": -1}, (400, "invalid_rate_percent", "rate_percent")),
    ({"rate_percent": "100.000000000001"}, (400, "invalid_rate_percent", "rate_percent")),
    ({"rate_percent": "0.0000000000001"}, (400, "invalid_rate_percent", "rate_percent")),
    ({"rate_percent": "a fifth"}, (400, "invalid_rate_percent", "rate_percent")),
    ({"rate_percent": None}, (400, "invalid_rate_percent", "rate_percent")),
    ({"name": ""}, (400, "invalid_name", "name")),
    ({"is_default": "yes"}, (400, "invalid_is_default", "is_default")),
    ({"country": "DE"}, (400, "unknown_field", "country")),
]


@pytest.mark.parametrize(("change", "refusal"), TAX_BODIES)
def test_a_tax_that_cannot_be_is_refused(api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]) -> None:
    tax = make_tax()

    assert refusal_of(api.post("/v1/taxes", {**BODY, **change})) == refusal
    assert refusal_of(api.patch(f"/v1/taxes/{tax.id}", change)) == refusal
    assert Tax.objects.count() == 1
    for rate in (0, 100):
        assert api.post("/v1/taxes", {**BODY, "code": f"vat-{rate}", "rate_percent": rate}).status_code == 201


def test_a_code_is_given_once_and_never_changes(api: APIClient) -> None:
    path = f"/v1/taxes/{make_tax(code='vat-de').id}"

    assert refusal_of(api.post("/v1/taxes", BODY)) == (409, "duplicate_code", "code")
    assert refusal_of(api.post("/v1/taxes", {**BODY, "code": "VAT"})) == (400, "invalid_code", "code")
    assert refusal_of(api.post("/v1/taxes", {"name": "VAT", "rate_percent": 1})) == (400, "required", "code")
    assert refusal_of(api.patch(path, {"code": "other"})) == (400, "unknown_field", "code")


def test_taxes_are_listed_newest_first_and_found(api: APIClient) -> None:
    old, new = make_tax(code="old", is_default=True), make_tax(code="new")

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/taxes{query}"))

    assert listed() == [new.id, old.id]
    assert (listed("?code=old"), listed("?is_default=true"), listed("?is_default=false")) == (
        [old.id],
        [old.id],
        [new.id],
    )
    assert refusal_of(api.get("/v1/taxes?is_default=yes")) == (400, "invalid_is_default", "is_default")
    assert refusal_of(api.get("/v1/taxes?name=old")) == (400, "unknown_field", "name")


def test_the_report_says_what_uses_a_tax(api: APIClient) -> None:
    tax = make_tax()
    path = f"/v1/taxes/{tax.id}"
    assert api.get(f"{path}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    make_plan(taxes=[tax.id])
    make_add_on(taxes=[tax.id])

    report = api.get(f"{path}/deletion-check").json()
    refused = api.delete(path)

    assert (report["verdict"], [one["code"] for one in report["findings"]]) == ("BLOCK", ["rate_plans", "add_ons"])
    assert error_of(refused)["details"] == report


def test_a_plan_is_drafted_with_taxes_and_keeps_them_unless_others_are_named(api: APIClient) -> None:
    first, second = make_tax(), make_tax()

    plain = api.post("/v1/rate-plans", new_plan(code="plain"))
    created = api.post("/v1/rate-plans", new_plan(taxes=[first.id]))
    path = created["Location"]

    assert (plain.json()["taxes"], created.json()["taxes"]) == ([], [first.id])
    assert api.patch(path, {"name": "New"}).json()["taxes"] == [first.id]
    both = api.patch(path, {"name": "Newer", "taxes": [first.id, second.id]}).json()
    assert (both["name"], set(both["taxes"])) == ("Newer", {first.id, second.id})
    assert api.get(path).json() == both
    assert api.patch(path, {"taxes": []}).json()["taxes"] == []


@pytest.mark.parametrize("status", ["ACTIVE", "ARCHIVED"])
def test_of_a_plan_that_is_sold_the_taxes_change_and_nothing_else(api: APIClient, status: str) -> None:
    plan, tax = make_plan(), make_tax()
    if status == "ARCHIVED":
        archive_rate_plan(plan.id, now=NOW)
    path = f"/v1/rate-plans/{plan.id}"
    before = api.get(path)

    assert code_of(api.patch(path, {"taxes": [tax.id], "name": "New"})) == (409, "rate_plan_not_draft")
    assert code_of(api.patch(path, {})) == (409, "rate_plan_not_draft")
    assert api.get(path).json() == before.json()

    changed = api.patch(path, {"taxes": [tax.id]}, headers={"If-Match": before["ETag"]})
    assert (changed.status_code, changed.json()) == (200, {**before.json(), "taxes": [tax.id]})


@pytest.mark.parametrize(
    ("taxes", "refusal"),
    [
        (["vat"], (400, "invalid_taxes", "taxes[0]")),
        ([TypeID.new("plan")], (400, "invalid_taxes", "taxes[0]")),
        ("tax", (400, "invalid_taxes", "taxes")),
        (None, (400, "invalid_taxes", "taxes")),
        ([TypeID.new("tax")] * 21, (400, "invalid_taxes", "taxes")),
        ([TypeID.from_uuid(TypeID.new("tax").uuid, "tax")], (404, "tax_not_found", "taxes")),
    ],
)
def test_taxes_that_cannot_be_are_refused_on_a_draft_and_on_an_active_plan(
    api: APIClient, taxes: Any, refusal: tuple[int, str, str]
) -> None:
    tax = make_tax()
    for plan in (make_plan(active=False), make_plan()):
        path = f"/v1/rate-plans/{plan.id}"
        assert refusal_of(api.patch(path, {"taxes": taxes})) == refusal
        assert refusal_of(api.patch(path, {"taxes": [tax.id, tax.id]})) == (400, "invalid_taxes", "taxes")
        assert api.get(path).json()["taxes"] == []
    assert refusal_of(api.post("/v1/rate-plans", new_plan(taxes=taxes))) == refusal


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, stranger = api_of("catalog:read"), api_of("catalog:write"), api_of("billing:write")
    path = f"/v1/taxes/{make_tax().id}"

    assert {reader.get(one).status_code for one in ("/v1/taxes", path, f"{path}/deletion-check")} == {200}
    for client in (reader, stranger):
        for refused in (client.post("/v1/taxes", BODY), client.patch(path, {"name": "N"}), client.delete(path)):
            assert error_of(refused)["details"]["required"] == "catalog:write"
    assert (writer.post("/v1/taxes", BODY).status_code, writer.delete(path).status_code) == (201, 200)

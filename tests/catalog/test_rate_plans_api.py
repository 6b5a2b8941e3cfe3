"""Rate plans and their charges over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import Charge, RatePlan
from config.kernel.ids import TypeID
from tests.api_client import code_of, ids_of, refusal_of
from tests.catalog.bodies import NO_CHARGE_TERMS, NO_TERMS, TIERS, new_charge, new_plan
from tests.factories import NOW, make_plan, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_plan_is_drafted_with_its_charges_and_read(api: APIClient) -> None:
    body = new_plan(
        new_charge(match={"model": ["gpt-4o"]}, name="GPT"), new_charge(model="GRADUATED", properties=TIERS),
        interval="quarter", amount="99.5", currency="EUR",
    )  # fmt: skip

    created = api.post("/v1/rate-plans", body)
    plan = created.json()

    assert created.status_code == 201
    assert created["Location"] == f"/v1/rate-plans/{plan['id']}"
    first, second = plan["charges"]
    assert plan == {
        "id": plan["id"], "product": body["product"], "code": "pro", "name": "Pro", "version": 1, "status": "DRAFT",
        "interval": "quarter", "amount": 99.5, "currency": "EUR", "taxes": [], **NO_TERMS,
        "charges": [
            {**body["charges"][0], "id": first["id"], **NO_CHARGE_TERMS},
            {**body["charges"][1], "id": second["id"], "match": {}, "name": "", **NO_CHARGE_TERMS},
        ],
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, plan, created["ETag"])


def test_a_plan_without_more_is_monthly_and_free_in_dollars(api: APIClient) -> None:
    created = api.post("/v1/rate-plans", {"product": make_product().id, "code": "free", "name": "Free"})

    assert created.status_code == 201
    plan = created.json()
    assert (plan["interval"], plan["amount"], plan["currency"], plan["charges"]) == ("month", 0, "USD", [])


PLAN_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"code": "taken"}, (409, "duplicate_code", "code")),
    ({"code": "Pro Plan"}, (400, "invalid_code", "code")),
    ({"name": ""}, (400, "invalid_name", "name")),
    ({"interval": "day"}, (400, "invalid_interval", "interval")),
    ({"amount": -1}, (400, "invalid_amount", "amount")),
    ({"amount": "0.0000000000001"}, (400, "invalid_amount", "amount")),
    ({"currency": "eur"}, (400, "invalid_currency", "currency")),
    ({"charges": {}}, (400, "invalid_charges", "charges")),
    ({"status": "ACTIVE"}, (400, "unknown_field", "status")),
    ({"colour": "red"}, (400, "unknown_field", "colour")),
]


@pytest.mark.parametrize(("change", "refusal"), PLAN_BODIES)
def test_a_plan_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    make_plan(code="taken")
    draft = make_plan(active=False)

    assert refusal_of(api.post("/v1/rate-plans", {**new_plan(), **change})) == refusal
    assert refusal_of(api.patch(f"/v1/rate-plans/{draft.id}", change)) == refusal
    assert RatePlan.objects.count() == 2
    assert api.post("/v1/rate-plans", new_plan()).status_code == 201


def test_a_plan_belongs_to_a_product_there_is(api: APIClient) -> None:
    malformed, missing = (api.post("/v1/rate-plans", new_plan(product=pk)) for pk in ("chat", TypeID.new("prod")))

    assert refusal_of(malformed) == (400, "invalid_product", "product")
    assert code_of(missing) == (404, "product_not_found")


def test_a_draft_is_changed_and_its_charges_replaced(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/rate-plans", new_plan(new_charge(), new_charge()))
    replacing = new_charge(properties={"unit_amount": "2"}, match={}, name="")
    clock.shift(1)

    renamed = api.patch(created["Location"], {"name": "Pro 2", "amount": 5})
    assert renamed.status_code == 200
    assert renamed.json() == {
        **created.json(), "name": "Pro 2", "amount": 5, "updated_at": "2026-03-10T12:00:01Z"
    }  # fmt: skip
    replaced = api.patch(created["Location"], {"charges": [replacing]}).json()
    assert [{**charge, "id": ""} for charge in replaced["charges"]] == [{**replacing, "id": "", **NO_CHARGE_TERMS}]
    assert api.get(created["Location"]).json() == replaced
    stale = api.patch(created["Location"], {"name": "Stale"}, headers={"If-Match": created["ETag"]})
    assert code_of(stale) == (409, "version_mismatch")


def test_a_plan_is_activated_and_archived_and_then_fixed(api: APIClient) -> None:
    path = api.post("/v1/rate-plans", new_plan(new_charge()))["Location"]

    refused = api.post(f"{path}/archive")
    assert code_of(refused) == (409, "rate_plan_not_active")
    for verb, status in (("activate", "ACTIVE"), ("archive", "ARCHIVED")):
        done = api.post(f"{path}/{verb}")
        assert (done.status_code, done.json()["status"], len(done.json()["charges"])) == (200, status, 1)
        assert code_of(api.patch(path, {"name": "New"})) == (409, "rate_plan_not_draft")
        assert code_of(api.patch(path, {"charges": []})) == (409, "rate_plan_not_draft")
        assert code_of(api.post(f"{path}/activate")) == (409, "rate_plan_not_draft")
    assert code_of(api.post(f"{path}/archive")) == (409, "rate_plan_not_active")
    assert Charge.objects.count() == 1


def test_plans_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    active, draft = make_plan(), make_plan(active=False)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/rate-plans{query}"))

    with django_assert_max_num_queries(5):
        assert listed() == [draft.id, active.id]
    assert (listed("?status=ACTIVE"), listed(f"?product={draft.product_id}")) == ([active.id], [draft.id])
    assert (listed("?limit=1"), listed("?limit=1&offset=1")) == ([draft.id], [active.id])
    assert refusal_of(api.get("/v1/rate-plans?status=active")) == (400, "invalid_status", "status")
    assert refusal_of(api.get("/v1/rate-plans?product=chat")) == (400, "invalid_product", "product")
    assert refusal_of(api.get("/v1/rate-plans?code=pro")) == (400, "unknown_field", "code")


@pytest.mark.parametrize("pk", ["nonsense", "plan_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_plan_is_not_found(api: APIClient, pk: str) -> None:
    path = f"/v1/rate-plans/{pk}"
    usage: dict[str, Any] = {"usage": []}
    answers = [api.get(path), api.patch(path, {}), api.post(f"{path}/activate"), api.post(f"{path}/price", usage)]

    assert {code_of(answer) for answer in answers} == {(404, "rate_plan_not_found")}


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, nobody = api_of("catalog:read"), APIClient()
    path = f"/v1/rate-plans/{make_plan().id}"

    assert {reader.get("/v1/rate-plans").status_code, reader.get(path).status_code} == {200}
    assert code_of(api_of("catalog:write").get(path)) == (403, "insufficient_scope")
    for client, refusal in ((reader, (403, "insufficient_scope")), (nobody, (401, "authentication_required"))):
        posts = [client.post(address) for address in ("/v1/rate-plans", f"{path}/activate", f"{path}/archive")]
        assert {code_of(answer) for answer in [*posts, client.patch(path, {})]} == {refusal}

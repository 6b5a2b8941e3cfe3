"""Coupons over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.models import Coupon
from catalog.operations.coupons import terminate_coupon
from config.kernel.ids import TypeID
from tests.api_client import code_of, error_of, ids_of, refusal_of
from tests.factories import NOW, make_coupon, make_metric, make_plan

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
FIXED: dict[str, Any] = {
    "code": "tenner", "name": "Tenner", "kind": "fixed_amount", "amount": 10, "currency": "USD"
}  # fmt: skip
SHARE: dict[str, Any] = {"code": "tenth", "name": "A tenth", "kind": "percentage", "rate_percent": 10}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_coupon_is_created_read_described_anew_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    created = api.post("/v1/coupons", FIXED)
    coupon = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/coupons/{coupon['id']}")
    assert coupon == {
        **FIXED, "id": coupon["id"], "description": "", "rate_percent": None, "frequency": "once", "periods": None,
        "is_reusable": True, "plans": [], "metrics": [], "status": "active", "expires_at": None,
        "terminated_at": None, "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.status_code, read.json(), read["ETag"]) == (200, coupon, created["ETag"])

    clock.shift(HOUR)
    body = {"name": "Ten", "description": "For newcomers", "expires_at": "2026-04-01T00:00:00Z"}
    changed = api.patch(created["Location"], body)
    assert changed.json() == {**coupon, **body, "updated_at": "2026-03-10T13:00:00Z"}
    assert api.patch(created["Location"], {"expires_at": None}).json()["expires_at"] is None
    stale = api.patch(created["Location"], {"name": "Stale"}, headers={"If-Match": created["ETag"]})
    assert code_of(stale) == (409, "version_mismatch")

    assert api.get(f"{created['Location']}/deletion-check").json() == {"verdict": "ALLOW", "findings": []}
    deleted = api.delete(created["Location"])
    assert deleted.json() == {"id": coupon["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    assert code_of(api.get(created["Location"])) == (404, "coupon_not_found")


def test_a_recurring_share_of_some_plans_is_answered_as_it_was_asked_for(api: APIClient) -> None:
    plans = [make_plan().id, make_plan().id]
    body = {**SHARE, "frequency": "recurring", "periods": 3, "is_reusable": False, "plans": plans}

    coupon = api.post("/v1/coupons", body).json()

    assert {name: coupon[name] for name in body} == {**body, "plans": plans[::-1]}
    assert (coupon["amount"], coupon["currency"], coupon["metrics"]) == (None, None, [])
    metrics = [make_metric().id]
    assert api.post("/v1/coupons", {**FIXED, "metrics": metrics}).json()["metrics"] == metrics


COUPON_BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({**FIXED, "code": "taken"}, (409, "duplicate_code", "code")),
    ({**FIXED, "code": "Ten %"}, (400, "invalid_code", "code")),
    ({**FIXED, "kind": "gift"}, (400, "invalid_kind", "kind")),
    ({**FIXED, "amount": 0}, (400, "invalid_amount", "amount")),
    ({**FIXED, "amount": None}, (400, "invalid_amount", "amount")),
    ({**FIXED, "currency": "usd"}, (400, "invalid_currency", "currency")),
    ({**FIXED, "currency": None}, (400, "invalid_currency", "currency")),
    ({**FIXED, "rate_percent": 5}, (400, "invalid_rate_percent", "rate_percent")),
    ({**SHARE, "rate_percent": 0}, (400, "invalid_rate_percent", "rate_percent")),
    ({**SHARE, "rate_percent": "100.1"}, (400, "invalid_rate_percent", "rate_percent")),
    ({**SHARE, "amount": 5}, (400, "invalid_amount", "amount")),
    ({**SHARE, "currency": "USD"}, (400, "invalid_currency", "currency")),
    ({**SHARE, "frequency": "daily"}, (400, "invalid_frequency", "frequency")),
    ({**SHARE, "frequency": "recurring"}, (400, "invalid_periods", "periods")),
    ({**SHARE, "frequency": "recurring", "periods": 0}, (400, "invalid_periods", "periods")),
    ({**SHARE, "frequency": "recurring", "periods": 1001}, (400, "invalid_periods", "periods")),
    ({**SHARE, "periods": 3}, (400, "invalid_periods", "periods")),
    ({**SHARE, "expires_at": "2026-03-10T12:00:00Z"}, (400, "invalid_expires_at", "expires_at")),
    ({**SHARE, "expires_at": "2026-04-10T12:00:00"}, (400, "invalid_expires_at", "expires_at")),
    ({**SHARE, "is_reusable": 1}, (400, "invalid_is_reusable", "is_reusable")),
    ({**SHARE, "plans": ["pro"]}, (400, "invalid_plans", "plans[0]")),
    ({**SHARE, "plans": [TypeID.new("plan")]}, (404, "rate_plan_not_found", "plans")),
    ({**SHARE, "metrics": [TypeID.new("metr")]}, (404, "metric_not_found", "metrics")),
    (
        {**SHARE, "plans": [TypeID.new("plan")], "metrics": [TypeID.new("metr")]},
        (400, "invalid_metrics", "metrics"),
    ),
    ({**SHARE, "status": "terminated"}, (400, "unknown_field", "status")),
]


@pytest.mark.parametrize(("body", "refusal"), COUPON_BODIES)
def test_a_coupon_that_cannot_be_is_refused(
    api: APIClient, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    make_coupon(code="taken")

    assert refusal_of(api.post("/v1/coupons", body)) == refusal
    assert Coupon.objects.count() == 1
    assert {api.post("/v1/coupons", one).status_code for one in (FIXED, SHARE)} == {201}


@pytest.mark.parametrize("field", [name for name in FIXED if name != "name"] + ["frequency", "plans", "is_reusable"])
def test_the_value_of_a_coupon_is_fixed(api: APIClient, field: str) -> None:
    path = f"/v1/coupons/{make_coupon().id}"

    assert refusal_of(api.patch(path, {field: "other"})) == (400, "unknown_field", field)
    past = api.patch(path, {"expires_at": "2026-03-10T12:00:00Z"})
    assert refusal_of(past) == (400, "invalid_expires_at", "expires_at")
    assert api.patch(path, {"name": "Other"}).status_code == 200


def test_a_coupon_is_terminated_once(api: APIClient, clock: time_machine.Traveller) -> None:
    path = f"/v1/coupons/{make_coupon().id}"
    clock.shift(HOUR)

    ended = api.post(f"{path}/terminate").json()

    assert (ended["status"], ended["terminated_at"]) == ("terminated", "2026-03-10T13:00:00Z")
    assert code_of(api.post(f"{path}/terminate")) == (409, "coupon_already_terminated")
    assert api.get(path).json() == ended


def test_coupons_are_listed_newest_first_and_found(
    api: APIClient, clock: time_machine.Traveller, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    plan, metric = make_plan(), make_metric()
    first = make_coupon(code="first", plans=[plan.id, make_plan().id], expires_at=NOW + HOUR)
    second = make_coupon(amount="5", currency="EUR", metrics=[metric.id])
    third = make_coupon(frequency="forever")
    terminate_coupon(third.id, now=NOW)
    clock.shift(HOUR)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/coupons{query}"))

    with django_assert_max_num_queries(5):
        assert listed() == [third.id, second.id, first.id]
    assert (listed("?code=first"), listed("?kind=fixed_amount"), listed("?currency=EUR")) == (
        [first.id], [second.id], [second.id]
    )  # fmt: skip
    assert (listed("?frequency=forever"), listed(f"?plan={plan.id}"), listed(f"?metric={metric.id}")) == (
        [third.id], [first.id], [second.id]
    )  # fmt: skip
    by_status = [listed(f"?status={status}") for status in ("active", "expired", "terminated")]
    assert by_status == [[second.id], [first.id], [third.id]]
    assert refusal_of(api.get("/v1/coupons?status=over")) == (400, "invalid_status", "status")
    assert refusal_of(api.get("/v1/coupons?plan=pro")) == (400, "invalid_plan", "plan")


@pytest.mark.parametrize("pk", ["nonsense", "coup_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_coupon_is_not_found(api: APIClient, pk: str) -> None:
    path = f"/v1/coupons/{pk}"
    answers = [api.get(path), api.patch(path, {"name": "N"}), api.delete(path), api.post(f"{path}/terminate")]

    assert {code_of(answer) for answer in answers} == {(404, "coupon_not_found")}


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, stranger = api_of("catalog:read"), api_of("catalog:write"), api_of("billing:write")
    path = f"/v1/coupons/{make_coupon().id}"

    assert {reader.get("/v1/coupons").status_code, reader.get(path).status_code} == {200}
    for client in (reader, stranger):
        for refused in (client.post("/v1/coupons", SHARE), client.post(f"{path}/terminate"), client.delete(path)):
            assert error_of(refused)["details"]["required"] == "catalog:write"
    assert (writer.post(f"{path}/terminate").status_code, writer.delete(path).status_code) == (200, 200)

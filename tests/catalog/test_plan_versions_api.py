"""Versions of rate plans over the API: drafted from one another, and compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from config.kernel.ids import TypeID
from tests.api_client import code_of, refusal_of
from tests.catalog.bodies import TIERS, new_charge, new_plan
from tests.factories import make_metric, make_plan

pytestmark = pytest.mark.django_db


def test_the_next_version_has_the_terms_of_its_plan(api: APIClient) -> None:
    created = api.post("/v1/rate-plans", new_plan(new_charge(match={"model": ["a"]}), amount=49))
    api.post(f"{created['Location']}/activate")

    cloned = api.post(f"{created['Location']}/clone")

    clone, plan = cloned.json(), created.json()
    assert (cloned.status_code, cloned["Location"]) == (201, f"/v1/rate-plans/{clone['id']}")
    own = {name: clone[name] for name in ("id", "created_at", "updated_at")}
    charges = [{**plan["charges"][0], "id": clone["charges"][0]["id"]}]
    assert clone == {**plan, **own, "version": 2, "status": "DRAFT", "charges": charges}
    assert api.get(cloned["Location"]).json() == clone
    named = api.post(f"{cloned['Location']}/clone", {"name": "Pro 3"}).json()
    assert (named["name"], named["code"], named["version"]) == ("Pro 3", "pro", 3)
    other = api.post(f"{cloned['Location']}/clone", {"code": "pro-eu"}).json()
    assert (other["name"], other["code"], other["version"]) == ("Pro", "pro-eu", 1)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"code": "taken"}, (409, "duplicate_code", "code")),
        ({"code": "Not A Code"}, (400, "invalid_code", "code")),
        ({"name": ""}, (400, "invalid_name", "name")),
        ({"version": 7}, (400, "unknown_field", "version")),
    ],
)
def test_a_copy_that_cannot_be_is_refused(api: APIClient, body: dict[str, Any], refusal: tuple[int, str, str]) -> None:
    make_plan(code="taken")

    assert refusal_of(api.post(f"/v1/rate-plans/{make_plan().id}/clone", body)) == refusal


def test_a_diff_says_what_the_version_before_had_instead(api: APIClient) -> None:
    metric, gone = make_metric(dimensions=["model"]).id, new_charge()
    created = api.post("/v1/rate-plans", new_plan(new_charge(metric=metric), gone, amount=49))
    clone = api.post(f"{created['Location']}/clone")
    api.patch(
        clone["Location"],
        {
            "amount": 59.5,
            "charges": [
                new_charge(metric=metric, model="GRADUATED", properties=TIERS),
                new_charge(metric=metric, match={"model": ["a"]}),
            ],
        },
    )

    answer = api.get(f"{clone['Location']}/diff")

    assert answer.status_code == 200
    changed, added = api.get(clone["Location"]).json()["charges"]
    before, removed = created.json()["charges"]
    assert answer.json() == {
        "plan": clone.json()["id"],
        "against": created.json()["id"],
        "changes": [{"field": "amount", "before": 49, "after": 59.5}],
        "charges": [
            {
                "change": "CHANGED", "before": before, "after": changed,
                "changes": [
                    {"field": "model", "before": "STANDARD", "after": "GRADUATED"},
                    {"field": "properties", "before": before["properties"], "after": TIERS},
                ],
            },
            {"change": "ADDED", "before": None, "after": added, "changes": []},
            {"change": "REMOVED", "before": removed, "after": None, "changes": []},
        ],
        "unchanged_charges": 0,
    }  # fmt: skip


def test_a_plan_is_compared_with_any_other_and_the_first_version_only_with_those(api: APIClient) -> None:
    plan, other = make_plan(name="Pro"), make_plan(name="Max")
    path = f"/v1/rate-plans/{plan.id}/diff"

    named = api.get(f"{path}?against={other.id}").json()

    assert (named["against"], [one["field"] for one in named["changes"]]) == (other.id, ["name"])
    assert refusal_of(api.get(path)) == (400, "no_earlier_version", "against")
    assert refusal_of(api.get(f"{path}?against=pro")) == (400, "invalid_against", "against")
    unknown = api.get(f"{path}?against={TypeID.new('plan')}")
    assert refusal_of(unknown) == (404, "rate_plan_not_found", "against")
    assert code_of(api.get(f"/v1/rate-plans/{TypeID.new('plan')}/diff")) == (404, "rate_plan_not_found")


def test_a_key_that_only_reads_compares_and_copies_nothing(api_of: Callable[..., APIClient]) -> None:
    reader, plan = api_of("catalog:read"), make_plan()

    assert code_of(reader.post(f"/v1/rate-plans/{plan.id}/clone")) == (403, "insufficient_scope")
    assert reader.get(f"/v1/rate-plans/{plan.id}/diff?against={plan.id}").status_code == 200

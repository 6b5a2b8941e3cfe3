"""The terms of rate plans over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.api.plan_terms import PlanLimitsSerializer
from catalog.limits import LIMIT_KINDS
from catalog.models import RatePlan
from tests.api_client import error_of, refusal_of
from tests.catalog.bodies import new_charge, new_plan
from tests.factories import make_plan, make_seats

pytestmark = pytest.mark.django_db

TERMS: dict[str, Any] = {
    "pay_in_advance": True,
    "trial_days": 14,
    "minimum_commitment": 150.5,
    "maximum_spend": 1000,
    "limits": {"rate_per_minute": 60, "quota_per_month": 10000},
}


def terms_in(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in TERMS}


def test_a_plan_is_drafted_with_its_terms_and_changed(api: APIClient) -> None:
    created = api.post("/v1/rate-plans", new_plan(**TERMS))
    assert created.status_code == 201
    assert terms_in(created.json()) == TERMS

    changed = {"minimum_commitment": None, "trial_days": 0, "limits": {"burst": None, "quota_per_day": 9}}
    answer = api.patch(created["Location"], changed)

    assert answer.status_code == 200
    assert terms_in(answer.json()) == {**TERMS, **changed, "limits": {"quota_per_day": 9}}
    assert terms_in(api.get(created["Location"]).json()) == terms_in(answer.json())


def test_a_charge_has_a_minimum_and_may_be_prorated(api: APIClient) -> None:
    charge = new_charge(metric=make_seats().id, minimum_amount="10.25", prorated=True)

    [created] = api.post("/v1/rate-plans", new_plan(charge)).json()["charges"]

    assert (created["minimum_amount"], created["prorated"]) == (10.25, True)


REFUSED: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"trial_days": -1}, (400, "invalid_trial_days", "trial_days")),
    ({"trial_days": 3651}, (400, "invalid_trial_days", "trial_days")),
    ({"trial_days": 1.5}, (400, "invalid_trial_days", "trial_days")),
    ({"pay_in_advance": "yes"}, (400, "invalid_pay_in_advance", "pay_in_advance")),
    ({"minimum_commitment": "-0.01"}, (400, "invalid_minimum_commitment", "minimum_commitment")),
    ({"maximum_spend": 0}, (400, "invalid_maximum_spend", "maximum_spend")),
    ({"maximum_spend": 5, "minimum_commitment": 6}, (400, "invalid_maximum_spend", "maximum_spend")),
    ({"maximum_spend": 5, "amount": 6}, (400, "invalid_maximum_spend", "maximum_spend")),
    ({"limits": []}, (400, "invalid_limits", "limits")),
    ({"limits": {"rate_per_minute": 0}}, (400, "invalid_rate_per_minute", "limits.rate_per_minute")),
    ({"limits": {"rate_per_minute": "5"}}, (400, "invalid_rate_per_minute", "limits.rate_per_minute")),
    ({"limits": {"rate_per_fortnight": 5}}, (400, "unknown_field", "limits.rate_per_fortnight")),
    ({"limits": {"rate_per_minute": 100, "quota_per_day": 99}}, (400, "invalid_limits", "limits.quota_per_day")),
    ({"limits": {"burst": 5}}, (400, "invalid_limits", "limits.burst")),
]


@pytest.mark.parametrize(("change", "refusal"), REFUSED)
def test_terms_that_cannot_be_are_refused_at_their_field(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    draft = make_plan(active=False)

    assert refusal_of(api.post("/v1/rate-plans", {**new_plan(), **change})) == refusal
    assert refusal_of(api.patch(f"/v1/rate-plans/{draft.id}", change)) == refusal
    assert RatePlan.objects.count() == 1


def test_the_refusal_says_what_the_maximum_is_below(api: APIClient) -> None:
    refused = api.post("/v1/rate-plans", new_plan(maximum_spend="49.99", amount="50", currency="EUR"))

    assert error_of(refused)["message"] == "The maximum spend must not be below the base fee of €50.00"


def test_the_document_names_every_limit_there_is() -> None:
    assert list(PlanLimitsSerializer().fields) == [kind.name for kind in LIMIT_KINDS]

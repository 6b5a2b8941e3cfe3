"""The terms of rate plans: trial, minimum, maximum and limits, refused where they contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from catalog.errors import LimitsNotUsable, RatePlanNotDraft
from catalog.models import Charge, RatePlan
from catalog.operations.rate_plans import activate_rate_plan, update_rate_plan
from config.kernel.errors import Invalid
from tests.factories import NOW, make_charge, make_metric, make_plan

pytestmark = pytest.mark.django_db

TERMS: dict[str, Any] = {
    "pay_in_advance": True,
    "trial_days": 14,
    "minimum_commitment": Decimal("150.5"),
    "maximum_spend": Decimal(1000),
    "limits": {"rate_per_minute": 60, "quota_per_month": 10_000},
}


def terms_of(plan: RatePlan) -> dict[str, Any]:
    plan.refresh_from_db()
    return {name: getattr(plan, name) for name in TERMS}


def test_a_plan_has_its_terms_from_the_draft_on_and_keeps_them_once_active() -> None:
    plan = make_plan(active=False, **TERMS)
    assert terms_of(plan) == TERMS

    changed = {**TERMS, "trial_days": 0, "minimum_commitment": None, "limits": {}}
    update_rate_plan(plan.id, **changed, now=NOW)
    assert terms_of(plan) == changed
    activate_rate_plan(plan.id, now=NOW)

    with pytest.raises(RatePlanNotDraft):
        update_rate_plan(plan.id, **TERMS, now=NOW)
    assert terms_of(plan) == changed


def test_a_plan_that_says_nothing_has_no_trial_no_bounds_and_no_limits() -> None:
    plan = make_plan()

    assert terms_of(plan) == {
        "pay_in_advance": False, "trial_days": 0, "minimum_commitment": None, "maximum_spend": None, "limits": {}
    }  # fmt: skip


def test_limits_are_replaced_and_the_empty_ones_left_out() -> None:
    plan = make_plan(active=False, limits={"rate_per_second": 5, "quota_per_day": None})
    assert plan.limits == {"rate_per_second": 5}

    assert update_rate_plan(plan.id, limits={"quota_per_day": 9}, now=NOW).limits == {"quota_per_day": 9}
    assert update_rate_plan(plan.id, name="New", now=NOW).limits == {"quota_per_day": 9}


@pytest.mark.parametrize(
    ("limits", "param", "reason"),
    [
        ({"rate_per_fortnight": 1}, "limits.rate_per_fortnight", "There is no limit called 'rate_per_fortnight'"),
        (
            {"rate_per_minute": 100, "quota_per_day": 99},
            "limits.quota_per_day",
            "Requests per day must not be below the 100 requests per minute",
        ),
    ],
)
def test_limits_that_cannot_be_meant_are_refused_by_name(limits: dict[str, int], param: str, reason: str) -> None:
    draft = make_plan(active=False)

    attempts: list[Callable[[], RatePlan]] = [
        lambda: make_plan(limits=limits),
        lambda: update_rate_plan(draft.id, limits=limits, now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(LimitsNotUsable) as refusal:
            attempt()
        assert (refusal.value.param, refusal.value.message) == (param, reason)
    assert RatePlan.objects.get().limits == {}


@pytest.mark.parametrize(
    ("most", "reason"),
    [
        ("0", "A maximum spend must be above 0; without one there is no maximum"),
        ("99.99", "The maximum spend must not be below the base fee of $100.00"),
        ("149.99", "The maximum spend must not be below the minimum commitment of $150.00"),
    ],
)
def test_a_maximum_below_what_a_period_costs_anyway_is_refused(most: str, reason: str) -> None:
    terms: dict[str, Any] = {"amount": Decimal(100), "minimum_commitment": Decimal(150)}
    draft = make_plan(active=False, **terms)

    attempts: list[Callable[[], RatePlan]] = [
        lambda: make_plan(maximum_spend=Decimal(most), **terms),
        lambda: update_rate_plan(draft.id, maximum_spend=Decimal(most), now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(Invalid, match=reason.replace("$", r"\$")) as refusal:
            attempt()
        assert refusal.value.param == "maximum_spend"
    assert update_rate_plan(draft.id, maximum_spend=Decimal(150), now=NOW).maximum_spend == 150


def test_a_base_fee_is_not_raised_above_the_maximum() -> None:
    draft = make_plan(active=False, amount=Decimal(100), maximum_spend=Decimal(150))

    with pytest.raises(Invalid, match="below the base fee of"):
        update_rate_plan(draft.id, amount=Decimal(151), now=NOW)
    assert update_rate_plan(draft.id, amount=Decimal(150), now=NOW).amount == 150


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"trial_days": 3651}, "rate_plan_trial_is_ten_years_at_most"),
        ({"minimum_commitment": Decimal("-0.01")}, "rate_plan_minimum_commitment_is_not_negative"),
        ({"amount": 0, "maximum_spend": 0, "minimum_commitment": None}, "rate_plan_maximum_spend_is_above_nothing"),
        ({"maximum_spend": Decimal("99.99")}, "rate_plan_maximum_spend_holds_the_base_fee"),
        ({"maximum_spend": Decimal("109.99")}, "rate_plan_maximum_spend_holds_the_minimum_commitment"),
    ],
)
def test_the_database_refuses_terms_that_cannot_be(change: dict[str, Any], constraint: str) -> None:
    plan = make_plan(active=False, amount=Decimal(100), minimum_commitment=Decimal(110))
    rows = RatePlan.objects.filter(pk=plan.pk)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows.update(**change)
    assert rows.update(trial_days=3650, minimum_commitment=110, maximum_spend=110) == 1


def test_no_charge_has_a_minimum_below_nothing() -> None:
    plan = make_plan(charges=[make_charge(make_metric(), minimum_amount=Decimal("0.5"))], active=False)
    charges = Charge.objects.filter(plan=plan)

    with pytest.raises(IntegrityError, match="charge_minimum_is_not_negative"), transaction.atomic():
        charges.update(minimum_amount=Decimal("-0.01"))
    assert charges.get().minimum_amount == Decimal("0.5")

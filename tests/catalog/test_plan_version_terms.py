"""Every term there is of plans and charges: carried on by a copy, told where it differs, shown in words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from catalog.models import Charge, Metric, RatePlan, Tax
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import update_rate_plan
from catalog.queries.plan_diffs import plan_diff
from catalog.terms import OWN_OF_CHARGE, OWN_OF_PLAN, links_of, terms_of
from tests.factories import NOW, make_charge, make_plan, make_seats, make_tax

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)

#: Terms of a plan, each with another value, and what the desk says of both.
PLAN: dict[str, tuple[Any, Any, str, str]] = {
    "name": ("Pro", "Pro 2026", "Pro", "Pro 2026"),
    "interval": ("month", "quarter", "Month", "Quarter"),
    "amount": (Decimal("49.90"), Decimal(59), "$49.90", "$59.00"),
    "pay_in_advance": (True, False, "Yes", "No"),
    "trial_days": (14, 30, "14", "30"),
    "minimum_commitment": (Decimal(60), None, "$60.00", "–"),
    "maximum_spend": (Decimal(500), Decimal(900), "$500.00", "$900.00"),
    "limits": ({"rate_per_minute": 60}, {"rate_per_minute": 60, "quota_per_day": 9000}, "60", "9,000"),
}
#: The same of a charge; its metric says which charge it is.
CHARGE: dict[str, tuple[Any, Any, str, str]] = {
    "name": ("Seats", "Places", "Seats", "Places"),
    "model": ("STANDARD", "VOLUME", "Standard", "Volume"),
    "properties": ({"unit_amount": "0.5"}, {"unit_amount": "0.75"}, "$0.50", "$0.75"),
    "match": ({"region": ["eu"]}, {"region": ["us"]}, "region is eu", "region is us"),
    "minimum_amount": (Decimal(5), Decimal(7), "$5.00", "$7.00"),
    "prorated": (True, False, "Yes", "No"),
}
TIERS = {"tiers": [{"up_to": None, "unit_amount": "0.5"}]}


@pytest.fixture
def metric() -> Metric:
    return make_seats(dimensions=["region"])


@pytest.fixture
def taxes() -> list[Tax]:
    return [make_tax(name="VAT", rate_percent="19"), make_tax(name="Reduced", rate_percent="7")]


def charge_with(metric: Metric, **changed: Any) -> Any:
    terms = {name: before for name, (before, *_) in CHARGE.items()}
    return make_charge(metric, **{**terms, **changed})


@pytest.fixture
def plan(metric: Metric, taxes: list[Tax]) -> RatePlan:
    terms = {name: before for name, (before, *_) in PLAN.items()}
    plan = make_plan(charges=[charge_with(metric)], taxes=[taxes[0].id], **terms)
    return RatePlan.objects.get(pk=plan.pk)


def copy_of(plan: RatePlan) -> RatePlan:
    return RatePlan.objects.get(pk=clone_rate_plan(plan.id, now=LATER).pk)


def all_terms(row: RatePlan | Charge) -> dict[str, Any]:
    own = OWN_OF_PLAN if isinstance(row, RatePlan) else OWN_OF_CHARGE
    return {**terms_of(row, own), **links_of(row)}


def page_of(desk: Client, plan: RatePlan) -> str:
    answer = desk.get(reverse("admin:catalog_rateplan_change", args=[plan.pk]))
    assert answer.status_code == 200
    return answer.content.decode().partition("What changes against version")[2]


def test_these_are_all_terms_and_a_copy_has_every_one(plan: RatePlan, taxes: list[Tax]) -> None:
    copy = copy_of(plan)

    assert all_terms(plan).keys() == {*PLAN, "currency", "taxes"}
    assert all_terms(plan.charges.get()).keys() == {*CHARGE, "metric"}
    assert all_terms(copy) == all_terms(plan)
    assert all_terms(copy.charges.get()) == all_terms(plan.charges.get())
    assert all_terms(copy)["taxes"] == [taxes[0].id]
    assert plan_diff(copy, plan).is_empty


@pytest.mark.parametrize(("field", "values"), PLAN.items(), ids=PLAN)
def test_a_term_of_a_plan_that_differs_is_told_and_shown(
    desk: Client, api: APIClient, plan: RatePlan, field: str, values: tuple[Any, Any, str, str]
) -> None:
    before, after, said_before, said_after = values
    copy = copy_of(plan)
    update_rate_plan(copy.id, **{field: after}, now=LATER)
    copy.refresh_from_db()

    [told] = plan_diff(copy, plan).terms

    assert (told.field, told.before, told.after) == (field, before, after)
    assert [one["field"] for one in api.get(f"/v1/rate-plans/{copy.id}/diff").json()["changes"]] == [field]
    page = page_of(desk, copy)
    assert said_before in page
    assert said_after in page


def test_other_taxes_are_told_and_shown_by_their_names(
    desk: Client, api: APIClient, plan: RatePlan, taxes: list[Tax]
) -> None:
    copy = copy_of(plan)
    update_rate_plan(copy.id, taxes=[tax.id for tax in taxes], now=LATER)

    [told] = plan_diff(copy, plan).terms

    assert (told.field, told.before, told.after) == ("taxes", [taxes[0].id], sorted(tax.id for tax in taxes))
    [change] = api.get(f"/v1/rate-plans/{copy.id}/diff").json()["changes"]
    assert change["before"] == [taxes[0].id]
    assert "VAT (19%), Reduced (7%)" in page_of(desk, copy)


@pytest.mark.parametrize(("field", "values"), CHARGE.items(), ids=CHARGE)
def test_a_term_of_a_charge_that_differs_is_told_and_shown(
    desk: Client, api: APIClient, plan: RatePlan, metric: Metric, field: str, values: tuple[Any, Any, str, str]
) -> None:
    _, after, said_before, said_after = values
    copy, changed = copy_of(plan), {field: after}
    if field == "model":
        changed["properties"] = TIERS
    update_rate_plan(copy.id, charges=[charge_with(metric, **changed)], now=LATER)

    [told] = plan_diff(copy, plan).charges

    assert [term.field for term in told.terms] == list(changed)
    [change] = api.get(f"/v1/rate-plans/{copy.id}/diff").json()["charges"]
    assert [one["field"] for one in change["changes"]] == list(changed)
    page = page_of(desk, copy)
    assert said_before in page
    assert said_after in page

"""The terms of rate plans at the desk: a number each, and complaints at their fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.limits import LIMIT_KINDS
from catalog.models import RatePlan
from tests.factories import make_charge, make_plan, make_product, make_seats

pytestmark = pytest.mark.django_db

FORM = {
    "code": "pro", "name": "Pro", "interval": "month", "amount": "49", "currency": "USD",
    "charges-TOTAL_FORMS": "0", "charges-INITIAL_FORMS": "0",
}  # fmt: skip


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_rateplan_{page}", args=arguments)


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def test_a_plan_is_drafted_with_its_terms(desk: Client) -> None:
    sent = {
        **FORM, "product": make_product().pk, "minimum_commitment": "100", "maximum_spend": "1000.5",
        "trial_days": "14", "pay_in_advance": "on", "rate_per_minute": "60", "quota_per_month": "10000",
    }  # fmt: skip

    desk.post(url("add"), sent)

    plan = RatePlan.objects.get()
    assert (plan.minimum_commitment, plan.maximum_spend) == (100, Decimal("1000.5"))
    assert (plan.trial_days, plan.pay_in_advance) == (14, True)
    assert plan.limits == {"rate_per_minute": 60, "quota_per_month": 10_000}


def test_what_is_left_empty_is_none(desk: Client) -> None:
    desk.post(url("add"), {**FORM, "product": make_product().pk})

    plan = RatePlan.objects.get()
    assert (plan.minimum_commitment, plan.maximum_spend, plan.trial_days, plan.limits) == (None, None, 0, {})


def test_a_draft_shows_its_terms_and_another_change_leaves_them(desk: Client) -> None:
    plan = make_plan(active=False, minimum_commitment=Decimal(100), trial_days=14, limits={"quota_per_day": 7})

    shown = desk.get(url("change", plan.pk)).context["adminform"].form
    sent = {name: shown[name].value() for name in shown.fields if shown[name].value() not in (None, "", False)}
    charges = {name: value for name, value in FORM.items() if name.startswith("charges-")}
    desk.post(url("change", plan.pk), {**sent, **charges, "name": "Renamed", "change_reason": "Typo"})

    plan.refresh_from_db()
    assert (plan.name, plan.minimum_commitment, plan.maximum_spend) == ("Renamed", 100, None)
    assert (plan.trial_days, plan.limits) == (14, {"quota_per_day": 7})


@pytest.mark.parametrize(
    ("sent", "field", "complaint"),
    [
        ({"trial_days": "3651"}, "trial_days", "Ensure this value is less than or equal to 3650."),
        ({"trial_days": "-1"}, "trial_days", "Ensure this value is greater than or equal to 0."),
        ({"minimum_commitment": "-1"}, "minimum_commitment", "Ensure this value is greater than or equal to 0."),
        ({"maximum_spend": "0"}, "maximum_spend", "A maximum spend must be above 0; without one there is no maximum"),
        (
            {"maximum_spend": "48.99"},
            "maximum_spend",
            "The maximum spend must not be below the base fee of $49.00",
        ),
        ({"rate_per_minute": "0"}, "rate_per_minute", "Ensure this value is greater than or equal to 1."),
        (
            {"rate_per_minute": "100", "quota_per_day": "99"},
            "quota_per_day",
            "Requests per day must not be below the 100 requests per minute.",
        ),
        ({"burst": "5"}, "burst", "A burst needs a rate that it may exceed for a moment."),
    ],
)
def test_terms_that_cannot_be_are_told_at_their_field(
    desk: Client, sent: dict[str, str], field: str, complaint: str
) -> None:
    response = desk.post(url("add"), {**FORM, "product": make_product().pk, **sent})

    assert errors_of(response) == {field: [complaint]}
    assert not RatePlan.objects.exists()


def test_a_charge_has_a_minimum_and_may_be_prorated(desk: Client) -> None:
    row = {
        "metric": make_seats().pk,
        "model": "STANDARD",
        "unit_amount": "1",
        "minimum_amount": "10",
        "prorated": "on",
    }
    rows = {f"charges-0-{name}": value for name, value in row.items()}

    desk.post(url("add"), {**FORM, "product": make_product().pk, **rows, "charges-TOTAL_FORMS": "1"})

    charge = RatePlan.objects.get().charges.get()
    assert (charge.minimum_amount, charge.prorated) == (10, True)
    page = desk.get(url("change", charge.plan_id)).content.decode()
    assert 'name="charges-0-minimum_amount" value="10"' in page


def test_an_active_plan_shows_its_terms_in_words(desk: Client) -> None:
    charge = make_charge(make_seats(), minimum_amount=Decimal(10), prorated=True)
    plan = make_plan(
        charges=[charge], minimum_commitment=Decimal(250), trial_days=14, limits={"quota_per_month": 10_000}
    )

    page = desk.get(url("change", plan.pk)).content.decode()

    assert "$250.00" in page
    assert "Requests per month: 10,000" in page
    assert "at least $10.00 a period" in page
    assert "a unit counts for the part of the period it was held" in page


def test_the_form_asks_for_every_limit_there_is(desk: Client) -> None:
    form = desk.get(url("add")).context["adminform"].form

    assert {kind.name for kind in LIMIT_KINDS} <= set(form.fields)
    assert "limits" not in form.fields

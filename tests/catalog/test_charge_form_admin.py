"""The form of a charge: every pricing model's boxes, as many charges as a plan may have, and no script within."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from catalog.models import Charge, ChargeModel, Metric
from catalog.operations.rate_plans import ChargeSpec
from catalog.pricing import parse_price
from tests.catalog.test_rate_plans_admin import TIERS, form_of, shown_rows, standard, url
from tests.factories import make_charge, make_metric, make_plan, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def metric() -> Metric:
    return make_metric(code="tokens", aggregation="SUM", property="tokens", dimensions=["model", "region"])


#: For each model what is filled in, and what is kept; the boxes of all other models are filled in too, and left alone.
FILLED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("STANDARD", {"unit_amount": "0.5"}, {"unit_amount": "0.5"}),
    (
        "GRADUATED",
        {"tiers": [{"up_to": "10", "unit_amount": "2", "flat_amount": "1", "package_size": "5"}, {"unit_amount": "1"}]},
        {
            "tiers": [
                {"up_to": "10", "unit_amount": "2", "flat_amount": "1", "package_size": "5"},
                {"up_to": None, "unit_amount": "1"},
            ]
        },
    ),
    (
        "VOLUME",
        {"tiers": [{"up_to": "10.5", "unit_amount": "0.000000000001"}, {}, {"unit_amount": "0", "flat_amount": "9"}]},
        {
            "tiers": [
                {"up_to": "10.5", "unit_amount": "0.000000000001"},
                {"up_to": None, "unit_amount": "0", "flat_amount": "9"},
            ]
        },
    ),
    (
        "PACKAGE",
        {"package_size": "100", "amount": "5", "free_units": "10"},
        {"package_size": "100", "amount": "5", "free_units": "10"},
    ),
    (
        "PERCENTAGE",
        {"rate_percent": "2", "fixed_amount": "0.1", "free_events": "3", "free_amount": "4", "minimum_per_event": "1",
         "maximum_per_event": "9"},
        {"rate_percent": "2", "fixed_amount": "0.1", "free_events": "3", "free_amount": "4", "minimum_per_event": "1",
         "maximum_per_event": "9"},
    ),
    (
        "GRADUATED_PERCENTAGE",
        {"tiers": [{"up_to": "10", "rate_percent": "2", "flat_amount": "1", "unit_amount": "7", "package_size": "8"},
                   {"rate_percent": "1"}, {"unit_amount": "7"}]},
        {"tiers": [{"up_to": "10", "rate_percent": "2", "flat_amount": "1"}, {"up_to": None, "rate_percent": "1"}]},
    ),
    ("DYNAMIC", {"property": "cost", "multiplier": "1.2"}, {"property": "cost", "multiplier": "1.2"}),
]  # fmt: skip

#: What stands in the boxes when another model was chosen before: none of it is a price of its own.
LEFT_OVER = {
    "unit_amount": "1", "amount": "2", "package_size": "3", "free_units": "4", "rate_percent": "5", "property": "x",
    "multiplier": "6", "tiers": [{"up_to": "gone", "unit_amount": "wrong"}],
}  # fmt: skip


@pytest.mark.parametrize(("model", "typed", "kept"), FILLED, ids=[one[0] for one in FILLED])
def test_a_charge_keeps_what_its_model_asks_for_and_nothing_left_over_from_another(
    desk: Client, metric: Metric, model: str, typed: dict[str, Any], kept: dict[str, Any]
) -> None:
    sent = {"metric": metric.pk, "model": model, **LEFT_OVER, **blank(kept), **typed}

    desk.post(url("add"), form_of(sent, product=make_product().pk))

    charge = Charge.objects.get()
    assert (charge.model, charge.properties) == (model, kept)
    assert parse_price(charge.model, charge.properties)


def blank(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return the boxes of the model itself as empty, so that only what is typed counts."""
    return dict.fromkeys(kept, "")


def test_every_model_stands_in_the_table() -> None:
    assert [one[0] for one in FILLED] == list(ChargeModel.values)


def test_a_plan_with_all_the_charges_it_may_have_is_changed(desk: Client) -> None:
    """Django takes 1000 boxes unless it is told of more; that would be enough for thirty charges."""
    metrics = [make_metric(dimensions=["model"]) for _ in range(60)]
    specs: list[ChargeSpec] = [make_charge(one, model="VOLUME", properties=VOLUME) for one in metrics]
    plan = make_plan(charges=specs, active=False)
    rows = [{**dict(row.initial), "package_size": "", "amount": ""} for row in shown_rows(desk, plan)]

    answer = desk.post(
        url("change", plan.pk),
        form_of(*rows, {**standard(metrics[0], match=[{"dimension": "model", "values": "x"}]), "tiers": TIERS * 300},
                stored=60, product=plan.product_id, code=plan.code),
    )  # fmt: skip

    assert answer.status_code == 302
    assert plan.charges.count() == 61


VOLUME = {"tiers": [{"up_to": "10", "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}]}


def test_the_form_works_under_a_policy_that_forbids_scripts_within_the_page(desk: Client, metric: Metric) -> None:
    page = desk.get(url("add")).content.decode()
    charges = page[page.index("data-charges") : page.index("Add a charge")]

    assert f'src="/{settings.STATIC_URL.strip("/")}/catalog/charges.js"' in page
    assert finders.find("catalog/charges.js")
    assert "<script" not in charges
    assert not re.findall(r"\s(on\w+|x-[\w:.-]+|@[\w.]+)=", charges)
    assert metric.pk in charges

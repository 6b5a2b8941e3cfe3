"""Tiers and matches as rows of boxes: what is wrong is named at its own box, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.test import Client

from catalog.admin.charge_rows import BLANK_ROWS
from catalog.admin.match_rows import parse_values, print_values
from catalog.models import Metric, RatePlan
from tests.catalog.test_rate_plans_admin import form_of, row_errors, shown_rows, standard, url
from tests.factories import make_charge, make_metric, make_plan, make_product

pytestmark = pytest.mark.django_db

Rows = Sequence[Mapping[str, str]]


@pytest.fixture
def metric() -> Metric:
    return make_metric(code="tokens", aggregation="SUM", property="tokens", dimensions=["model", "region"])


def post(desk: Client, *charges: Mapping[str, Any]) -> Any:
    """Send the form of a new plan with these charges."""
    return desk.post(url("add"), form_of(*charges, product=make_product().pk))


def tiered(metric: Metric, tiers: Rows, model: str = "GRADUATED") -> dict[str, Any]:
    return {"metric": metric.pk, "model": model, "tiers": tiers}


def forms_of(answer: Any) -> list[Any]:
    """Return the forms of the charges as a refused page shows them."""
    return list(answer.context["adminform"].form["charges"].value().forms)


def complaints_of(form: Any, name: str) -> dict[tuple[int, str], str]:
    """Return what stands at the boxes of the tiers or of the match: by number of the row and name of the column."""
    table = form.tier_table if name == "tiers" else form.match_table
    return {
        (row.number, cell.column.name): cell.complaint for row in table.rows for cell in row.cells if cell.complaint
    }


@pytest.mark.parametrize(
    ("model", "tiers", "complaints"),
    [
        (
            "GRADUATED",
            [{"up_to": "100", "unit_amount": "2"}, {"up_to": "50", "unit_amount": "1"}, {"unit_amount": "1"}],
            {(2, "up_to"): "Tier 2: must be above 100, where the tier begins."},
        ),
        (
            "VOLUME",
            [{}, {"up_to": "0", "unit_amount": "2"}, {}, {"unit_amount": "1"}],
            {(2, "up_to"): "Tier 2: must be above 0, where the tier begins."},
        ),
        (
            "VOLUME",
            [{"up_to": "10", "unit_amount": "2"}, {}, {"up_to": "9", "unit_amount": "2"}, {"unit_amount": "1"}],
            {(3, "up_to"): "Tier 3: must be above 10, where the tier begins."},
        ),
        (
            "GRADUATED",
            [{"unit_amount": "2"}, {"unit_amount": "1"}],
            {(1, "up_to"): "Tier 1: must be a number, because only the last tier has no end."},
        ),
        (
            "GRADUATED",
            [{"up_to": "10", "unit_amount": "2"}, {"up_to": "20", "unit_amount": "1"}],
            {(2, "up_to"): "Tier 2: must be left empty, because the last tier has no end; or add a tier."},
        ),
        (
            "GRADUATED",
            [{"up_to": "10", "flat_amount": "2"}, {"unit_amount": "1"}],
            {(1, "unit_amount"): "Tier 1: the price per unit is missing."},
        ),
        (
            "GRADUATED",
            [{"unit_amount": "1", "package_size": "0"}],
            {(1, "package_size"): "Tier 1: must be above 0."},
        ),
        (
            "GRADUATED",
            [{"up_to": "1o", "unit_amount": "-1"}, {"unit_amount": "1", "flat_amount": "NaN"}],
            {
                (1, "up_to"): "Tier 1: enter a number.",
                (1, "unit_amount"): "Tier 1: ensure this value is greater than or equal to 0.",
                (2, "flat_amount"): "Tier 2: enter a number.",
            },
        ),
        (
            "GRADUATED_PERCENTAGE",
            [{"up_to": "10", "rate_percent": "1"}, {"flat_amount": "1"}],
            {(2, "rate_percent"): "Tier 2: the percentage is missing."},
        ),
    ],
)  # fmt: skip
def test_a_wrong_tier_is_named_and_marked_at_its_box_and_nothing_typed_is_lost(
    desk: Client, metric: Metric, model: str, tiers: Rows, complaints: dict[tuple[int, str], str]
) -> None:
    answer = post(desk, standard(make_metric()), tiered(metric, tiers, model))

    good, bad = forms_of(answer)
    assert (complaints_of(good, "tiers"), complaints_of(bad, "tiers")) == ({}, complaints)
    shown = [{cell.column.name: cell.value for cell in row.cells if cell.value} for row in bad.tier_table.rows]
    assert shown == [*tiers, *[{}] * BLANK_ROWS]
    text = answer.content.decode()
    assert text.count('aria-invalid="true"') >= len(complaints)
    for complaint in complaints.values():
        assert complaint in text
    assert not RatePlan.objects.exists()


def test_a_price_by_tiers_has_at_least_one(desk: Client, metric: Metric) -> None:
    answer = post(desk, tiered(metric, [{}, {}]))

    assert row_errors(answer)[0] == {"tiers": ["Fill in at least one tier."]}
    assert forms_of(answer)[0].tier_table.complaints == ["Fill in at least one tier."]


@pytest.mark.parametrize(
    ("match", "complaints"),
    [
        ([("", "gpt-4o")], {(1, "dimension"): "Row 1: choose a dimension."}),
        ([("model", "a"), ("model", "b")], {(2, "dimension"): "Row 2: “model” has a row already."}),
        ([("model", "a\nb")], {(1, "values"): "Row 1: remove the characters that cannot be seen."}),
        ([("model", "a\0")], {(1, "values"): "Row 1: remove the characters that cannot be seen."}),
        ([("model", "a" * 100_001)], {(1, "values"): "Row 1: at most 100000 characters fit in."}),
        # What follows is refused by the operation.
        (
            [("model", "a"), ("planet", "mars")],
            {(2, "dimension"): "Row 2: The metric tokens is not kept by the dimension 'planet'"},
        ),
        ([("model", " , ")], {(1, "dimension"): "Row 1: The match on 'model' names no value"}),
        ([("", ""), ("model", "")], {(2, "values"): "Row 2: The match on 'model' names no value"}),
    ],
)
def test_a_wrong_match_is_named_and_marked_at_its_box_and_nothing_typed_is_lost(
    desk: Client, metric: Metric, match: list[tuple[str, str]], complaints: dict[tuple[int, str], str]
) -> None:
    rows = [{"dimension": dimension, "values": values} for dimension, values in match]

    answer = post(desk, standard(make_metric()), standard(metric, match=rows))

    good, bad = forms_of(answer)
    assert (complaints_of(good, "match"), complaints_of(bad, "match")) == ({}, complaints)
    shown = [tuple(cell.value for cell in row.cells) for row in bad.match_table.rows][: len(match)]
    assert shown == [(dimension, values.strip()) for dimension, values in match]
    assert not RatePlan.objects.exists()


def test_a_dimension_of_no_metric_stays_chosen_to_be_corrected(desk: Client, metric: Metric) -> None:
    answer = post(desk, standard(metric, match=[{"dimension": "planet", "values": "mars"}]))

    assert "<option selected>planet</option>" in answer.content.decode()


def test_what_the_operation_refuses_stands_at_the_row_that_the_page_counts(desk: Client, metric: Metric) -> None:
    percentage = {"metric": make_metric().pk, "model": "PERCENTAGE", "rate_percent": "1"}

    answer = post(desk, {**standard(make_metric()), "DELETE": "on"}, {}, standard(metric), percentage)

    [told] = answer.context["adminform"].form.non_field_errors()
    assert told.startswith("Charge 4: PERCENTAGE is a share of what each event adds to a SUM")
    assert [list(form.errors) for form in forms_of(answer)] == [[], [], [], ["model"]]


def test_charges_that_could_tie_are_told_at_the_later_of_them(desk: Client, metric: Metric) -> None:
    answer = post(desk, {}, standard(metric), standard(metric))

    told = "Charges 2 and 3 could both claim the same event"
    assert answer.context["adminform"].form.non_field_errors() == [told]
    assert [dict(form.errors) for form in forms_of(answer)] == [{}, {}, {"match": [told]}]
    assert forms_of(answer)[2].match_table.complaints == [told]


def test_a_stored_charge_is_shown_as_it_can_be_sent_again(desk: Client, metric: Metric) -> None:
    tiers = {
        "tiers": [
            {"up_to": "1000.00", "unit_amount": "0.10", "flat_amount": "0", "package_size": "10"},
            {"up_to": None, "unit_amount": "5E-9"},
        ]
    }
    match = {"model": ["gpt-4o", "a, b", 'say "x"'], "region": ["eu"]}
    plan = make_plan(charges=[make_charge(metric, model="VOLUME", properties=tiers, match=match)], active=False)
    [row] = shown_rows(desk, plan)
    kept = [charge.pk for charge in plan.charges.all()]

    assert [one.above for one in row.tier_table.rows] == ["0", "1000", "", ""]
    assert row.initial["tiers"][1] == {
        "up_to": "", "unit_amount": "0.000000005", "rate_percent": "", "flat_amount": "", "package_size": ""
    }  # fmt: skip
    sent = form_of(dict(row.initial), stored=1, product=plan.product_id, code=plan.code, name="Renamed")
    desk.post(url("change", plan.pk), sent)
    plan.refresh_from_db()
    assert plan.name == "Renamed"
    assert [charge.pk for charge in plan.charges.all()] == kept

    changed = {**row.initial, "match": [{"dimension": "model", "values": 'kimi, "a, b"'}]}
    desk.post(url("change", plan.pk), {**sent, **form_of(changed, stored=1, product=plan.product_id, code=plan.code)})
    assert plan.charges.get().match == {"model": ["kimi", "a, b"]}


@pytest.mark.parametrize("values", [["gpt-4o"], ["a, b", "c"], ['say "x"', "y"], ['"', ",", "a"]])
def test_values_are_a_list_and_back(values: list[str]) -> None:
    assert parse_values(print_values(values)) == values
    assert parse_values(" gpt-4o ,kimi,, ") == ["gpt-4o", "kimi"]

"""Rate plans at the desk: drafts with their charges as rows, frozen once active."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Metric, RatePlan
from tests.factories import make_charge, make_clerk, make_metric, make_plan, make_product

pytestmark = pytest.mark.django_db

TIERS = [{"up_to": "1000", "unit_amount": "0.10", "flat_amount": "5"}, {"unit_amount": "0.05"}]
SHARES = [{"up_to": "1000", "rate_percent": "1.5", "flat_amount": "200"}, {"rate_percent": "1"}]
ONLY = [{"dimension": "model", "values": "gpt-4o, gpt-4o-mini"}]
#: The boxes of a row within a charge.
BOXES = {
    "tiers": ("up_to", "unit_amount", "rate_percent", "flat_amount", "package_size"),
    "match": ("dimension", "values"),
}


@pytest.fixture
def metric() -> Metric:
    return make_metric(code="tokens", dimensions=["model"])


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_rateplan_{page}", args=arguments)


def form_of(*rows: Mapping[str, Any], stored: int = 0, **fields: Any) -> dict[str, Any]:
    """Return what a browser sends for a plan with charges in ``rows``."""
    charges = {
        f"charges-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in boxes_of({"model": "STANDARD", **row}).items()
    }
    defaults = {"code": "pro", "name": "Pro", "interval": "month", "amount": "49", "currency": "USD"}
    counts = {"charges-TOTAL_FORMS": str(len(rows)), "charges-INITIAL_FORMS": str(stored)}
    return {**defaults, **charges, **counts, **fields}


def boxes_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the boxes of a charge; those of its tiers and of its match are named alike in all their rows."""
    lists = {
        f"{name}-{column}": [one.get(column, "") for one in row[name]]
        for name, columns in BOXES.items()
        if name in row
        for column in columns
    }
    return {**{name: value for name, value in row.items() if name not in BOXES}, **lists}


def standard(metric: Metric, unit_amount: str = "0.01", **fields: Any) -> dict[str, Any]:
    return {"metric": metric.pk, "unit_amount": unit_amount, **fields}


def row_errors(response: Any) -> list[dict[str, list[str]]]:
    return list(response.context["adminform"].form["charges"].value().errors)


def test_every_kind_of_charge_is_drafted_without_writing_json(desk: Client, metric: Metric) -> None:
    product, volume = make_product(), make_metric(aggregation="SUM", property="amount")

    desk.post(
        url("add"),
        form_of(
            {**standard(metric, "0.0000025", match=ONLY, name="GPT"), "tiers": [{"up_to": "left over"}]},
            {"metric": metric.pk, "model": "GRADUATED", "tiers": TIERS},
            {"metric": make_metric().pk, "model": "VOLUME", "tiers": [{"unit_amount": "1"}]},
            {"metric": make_metric().pk, "model": "PACKAGE", "package_size": "1000", "amount": "5", "free_units": "10"},
            {
                "metric": volume.pk,
                "model": "PERCENTAGE",
                "rate_percent": "2.9",
                "fixed_amount": "0.3",
                "free_events": "3",
            },
            {"metric": make_metric().pk, "model": "GRADUATED_PERCENTAGE", "tiers": SHARES},
            {"metric": make_metric().pk, "model": "DYNAMIC", "property": "cost", "multiplier": ""},
            {},
            product=product.pk,
        ),
    )

    plan = RatePlan.objects.get()
    assert (plan.product, plan.status, plan.amount) == (product, "DRAFT", Decimal(49))
    assert [row.history_actor for row in plan.history.all()] == ["olga"]
    assert [(one.model, one.properties, one.match, one.name) for one in plan.charges.all()] == [
        ("STANDARD", {"unit_amount": "0.0000025"}, {"model": ["gpt-4o", "gpt-4o-mini"]}, "GPT"),
        (
            "GRADUATED",
            {"tiers": [{"up_to": "1000", "unit_amount": "0.10", "flat_amount": "5"},
                       {"up_to": None, "unit_amount": "0.05"}]},
            {}, "",
        ),
        ("VOLUME", {"tiers": [{"up_to": None, "unit_amount": "1"}]}, {}, ""),
        ("PACKAGE", {"package_size": "1000", "amount": "5", "free_units": "10"}, {}, ""),
        ("PERCENTAGE", {"rate_percent": "2.9", "fixed_amount": "0.3", "free_events": "3"}, {}, ""),
        (
            "GRADUATED_PERCENTAGE",
            {"tiers": [{"up_to": "1000", "rate_percent": "1.5", "flat_amount": "200"},
                       {"up_to": None, "rate_percent": "1"}]},
            {}, "",
        ),
        ("DYNAMIC", {"property": "cost"}, {}, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field", "complaint"),
    [
        ({"unit_amount": ""}, "unit_amount", "This number is missing."),
        ({"unit_amount": "-1"}, "unit_amount", "Ensure this value is greater than or equal to 0."),
        ({"metric": ""}, "metric", "This field is required."),
        ({"model": "PACKAGE", "package_size": "0", "amount": "1"}, "package_size", "This number must be above 0."),
        ({"model": "PERCENTAGE"}, "rate_percent", "This number is missing."),
        (
            {"model": "PERCENTAGE", "rate_percent": "1", "free_events": "1.5"},
            "free_events",
            "This number must be a whole",
        ),
        (
            {"model": "PERCENTAGE", "rate_percent": "1", "minimum_per_event": "2", "maximum_per_event": "1"},
            "maximum_per_event",
            "This number must not be below the minimum, 2",
        ),
        ({"model": "DYNAMIC", "property": ""}, "property", "This property is missing."),
    ],
)
def test_a_wrong_row_says_itself_what_is_wrong(
    desk: Client, metric: Metric, row: dict[str, str], field: str, complaint: str
) -> None:
    sent = form_of(standard(metric), {**standard(metric), **row}, product=make_product().pk)

    response = desk.post(url("add"), sent)

    good, bad = row_errors(response)
    assert good == {}
    assert list(bad) == [field]
    assert bad[field][0].startswith(complaint)
    assert response.context["adminform"].form.non_field_errors() == ["Correct the charges marked below."]
    assert not RatePlan.objects.exists()


@pytest.mark.parametrize(
    ("match", "complaint"),
    [
        ([("planet", "mars")], "Charge 2: The metric tokens is not kept by the dimension 'planet'"),
        ([("model", "")], "Charge 2: The match on 'model' names no value"),
        ([], "Charges 1 and 2 could both claim the same event"),
    ],
)
def test_what_the_operation_refuses_is_told_and_nothing_typed_is_lost(
    desk: Client, metric: Metric, match: list[tuple[str, str]], complaint: str
) -> None:
    only = [{"dimension": dimension, "values": values} for dimension, values in match]
    rows = standard(metric), standard(metric, "0.75", match=only)

    response = desk.post(url("add"), form_of(*rows, product=make_product().pk))

    form = response.context["adminform"].form
    assert form.non_field_errors() == [complaint]
    assert form["charges"].value().forms[1]["unit_amount"].value() == "0.75"
    assert 'value="0.75"' in response.content.decode()
    assert not RatePlan.objects.exists()


def test_a_percentage_of_what_is_no_sum_is_told_with_its_charge(desk: Client, metric: Metric) -> None:
    row = {"metric": metric.pk, "model": "PERCENTAGE", "rate_percent": "1"}

    response = desk.post(url("add"), form_of(standard(make_metric()), row, product=make_product().pk))

    [complaint] = response.context["adminform"].form.non_field_errors()
    assert complaint.startswith("Charge 2: PERCENTAGE is a share of what each event adds to a SUM")


def test_a_change_of_the_name_leaves_the_charges_as_they_are(desk: Client, metric: Metric) -> None:
    tiers = {
        "tiers": [{"up_to": 1000, "unit_amount": "0.1"}, {"up_to": None, "unit_amount": "0.05", "flat_amount": "1"}]
    }
    shares = {"tiers": [{"up_to": "9", "rate_percent": "1.50"}, {"up_to": None, "rate_percent": "1"}]}
    plan = make_plan(
        charges=[
            make_charge(metric, unit_amount="0.010"),
            make_charge(make_metric(), model="VOLUME", properties=tiers),
            make_charge(make_metric(), model="DYNAMIC", properties={"property": "1.50", "multiplier": "1.50"}),
            make_charge(make_metric(), model="GRADUATED_PERCENTAGE", properties=shares),
        ],
        active=False,
    )
    kept = [charge.pk for charge in plan.charges.all()]
    rows = [dict(row.initial) for row in shown_rows(desk, plan)]

    desk.post(
        url("change", plan.pk),
        form_of(*rows, {}, stored=4, product=plan.product_id, code=plan.code, name="Renamed", change_reason="Typo"),
    )

    plan.refresh_from_db()
    assert plan.name == "Renamed"
    assert [charge.pk for charge in plan.charges.all()] == kept
    assert [row.history_change_reason for row in plan.history.order_by("history_id")] == ["", "Typo"]


def shown_rows(desk: Client, plan: RatePlan) -> list[Any]:
    """Return the rows of the stored charges as the page shows them."""
    form = desk.get(url("change", plan.pk)).context["adminform"].form
    rows = form.fields["charges"].widget.rows_of(form["charges"].html_name, form["charges"].value())
    return list(rows.initial_forms)


def test_charges_are_changed_and_removed(desk: Client, metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric), make_charge(make_metric())], active=False)
    first, second = (dict(row.initial) for row in shown_rows(desk, plan))

    desk.post(
        url("change", plan.pk),
        form_of({**first, "unit_amount": "0.02"}, {**second, "DELETE": "on"}, stored=2, product=plan.product_id),
    )

    assert [one.properties for one in plan.charges.all()] == [{"unit_amount": "0.02"}]


def test_an_active_plan_shows_its_prices_in_words_and_takes_no_change(desk: Client, metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric, match={"model": ["kimi"]})])

    page = desk.get(url("change", plan.pk)).content.decode()
    answer = desk.post(url("change", plan.pk), form_of(product=plan.product_id))

    assert "$0.01 per unit" in page
    assert "only where model is kimi" in page
    assert "its prices are frozen" in page
    assert 'name="amount"' not in page
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("active", "name", "status"), [(False, "activate", "ACTIVE"), (True, "archive", "ARCHIVED")], ids=str
)
def test_activating_and_archiving_ask_first(desk: Client, active: bool, name: str, status: str) -> None:
    plan = make_plan(active=active)
    before = plan.status

    buttons = desk.get(url("change", plan.pk)).context["actions_detail"]
    desk.get(url(name, plan.pk))
    desk.post(url(name, plan.pk), {"confirmed": "yes"})
    plan.refresh_from_db()
    assert plan.status == before
    desk.post(url(name, plan.pk), {"confirmed": "yes", "reason": "Season"})

    plan.refresh_from_db()
    row = plan.history.latest("history_id")
    titles = [one["title"] for one in buttons]
    assert [title for title in titles if title in ("Activate", "Archive")] == [name.capitalize()]
    assert plan.status == status
    assert (row.history_actor, row.history_change_reason) == ("olga", "Season")


def test_an_archived_plan_is_not_archived_again(desk: Client) -> None:
    plan = make_plan()
    desk.post(url("archive", plan.pk), {"confirmed": "yes", "reason": "Season"})

    response = desk.post(url("archive", plan.pk), {"confirmed": "yes", "reason": "Season"})

    assert response.context["form"].non_field_errors() == ["The rate plan is ARCHIVED, not ACTIVE"]


def test_a_reader_sees_a_draft_and_changes_nothing(metric: Metric) -> None:
    plan, browser = make_plan(charges=[make_charge(metric)], active=False), Client()
    browser.force_login(make_clerk())

    page = browser.get(url("change", plan.pk))
    answers = [browser.post(url(name, plan.pk), {"confirmed": "yes", "reason": "x"}) for name in ("change", "activate")]

    assert "$0.01 per unit" in page.content.decode()
    assert [answer.status_code for answer in answers] == [403, 403]


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_plan()

    with django_assert_max_num_queries(8):
        page = desk.get(url("changelist")).content.decode()

    assert "$100.00" in page

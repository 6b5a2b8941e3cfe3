"""The price bench at the desk: usage typed in, priced tier by tier, beside another plan; nothing is kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from catalog.admin.bench_rows import BLANK_ROWS, MAX_BOXES, parse_amounts, print_amounts, sections_of
from catalog.models import Metric, RatePlan
from catalog.operations.plan_versions import clone_rate_plan
from catalog.operations.rate_plans import update_rate_plan
from catalog.queries.prices import UnitsUsed
from tests.factories import NOW, make_charge, make_clerk, make_metric, make_plan

pytestmark = pytest.mark.django_db

TIERS = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5", "flat_amount": "3"}]}


@pytest.fixture
def metric() -> Metric:
    return make_metric(name="Tokens", aggregation="SUM", property="tokens", dimensions=["model"])


def url(plan: RatePlan) -> str:
    return reverse("admin:catalog_rateplan_price_bench", args=[plan.pk])


def rows(metric: Metric, *typed: dict[str, str]) -> dict[str, str]:
    """Return what a browser sends for the rows of one metric; ``model`` is its first dimension."""
    sent = {f"{metric.pk}-TOTAL_FORMS": str(len(typed)), f"{metric.pk}-INITIAL_FORMS": "0"}
    for number, row in enumerate(typed):
        for name, value in row.items():
            sent[f"{metric.pk}-{number}-{'dimension_0' if name == 'model' else name}"] = value
    return sent


def price(desk: Client, plan: RatePlan, *sent: dict[str, str], **fields: str) -> Any:
    body = {name: value for one in sent for name, value in one.items()}
    answer = desk.post(url(plan), {"price": "1", "against": "", **body, **fields})
    assert answer.status_code == 200
    return answer


def errors(answer: Any) -> list[dict[str, list[str]]]:
    return [dict(row.errors) for section in answer.context["bench"].sections for row in section.rows.forms]


def test_the_bench_offers_a_row_for_each_value_that_a_charge_is_limited_to(desk: Client, metric: Metric) -> None:
    plan = make_plan(
        charges=[make_charge(metric, match={"model": ["a", "b"]}), make_charge(metric), make_charge(make_metric())],
        active=False,
    )

    [tokens, calls] = desk.get(url(plan)).context["bench"].sections

    assert [row.initial.get("dimension_0", "") for row in tokens.rows.forms] == ["a", "b", "", ""]
    assert (len(calls.rows.forms), calls.headings) == (1, ["Units"])
    assert tokens.headings == ["model", "Units"]


def test_usage_is_priced_tier_by_tier_with_the_base_fee_and_nothing_is_written(desk: Client, metric: Metric) -> None:
    charges = [
        make_charge(metric, match={"model": ["a"]}, unit_amount="0.25"),
        make_charge(metric, model="GRADUATED", properties=TIERS),
    ]
    plan = make_plan(charges=charges, amount=Decimal(49), active=False)
    before = (RatePlan.history.count(), LogEntry.objects.count())

    answer = price(desk, plan, rows(metric, {"model": "a", "units": "2"}, {"model": "", "units": "12"}, {"model": "x"}))

    [shown] = answer.context["prices"]
    assert [(one["units"], one["amount"]) for one in shown["charges"]] == [("2", "$0.50"), ("12", "$14.00")]
    assert [
        (tier["span"], tier["units"], tier["unit_amount"], tier["flat_amount"], tier["amount"])
        for tier in shown["charges"][1]["tiers"]
    ] == [
        ("0 to 10", "10", "$1.00", "–", "$10.00"),
        ("above 10", "2", "$0.50", "$3.00", "$4.00"),
    ]
    assert (shown["amount"], shown["base_fee"], shown["total"]) == ("$14.50", "$49.00", "$63.50")
    page = answer.content.decode()
    assert "$63.50" in page
    assert 'value="12"' in page
    assert (RatePlan.history.count(), LogEntry.objects.count()) == before


def test_the_version_before_is_priced_beside_it_with_the_difference(desk: Client, metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric, unit_amount="1")], amount=Decimal(10))
    dearer = clone_rate_plan(plan.id, now=NOW)
    update_rate_plan(dearer.id, amount=Decimal(12), charges=[make_charge(metric, unit_amount="1.5")], now=NOW)

    assert desk.get(url(dearer)).context["bench"].against == plan
    answer = price(desk, dearer, rows(metric, {"units": "4"}), against=plan.pk)

    assert [one["total"] for one in answer.context["prices"]] == ["$18.00", "$14.00"]
    assert answer.context["comparison"]["difference"] == "$4.00"
    assert answer.context["comparison"]["direction"] == "more"
    page = " ".join(answer.content.decode().split())
    assert "$4.00 more</strong> than" in page
    back = price(desk, plan, rows(metric, {"units": "4"}), against=dearer.pk)
    assert back.context["comparison"]["direction"] == "less"
    alone = price(desk, dearer, rows(metric, {"units": "4"}))
    assert (len(alone.context["prices"]), alone.context["comparison"]) == (1, {})


def test_only_plans_in_the_same_currency_can_be_compared(desk: Client, metric: Metric) -> None:
    plan, euros = make_plan(charges=[make_charge(metric)]), make_plan(currency="EUR")

    answer = price(desk, plan, rows(metric, {"units": "1"}), against=euros.pk)

    assert list(answer.context["bench"].choice.errors) == ["against"]
    assert answer.context["prices"] == []


@pytest.mark.parametrize(
    ("row", "field", "complaint"),
    [
        ({"units": "-1"}, "units", "Ensure this value is greater than or equal to 0."),
        ({"units": "many"}, "units", "Enter a number."),
        ({"event_amounts": "1 two"}, "event_amounts", "“two” is no amount"),
        ({"event_amounts": "10001 x 1"}, "event_amounts", "Name at most 10,000 events."),
        ({"units": "5"}, "event_amounts", "A PERCENTAGE charge prices each event"),
    ],
)
def test_a_wrong_row_says_what_is_wrong_and_nothing_typed_is_lost(
    desk: Client, metric: Metric, row: dict[str, str], field: str, complaint: str
) -> None:
    plan = make_plan(charges=[make_charge(metric, model="PERCENTAGE", properties={"rate_percent": "1"})])

    answer = price(desk, plan, rows(metric, {"event_amounts": "2.50"}, {"model": "kept", **row}))

    good, bad = errors(answer)
    assert good == {}
    assert list(bad) == [field]
    assert bad[field][0].startswith(complaint)
    assert answer.context["prices"] == []
    assert 'value="kept"' in answer.content.decode()
    assert all(value in answer.content.decode() for value in row.values())


def test_what_events_carry_is_priced_one_by_one(desk: Client, metric: Metric) -> None:
    properties = {"rate_percent": "10", "fixed_amount": "1", "free_events": "1"}
    plan = make_plan(charges=[make_charge(metric, model="PERCENTAGE", properties=properties)])

    answer = price(desk, plan, rows(metric, {"event_amounts": "100\n2 x 50"}))

    [shown] = answer.context["prices"]
    assert (shown["charges"][0]["units"], shown["amount"]) == ("200", "$12.00")
    assert [tier["span"] for tier in shown["charges"][0]["tiers"]] == ["1 event", "2 events"]


def test_a_plan_that_needs_other_amounts_is_not_compared_by_guessing(desk: Client, metric: Metric) -> None:
    by_cost = make_plan(charges=[make_charge(metric, model="DYNAMIC", properties={"property": "cost"})])
    by_share = make_plan(charges=[make_charge(metric, model="PERCENTAGE", properties={"rate_percent": "1"})])
    typed = rows(metric, {"event_amounts": "5"})

    answer = price(desk, by_cost, typed, against=by_share.pk)

    [bad] = errors(answer)
    assert bad["event_amounts"][0].startswith(f"{by_share}: A PERCENTAGE charge prices each event")
    assert [one["total"] for one in answer.context["prices"]] == ["$105.00"]
    same = make_plan(charges=[make_charge(metric, model="DYNAMIC", properties={"property": "cost", "multiplier": "2"})])
    both = price(desk, by_cost, typed, against=same.pk).context["prices"]
    assert [one["total"] for one in both] == ["$105.00", "$110.00"]


def test_usage_without_a_charge_is_named_and_costs_nothing(desk: Client, metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric, match={"model": ["a"]})])

    answer = price(desk, plan, rows(metric, {"model": "b", "units": "7"}, {"model": "a", "units": "1"}))

    assert answer.context["uncharged"] == [{"plan": plan, "usage": ["Tokens (b): 7"]}]
    assert "which costs nothing there: Tokens (b): 7" in answer.content.decode()
    assert price(desk, plan, rows(metric, {"model": "a", "units": "1"})).context["uncharged"] == []


def test_more_rows_keep_those_that_are_typed(desk: Client, metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric)])

    answer = desk.post(url(plan), {"more": "1", "against": "", **rows(metric, {"model": "a", "units": "7"})})

    [section] = answer.context["bench"].sections
    assert [row["units"].value() for row in section.rows.forms] == ["7", None, None]
    assert answer.context["prices"] == []


def test_a_reader_may_price_and_a_stranger_may_not(metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric)])
    reader, stranger = Client(), Client()
    reader.force_login(make_clerk())
    stranger.force_login(make_clerk("view_product"))

    assert price(reader, plan, rows(metric, {"units": "1"})).context["prices"]
    assert stranger.get(url(plan)).status_code == 403


def test_runs_of_amounts_are_written_short_and_read_back() -> None:
    amounts = (Decimal("2.5"), Decimal("2.50"), Decimal(10), Decimal("2.5"))

    assert print_amounts(amounts) == "2 x 2.5\n10\n2.5"
    assert parse_amounts(print_amounts(amounts)) == amounts
    assert parse_amounts(" 1; 2×3 ") == tuple(map(Decimal, (1, 3, 3)))
    for wrong in ("1,5", "x 2", "-1", "1e3", "NaN", "2 x", "1.5 x 2", "1" * 19):
        with pytest.raises(ValidationError):
            parse_amounts(wrong)


def test_usage_that_has_no_room_on_the_page_is_counted_and_not_dropped_unsaid(metric: Metric) -> None:
    plan = make_plan(charges=[make_charge(metric), make_charge(make_metric())])
    charges = list(plan.charges.select_related("metric").order_by("position"))
    usage = [UnitsUsed(metric=metric.pk, units=Decimal(1), dimensions={"model": f"m{n}"}) for n in range(1000)]

    crowded, next_to_it = sections_of(charges, usage=usage)

    assert len(crowded.rows.forms) * 2 <= MAX_BOXES
    assert crowded.left_out == 1000 - (len(crowded.rows.forms) - BLANK_ROWS)
    assert (len(next_to_it.rows.forms), next_to_it.left_out) == (1, 0)
    assert sections_of(charges, usage=usage[:9])[0].left_out == 0


def test_what_minimums_add_and_the_maximum_takes_off_is_shown(desk: Client, metric: Metric) -> None:
    charges = [make_charge(metric, unit_amount="1", minimum_amount=Decimal(5), name="Chat")]
    bounds: dict[str, Any] = {"minimum_commitment": Decimal(40), "maximum_spend": Decimal(50)}
    plan = make_plan(charges=charges, amount=Decimal(20), **bounds)

    below, above = (price(desk, plan, rows(metric, {"units": units})) for units in ("2", "31"))

    [shown] = below.context["prices"]
    assert [tuple(one.values()) for one in shown["true_ups"]] == [
        ("True-up to the minimum of Chat of $5.00", "$3.00"),
        ("True-up to the minimum commitment of $40.00", "$15.00"),
    ]
    assert (shown["capped"], shown["total"]) == ("", "$40.00")
    assert "True-up to the minimum of Chat of $5.00" in below.content.decode()
    [shown] = above.context["prices"]
    assert (shown["true_ups"], shown["capped"], shown["total"]) == ([], "-$1.00", "$50.00")
    assert "Beyond the maximum spend of $50.00" in above.content.decode()


def test_the_bench_tells_what_typed_units_stand_for(desk: Client) -> None:
    seats = make_metric(aggregation="SUM", property="seats", recurring=True)
    latest = make_metric(aggregation="LATEST", property="size", dimensions=["region"])
    plan = make_plan(
        charges=[make_charge(seats, prorated=True), make_charge(latest), make_charge(make_metric())], active=False
    )

    first, second, third = desk.get(url(plan)).context["bench"].sections

    assert [hint.partition(":")[0] for hint in first.hints] == [
        "Units are those at the end of the period, with what earlier periods have left.",
        "A charge is prorated",
    ]
    assert second.hints == ["Of several rows of a charge the last one counts."]
    assert third.hints == []

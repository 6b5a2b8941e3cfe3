"""Aggregations that count by the event: what the events of a period, and those before, make of units and money."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.levels import Levels
from billing.rating import hourly_costs, rate_charges
from billing.tallies import ChargedEvent
from config.kernel.money import round_money
from customers.periods import Period, day_start
from tests.billing.counted import DAY, END, START, ZERO, charge_of, event, held, hour_of, metric_of, rated
from tests.cases import Case, load_cases

CASES = {case.id: case for case in load_cases("rating") if case.area in {"aggregation", "unit_conversion"}}
ROUNDED = [case for case in CASES.values() if case.area == "unit_conversion"]


def cents(amount: Decimal) -> int:
    return int(round_money(amount, "USD") * 100)


def test_every_worked_example_is_used() -> None:
    assert set(CASES) == {
        *(f"RATE-aggregation-00{number}" for number in (1, 2, 3, 5, 6)),
        *(f"RATE-unitconversion-00{number}" for number in range(1, 7)),
    }


@pytest.mark.parametrize("case", [CASES["RATE-aggregation-001"], CASES["RATE-aggregation-002"]], ids=str)
def test_units_after_each_value_are_those_of_the_worked_example(case: Case) -> None:
    aggregation, values = case.given["aggregation"].upper(), [Decimal(one) for one in case.given["values_in_order"]]
    charge = charge_of(metric_of(aggregation), unit_amount=case.given["unit_price"])

    found = []
    for count in range(1, len(values) + 1):
        if charge.metric.is_counted_by_event():
            found.append(rated(charge, [event(one) for one in values[:count]]))
        else:
            rows = [hour_of(charge, one) for one in values[:count]]
            [whole] = rate_charges([charge], rows)
            found.append((whole.units, whole.rating.amount))

    assert [units for units, _ in found] == [Decimal(one) for one in case.expect["units_after_each"]]
    assert [amount for _, amount in found] == [Decimal(one) for one in case.expect["amount_after_each"]]


def test_a_weighted_sum_is_what_the_worked_example_says() -> None:
    case = CASES["RATE-aggregation-003"]
    start, end = (datetime.fromisoformat(one) for one in case.given["period"])
    changes = [event(Decimal(by), datetime.fromisoformat(at)) for at, by in case.given["changes"]]

    units, amount = rated(charge_of(metric_of("WEIGHTED_SUM")), changes, held(start, end))

    # The example has two more decimals than quantities are kept with, and half a step beyond them.
    assert abs(units - Decimal(case.expect["units"])) < Decimal("1e-12")
    assert cents(amount) == case.expect["amount_cents"]


def test_values_are_counted_within_their_dimensions_as_in_the_worked_example() -> None:
    case = CASES["RATE-aggregation-005"]
    charge = charge_of(metric_of("UNIQUE_COUNT", property="item", dimensions=case.given["group_by"]))
    events = [ChargedEvent(at=START, hour=START, type="storage", properties=one) for one in case.given["events"]]

    units, amount = rated(charge, events)

    assert (units, cents(amount)) == (Decimal(case.expect["units_total"]), case.expect["amount_cents"])


def test_a_prorated_seat_costs_its_days_as_in_the_worked_example() -> None:
    case = CASES["RATE-aggregation-006"]
    start, end = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in case.given["period"])
    charge = charge_of(metric_of("UNIQUE_COUNT", recurring=True), prorated=True)

    units, amount = rated(charge, [event("001", datetime.fromisoformat(case.given["seat_added"]))], held(start, end))

    assert (units, cents(amount)) == (Decimal("0.241379310345"), case.expect["amount_cents"])


@pytest.mark.parametrize("case", ROUNDED, ids=str)
def test_units_are_rounded_as_in_the_worked_example(case: Case) -> None:
    # Converting units is the sender's; the example's factor is applied before.
    quantity, factor = Decimal(case.given["quantity"]), Decimal(case.given["factor"])
    converted = quantity * factor if case.given["operation"] == "multiply" else quantity / factor
    names = {"none": "", "ceiling": "ceil", "floor": "floor", "half_up": "round"}
    metric = metric_of("SUM", rounding_function=names[case.given["rounding"]], rounding_precision=0)

    assert metric.rounded(converted) == Decimal(case.expect["billed_quantity"])


ROUNDINGS = [
    ("round", 0, "2.5", "3"), ("round", 0, "-2.5", "-3"), ("round", 2, "2.345", "2.35"),
    ("ceil", 0, "2.000000000001", "3"), ("ceil", 0, "-2.5", "-2"), ("ceil", 0, "2", "2"),
    ("floor", 0, "-2.5", "-3"), ("floor", 12, "0.1234567890129", "0.123456789012"),
    ("", None, "0.1234567890125", "0.123456789013"), ("", None, "2.5", "2.5"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "precision", "units", "rounded"), ROUNDINGS)
def test_units_are_rounded_once_half_away_from_zero(
    function: str, precision: int | None, units: str, rounded: str
) -> None:
    metric = metric_of("SUM", rounding_function=function, rounding_precision=precision)

    assert metric.rounded(Decimal(units)) == Decimal(rounded)


def test_the_units_of_the_period_are_rounded_and_not_those_of_each_event() -> None:
    charge = charge_of(metric_of("SUM", rounding_function="ceil", rounding_precision=0), unit_amount="10")
    rows = [hour_of(charge, Decimal("0.4")) for _ in range(4)]

    [whole] = rate_charges([charge], rows)

    assert [whole.units, whole.rating.amount] == [2, 20]
    assert sum(cost.amount for cost in hourly_costs([charge], rows)) == 20


UNIQUE = [
    (["a", "b", "a"], 2),
    ([7, "7", Decimal("7.0")], 2),
    ([True, 1, "True"], 2),
    ([], 0),
    ([None], 0),
    ([("a", "add"), ("a", "remove")], 0),
    ([("a", "remove"), ("a", "add"), ("a", "add"), ("b", "add")], 2),
    ([("a", "add"), ("a", "add"), ("a", "remove")], 0),
]


@pytest.mark.parametrize(("said", "units"), UNIQUE)
def test_values_count_once_while_they_are_there(said: list[Any], units: int) -> None:
    events = [event(one[0], operation=one[1]) if isinstance(one, tuple) else event(one) for one in said]

    assert rated(charge_of(metric_of("UNIQUE_COUNT")), events)[0] == units


LEVELS = [
    ("LATEST", [("5", 1), ("3", 2)], "3"),
    ("LATEST", [("5", 1), ("-3", 2)], "-3"),
    ("LATEST", [("5", 1), (None, 2)], "5"),
    ("LATEST", [], "0"),
    ("SUM", [("5", 1), ("-3", 2)], "2"),
    ("WEIGHTED_SUM", [("31", 0)], "31"),
    ("WEIGHTED_SUM", [("31", 1), ("-31", 11)], "10"),
    ("WEIGHTED_SUM", [("31", 30)], "1"),
    ("WEIGHTED_SUM", [("10", -40), ("31", 30)], "11"),
]


@pytest.mark.parametrize(("aggregation", "said", "units"), LEVELS)
def test_numbers_make_a_level(aggregation: str, said: list[tuple[str | None, int]], units: str) -> None:
    charge = charge_of(metric_of(aggregation, recurring=True))
    events = [event(value, START + days * DAY) for value, days in said]

    found, amount = rated(charge, events)

    assert (found, amount) == (Decimal(units), max(Decimal(units), ZERO))


@pytest.mark.parametrize(("month", "hours"), [(3, 743), (10, 745)])
def test_a_weighted_sum_counts_the_hours_that_a_month_has(month: int, hours: int) -> None:
    zone = "Europe/Berlin"
    time = held(day_start(date(2026, month, 1), zone), day_start(date(2026, month + 1, 1), zone), zone=zone)
    changed = day_start(date(2026, month, 31), zone)

    units, _ = rated(charge_of(metric_of("WEIGHTED_SUM")), [event(hours, changed)], time)

    assert units == 24


def test_the_share_is_that_of_the_whole_period_where_only_a_part_is_billed() -> None:
    time = held(START + 10 * DAY, START + 20 * DAY, whole=Period(START, END))
    charges = [
        charge_of(metric_of("WEIGHTED_SUM", recurring=True)),
        charge_of(metric_of("SUM", recurring=True), prorated=True),
    ]

    assert [rated(one, [event(31, START)], time)[0] for one in charges] == [10, 10]


def test_events_go_to_the_charge_with_the_most_matched_dimensions() -> None:
    metric = metric_of("LATEST", dimensions=["region"])
    rest, eu = charge_of(metric), charge_of(metric, match={"region": ["eu"]})
    levels = Levels([rest, eu], held())
    for value, region in ((5, "eu"), (7, "us"), (3, "eu"), (9, None)):
        levels.take(event(value, region=region))

    assert [one.units for one in rate_charges([rest, eu], [], levels=levels)] == [9, 3]


def test_events_of_another_type_or_that_no_charge_claims_are_left_alone() -> None:
    charge = charge_of(metric_of("LATEST", dimensions=["region"]), match={"region": ["eu"]})
    other = ChargedEvent(at=START, hour=START, type="seat", properties={"value": 5, "region": "eu"})

    assert rated(charge, [other, event(5, region="us")])[0] == 0


def test_a_metric_that_is_counted_by_the_event_cannot_be_rated_without_events() -> None:
    charge = charge_of(metric_of("LATEST"))

    with pytest.raises(ValueError, match="counted by the event"):
        rate_charges([charge], [hour_of(charge, Decimal(5))])
    assert hourly_costs([charge], [hour_of(charge, Decimal(5))]) == []

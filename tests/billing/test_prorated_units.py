"""Units by the days they are held, and what each event adds to a level: parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.held_time import HeldTime
from billing.levels import Levels
from billing.rating import level_costs
from billing.tallies import ChargedEvent
from catalog.pricing import rate
from config.kernel.money import EXACT, round_money
from customers.periods import Period, day_start
from tests.billing.counted import DAY, END, PRICES, START, ZERO, charge_of, event, held, metric_of, rated
from tests.catalog.prices import unit_price

SUMMED, SEATS = "SUM", "UNIQUE_COUNT"
HELD = [
    # A change of a sum counts from its own day on; a value counts on each day that it was there, no day twice.
    (SUMMED, [(1, 10, None)], 22),
    (SUMMED, [(1, 10, None), (-1, 20, None)], 10),
    (SUMMED, [(1, 10, None), (-1, 10, None)], 0),
    (SEATS, [("a", 10, "add")], 22),
    (SEATS, [("a", 10, "add"), ("a", 20, "remove")], 11),
    (SEATS, [("a", 10, "add"), ("a", 10, "remove")], 1),
    (SEATS, [("a", 10, "add"), ("a", 20, "remove"), ("a", 20, "add")], 22),
    (SEATS, [("a", 10, "add"), ("a", 20, "remove"), ("b", 20, "add")], 23),
    (SEATS, [("a", 10, "add"), ("a", 20, "remove"), ("a", 25, "add")], 18),
    (SEATS, [("a", -10, "add")], 31),
    (SEATS, [("a", -10, "add"), ("a", -5, "remove")], 0),
    (SEATS, [("a", 31, "add")], 1),
]


@pytest.mark.parametrize(("aggregation", "said", "days"), HELD)
def test_a_prorated_unit_counts_for_the_days_it_is_held(
    aggregation: str, said: list[tuple[Any, int, str | None]], days: int
) -> None:
    charge = charge_of(metric_of(aggregation, recurring=True), unit_amount="31", prorated=True)
    events = [
        event(value, START + (day - 1) * DAY + number * timedelta(hours=1), operation)
        for number, (value, day, operation) in enumerate(said)
    ]

    _, amount = rated(charge, events)

    assert round_money(amount, "USD") == days


def test_days_are_those_of_the_customers_clock() -> None:
    zone = "America/Los_Angeles"
    time = held(day_start(date(2026, 3, 1), zone), day_start(date(2026, 4, 1), zone), zone=zone)
    charge = charge_of(metric_of("SUM", recurring=True), prorated=True)

    # Three in the morning of the 31st in UTC is still the 30th there.
    assert rated(charge, [event(31, datetime(2026, 3, 31, 3, tzinfo=UTC))], time)[0] == 2
    assert rated(charge, [event(31, datetime(2026, 3, 31, 8, tzinfo=UTC))], time)[0] == 1


def test_where_no_day_counts_a_prorated_charge_has_no_units() -> None:
    period = Period(START, START + timedelta(hours=6))
    time = HeldTime(period=period, whole=Period(START, END), days=None, timezone="UTC")
    charge = charge_of(metric_of("UNIQUE_COUNT", recurring=True), prorated=True)

    assert rated(charge, [event("a"), event("a", operation="remove"), event("a")], time) == (0, 0)


def test_what_comes_costs_the_rest_of_the_period_and_what_goes_gives_it_back() -> None:
    charge = charge_of(metric_of("SUM", recurring=True), unit_amount="31", prorated=True)
    levels = Levels([charge], held())
    levels.take(event(2, START - DAY))
    events = [event(1, START + 15 * DAY), event(-2, START + 21 * DAY)]
    begin = ChargedEvent(at=START, hour=START, type="", properties={}, subscription="sub")

    found = list(level_costs(levels, begin, events))

    assert [round_money(cost.amount, "USD") for cost in found] == [62, 16, -20]
    assert [cost.row.events for cost in found] == [0, 1, 1]
    assert (found[0].row.hour, found[0].row.subscription) == (START, "sub")
    assert sum((cost.row.total for cost in found), ZERO) == rated(charge, [event(2, START - DAY), *events])[0]


MOMENTS = st.integers(-20, 30).map(lambda days: START + days * DAY + timedelta(seconds=days % 7))
NUMBERS = st.decimals(min_value=-50, max_value=10**9, places=12, allow_nan=False, allow_infinity=False)
SAID = st.lists(st.tuples(MOMENTS, NUMBERS, st.sampled_from("abc"), st.sampled_from(["add", "remove"])), max_size=10)
METRICS = [
    ("SUM", True, False), ("SUM", True, True), ("UNIQUE_COUNT", True, False), ("UNIQUE_COUNT", True, True),
    ("UNIQUE_COUNT", False, False), ("LATEST", True, False), ("LATEST", False, False), ("WEIGHTED_SUM", True, False),
    ("WEIGHTED_SUM", False, False),
]  # fmt: skip


@given(
    said=SAID,
    which=st.sampled_from(METRICS),
    model=st.sampled_from(sorted(PRICES)),
    rounding=st.sampled_from([("", None), ("ceil", 0), ("round", 2)]),
)
def test_the_parts_add_up_to_the_whole(
    said: Sequence[tuple[datetime, Decimal, str, str]],
    which: tuple[str, bool, bool],
    model: str,
    rounding: tuple[str, int | None],
) -> None:
    aggregation, recurring, prorated = which
    function, precision = ("", None) if prorated else rounding
    metric = metric_of(aggregation, recurring=recurring, rounding_function=function, rounding_precision=precision)
    charge = charge_of(metric, model, properties=PRICES[model], prorated=prorated and model != "PACKAGE")
    is_value = aggregation == "UNIQUE_COUNT"
    events = [event(name if is_value else number, at, operation) for at, number, name, operation in sorted(said)]
    before = [one for one in events if one.at < START] if recurring else []
    within = [one for one in events if one.at >= START]
    levels = Levels([charge], held())
    for one in before:
        levels.take(one)
    begin = ChargedEvent(at=START, hour=START, type="", properties={})

    parts = list(level_costs(levels, begin, within))

    units, amount = rated(charge, [*before, *within])
    with localcontext(EXACT):
        assert (
            sum((part.amount for part in parts), ZERO) == amount - rate(unit_price(model, PRICES[model]), ZERO).amount
        )
        assert sum((part.row.total for part in parts), ZERO) == units

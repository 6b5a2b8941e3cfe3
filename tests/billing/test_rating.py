"""Rating: charges claim hours, hours cost what they add, parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rating import HourOfUnits, hourly_costs, rate_charges
from catalog.models import Charge, Metric
from catalog.pricing import rate
from config.kernel.money import EXACT
from tests.catalog.prices import unit_price

START = datetime(2026, 3, 1, tzinfo=UTC)
ZERO = Decimal(0)

TIERS = {
    "tiers": [
        {"up_to": "10", "unit_amount": "1", "flat_amount": "5"},
        {"up_to": "100", "unit_amount": "0.5", "flat_amount": "2"},
        {"up_to": None, "unit_amount": "0.000000000007"},
    ]
}
PRICES: dict[str, dict[str, Any]] = {
    "STANDARD": {"unit_amount": "0.000000000005"},
    "GRADUATED": TIERS,
    "VOLUME": TIERS,
    "PACKAGE": {"package_size": "7", "amount": "3", "free_units": "4"},
    "GRADUATED_PERCENTAGE": {
        "tiers": [
            {"up_to": "10", "rate_percent": "1.000000000001", "flat_amount": "5"},
            {"up_to": None, "rate_percent": "0.5"},
        ]
    },
}


def charge_of(
    model: str = "STANDARD",
    aggregation: str = "SUM",
    *,
    properties: dict[str, Any] | None = None,
    metric: Metric | None = None,
    **fields: Any,
) -> Charge:
    """Return a charge that no database knows."""
    measured = metric or Metric(aggregation=aggregation, name="Tokens")
    return Charge(metric=measured, model=model, properties=properties or PRICES[model], **fields)


def hour_of(
    charge: Charge,
    number: int,
    units: Decimal | int,
    *,
    events: int = 1,
    model: str = "",
    dimensions: dict[str, str] | None = None,
) -> HourOfUnits:
    """Return the units of one hour."""
    return HourOfUnits(
        hour=START + timedelta(hours=number),
        metric=charge.metric_id,
        credential=None,
        model=model,
        dimensions=dimensions or {},
        events=events,
        total=Decimal(units),
        maximum=Decimal(units),
    )


def costs(charges: Sequence[Charge], rows: Sequence[HourOfUnits]) -> list[Decimal]:
    return [cost.amount for cost in hourly_costs(charges, rows)]


AGGREGATED = [("COUNT", 6, 6), ("SUM", 35, 6), ("MAX", 20, 6)]


@pytest.mark.parametrize(("aggregation", "units", "events"), AGGREGATED)
def test_units_follow_the_metrics_aggregation(aggregation: str, units: int, events: int) -> None:
    charge = charge_of(aggregation=aggregation)
    rows = [hour_of(charge, 0, 5, events=1), hour_of(charge, 1, 20, events=2), hour_of(charge, 1, 10, events=3)]

    [rated] = rate_charges([charge], rows)

    assert [rated.units, rated.events] == [units, events]


@pytest.mark.parametrize("aggregation", ["COUNT", "SUM", "MAX"])
def test_a_charge_without_usage_has_no_units(aggregation: str) -> None:
    [rated] = rate_charges([charge_of("GRADUATED", aggregation)], [])

    # The first tier's flat amount is due at 0 units, and is no hour's cost.
    assert [rated.units, rated.events, rated.rating.amount] == [0, 0, 5]


def test_negative_units_bill_as_nothing() -> None:
    charge = charge_of(properties={"unit_amount": "2"})
    rows = [hour_of(charge, 0, -10), hour_of(charge, 1, 4), hour_of(charge, 2, 9)]

    assert rate_charges([charge], rows[:2])[0].rating.amount == 0
    assert rate_charges([charge], rows)[0].rating.amount == 6
    assert costs([charge], rows) == [0, 0, 6]


ADDED = [("STANDARD", [8, 4, 80]), ("GRADUATED", [8, 5, 40]), ("VOLUME", [8, -5, 40]), ("PACKAGE", [3, 3, 33])]
SHARES = {"tiers": [{"up_to": "10", "rate_percent": "50"}, {"up_to": None, "rate_percent": "25", "flat_amount": "2"}]}


@pytest.mark.parametrize(("model", "added"), ADDED)
def test_an_hour_costs_what_it_adds_to_the_hours_before(model: str, added: list[int]) -> None:
    charge = charge_of(model, properties={"unit_amount": "1"} if model == "STANDARD" else None)
    rows = [hour_of(charge, number, units) for number, units in enumerate([8, 4, 80])]

    assert costs([charge], rows) == added


def test_an_hour_of_a_graduated_percentage_costs_what_it_adds() -> None:
    charge = charge_of("GRADUATED_PERCENTAGE", properties=SHARES)
    rows = [hour_of(charge, number, units) for number, units in enumerate([8, 4, 80])]

    assert costs([charge], rows) == [4, Decimal("3.5"), 20]


def test_hours_are_walked_in_time_whatever_their_order() -> None:
    charge = charge_of("GRADUATED")
    rows = [hour_of(charge, 2, 100), hour_of(charge, 0, 10), hour_of(charge, 1, 10)]

    found = {cost.row.hour: cost.amount for cost in hourly_costs([charge], rows)}

    assert found[START] == 10
    assert found[START + timedelta(hours=1)] == Decimal(7)


def test_an_hour_is_shared_by_units_and_the_last_takes_the_rest() -> None:
    charge = charge_of(properties={"unit_amount": "0.000000000001"})
    rows = [hour_of(charge, 0, Decimal("0.1"), model=name) for name in "abc"]

    found = costs([charge], rows)

    assert sum(found) == Decimal("0.0000000000003")


def test_usage_goes_to_the_charge_with_the_most_matched_dimensions() -> None:
    metric = Metric(aggregation="SUM", name="Tokens", dimensions=["model", "region"])
    rest = charge_of(metric=metric, properties={"unit_amount": "1"})
    by_model = charge_of(metric=metric, properties={"unit_amount": "10"}, match={"model": ["a", "b"]})
    by_both = charge_of(metric=metric, properties={"unit_amount": "100"}, match={"model": ["a"], "region": ["eu"]})
    charges = [rest, by_model, by_both]
    claimed = [{"model": "a", "region": "eu"}, {"model": "b", "region": "eu"}, {"model": "a"}, {"region": "eu"}, {}]

    rows = [hour_of(rest, 0, 1, dimensions=dimensions) for dimensions in claimed]

    assert [one.units for one in rate_charges(charges, rows)] == [2, 2, 1]


def test_usage_that_no_charge_claims_costs_nothing() -> None:
    charge = charge_of(match={"model": ["a"]})

    assert hourly_costs([charge], [hour_of(charge, 0, 5)]) == []
    assert rate_charges([charge], [hour_of(charge, 0, 5)])[0].units == 0


QUANTITIES = st.decimals(
    min_value=Decimal(-1000), max_value=Decimal(10) ** 12, places=12, allow_nan=False, allow_infinity=False
)
ROWS = st.lists(st.tuples(st.integers(0, 5), QUANTITIES, st.integers(1, 10**6), st.sampled_from("abc")), max_size=12)


@given(rows=ROWS, model=st.sampled_from(sorted(PRICES)), aggregation=st.sampled_from(["COUNT", "SUM", "MAX"]))
def test_the_parts_add_up_to_the_whole(rows: list[tuple[int, Decimal, int, str]], model: str, aggregation: str) -> None:
    charge = charge_of(model, aggregation)
    hours = [hour_of(charge, hour, units, events=events, model=name) for hour, units, events, name in rows]

    [rated] = rate_charges([charge], hours)
    parts = costs([charge], hours)

    with localcontext(EXACT):
        assert len(parts) == len(hours)
        assert sum(parts, ZERO) == rated.rating.amount - rate(unit_price(model, PRICES[model]), ZERO).amount

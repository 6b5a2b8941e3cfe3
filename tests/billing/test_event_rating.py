"""Rating event by event: charges claim events, each costs what it adds, parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ingestion import LARGEST
from billing.rating import HourOfUnits, event_costs, hourly_costs, rate_charges
from billing.tallies import ChargedEvent, Tallies
from catalog.models import Charge, Metric
from config.kernel.money import EXACT

START = datetime(2026, 3, 1, tzinfo=UTC)
ZERO = Decimal(0)
PERCENTAGE = {
    "rate_percent": "1.000000000007", "fixed_amount": "0.3", "free_events": "2", "free_amount": "250",
    "minimum_per_event": "0.5", "maximum_per_event": "12",
}  # fmt: skip
DYNAMIC = {"property": "cost", "multiplier": "1.000000000003"}
PRICES: dict[str, dict[str, Any]] = {"PERCENTAGE": PERCENTAGE, "DYNAMIC": DYNAMIC}


def metric_of(**fields: Any) -> Metric:
    """Return a sum of what payments amount to that no database knows."""
    return Metric(
        **{"aggregation": "SUM", "event_type": "payment", "property": "amount", "name": "Volume", "code": "v", **fields}
    )


def charge_of(model: str, properties: dict[str, Any], metric: Metric | None = None, **fields: Any) -> Charge:
    """Return a charge that no database knows."""
    return Charge(metric=metric or metric_of(), model=model, properties=properties, **fields)


def payment(amount: Decimal | int | str | None, hour: int = 0, **fields: Any) -> ChargedEvent:
    """Return an event that carries ``amount``, and as ``cost`` the same."""
    properties = {"amount": amount, "cost": amount, **fields.pop("properties", {})}
    at = START + timedelta(hours=hour)
    return ChargedEvent(at=at, hour=at, type="payment", properties=properties, **fields)


def costs(charges: Sequence[Charge], events: Sequence[ChargedEvent]) -> list[Decimal]:
    return [cost.amount for cost in event_costs(charges, events)]


def amount_of(charges: Sequence[Charge], events: Sequence[ChargedEvent]) -> Decimal:
    return rate_charges(charges, [], events)[0].rating.amount


def test_the_amount_comes_from_events_and_the_units_from_hours() -> None:
    charge = charge_of("PERCENTAGE", {"rate_percent": "1", "free_events": "1"})
    row = HourOfUnits(
        hour=START, metric=charge.metric_id, credential=None, model="", dimensions={}, events=3, total=Decimal(70),
        maximum=Decimal(90),
    )  # fmt: skip

    [rated] = rate_charges([charge], [row], [payment(90), payment(-50), payment(30)])

    assert [rated.units, rated.events, rated.rating.amount] == [70, 3, Decimal("0.3")]
    assert hourly_costs([charge], [row]) == []


def test_each_event_bears_its_own_cost() -> None:
    charge = charge_of("PERCENTAGE", {"rate_percent": "1", "free_events": "1"})
    whose = {"subscription": "sub", "credential": "key", "subscriber": "subr"}

    first, second = event_costs(
        [charge], [payment(100, properties={"model": "a"}), payment(7, 1, properties={"model": "b"}, **whose)]
    )

    assert (first.row.model, first.amount) == ("a", ZERO)
    assert (second.charge, second.amount) == (charge, Decimal("0.07"))
    assert second.row == HourOfUnits(
        hour=START + timedelta(hours=1), metric=charge.metric_id, model="b", dimensions={}, events=1,
        total=Decimal(7), maximum=Decimal(7), **whose,
    )  # fmt: skip


@pytest.mark.parametrize("amount", [None, 0, "0", -5])
def test_an_event_without_an_amount_or_with_none_left_costs_nothing_and_uses_up_nothing(amount: Any) -> None:
    charge = charge_of("PERCENTAGE", {"rate_percent": "1", "fixed_amount": "2", "free_events": "1"})

    assert amount_of([charge], [payment(amount), payment(100), payment(amount), payment(50)]) == Decimal("2.5")


def test_an_event_without_the_amount_of_a_dynamic_charge_is_not_counted() -> None:
    charge = charge_of("DYNAMIC", DYNAMIC | {"multiplier": "1"}, metric_of(aggregation="COUNT", property=""))
    events = [payment(5), payment(None), payment(7)]

    [rated] = rate_charges([charge], [], events)

    assert rated.rating.amount == 12
    assert [tier.events for tier in rated.rating.tiers] == [2]
    assert costs([charge], events) == [5, 7]


def test_an_event_that_does_not_feed_the_metric_is_not_priced_by_what_it_carries() -> None:
    charge = charge_of("DYNAMIC", DYNAMIC | {"multiplier": "1"}, metric_of(property="seats"))

    assert amount_of([charge], [payment(5), payment(7, properties={"seats": 1})]) == 7


def test_events_of_another_type_are_left_alone() -> None:
    charge = charge_of("PERCENTAGE", {"rate_percent": "1"})
    refund = ChargedEvent(at=START, hour=START, type="refund", properties={"amount": 100})

    assert amount_of([charge], [refund, payment(100)]) == 1


def test_events_go_to_the_charge_with_the_most_matched_dimensions() -> None:
    metric = metric_of(dimensions=["card"])
    rest = charge_of("PERCENTAGE", {"rate_percent": "1", "free_events": "1"}, metric)
    amex = charge_of("PERCENTAGE", {"rate_percent": "10", "free_events": "1"}, metric, match={"card": ["amex"]})
    cash = charge_of("STANDARD", {"unit_amount": "100"}, metric, match={"card": ["cash"]})
    charges = [rest, amex, cash]
    events = [payment(100, properties={"card": card}) for card in ("visa", "amex", "cash", "visa", "amex", None)]

    assert [one.rating.amount for one in rate_charges(charges, [], events)] == [2, 10, 0]
    assert [cost.charge for cost in event_costs(charges, events)] == [rest, amex, rest, amex, rest]


def test_only_the_events_of_charges_that_price_each_are_asked_for() -> None:
    units = charge_of("STANDARD", {"unit_amount": "1"}, metric_of(event_type="chat"))
    events = charge_of("PERCENTAGE", {"rate_percent": "1"})

    assert Tallies([units]).event_types == []
    assert Tallies([units, events]).event_types == ["payment"]


AMOUNTS = st.one_of(
    st.integers(-5, 300).map(Decimal),
    st.decimals(min_value=Decimal(-100), max_value=LARGEST - 1, places=12, allow_nan=False, allow_infinity=False),
)
EVENTS = st.lists(st.tuples(st.integers(0, 4), AMOUNTS), max_size=12)


@given(drawn=EVENTS, model=st.sampled_from(sorted(PRICES)))
def test_an_hour_costs_what_it_adds_and_hours_add_up_to_the_whole(drawn: list[tuple[int, Decimal]], model: str) -> None:
    charge = charge_of(model, PRICES[model])
    events = [payment(amount, hour) for hour, amount in sorted(drawn, key=lambda one: one[0])]

    by_hour = {
        hour: [cost.amount for cost in group]
        for hour, group in groupby(event_costs([charge], events), key=lambda cost: cost.row.hour)
    }

    with localcontext(EXACT):
        for hour, parts in by_hour.items():
            before = amount_of([charge], [one for one in events if one.hour < hour])
            after = amount_of([charge], [one for one in events if one.hour <= hour])
            assert sum(parts, ZERO) == after - before
        whole = sum((sum(parts, ZERO) for parts in by_hour.values()), ZERO)
        assert whole == amount_of([charge], events)

"""Prove the prices of units held for a part of a period against the worked examples, and their laws."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pricing import GraduatedPrice, ProratedTally, StandardPrice, VolumePrice, rate
from config.kernel.money import EXACT
from tests.cases import Case, load_cases
from tests.catalog.prices import tiers, total, unit_price

CASES = [case for case in load_cases("rating") if case.given.get("model") == "graduated_prorated"]
TIERS = tiers(("5", "10", "100"), (None, "5", "50"))
WHOLE = 10


def tally_of(model: str, properties: Mapping[str, object], whole: int = WHOLE) -> ProratedTally:
    """Return a tally without units."""
    price = unit_price(model, properties)
    assert isinstance(price, StandardPrice | GraduatedPrice | VolumePrice)
    return ProratedTally(price, whole)


def tier_of(raw: Mapping[str, Any]) -> dict[str, object]:
    """Translate a case's tier into ours."""
    return {"up_to": raw["up_to"], "unit_amount": raw["unit_price"], "flat_amount": raw["flat_fee"]}


def test_the_worked_examples_are_there() -> None:
    assert len(CASES) == 3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_changes_cost_what_the_worked_example_says(case: Case) -> None:
    tally = tally_of("GRADUATED", {"tiers": [tier_of(tier) for tier in case.given["tiers"]]})

    for full, prorated in zip(case.given["changes_full"], case.given["changes_prorated"], strict=True):
        # The examples give the share of a change in the period; ours is in days, here of ten.
        days = Decimal(prorated) / full * WHOLE
        assert days == int(days)
        tally.add(Decimal(full), int(days))

    assert tally.rating().amount == Decimal(case.expect["amount_rounded_2"])


def test_a_unit_pays_for_its_days_in_the_tier_that_it_was_in_when_it_came() -> None:
    tally = tally_of("GRADUATED", TIERS)
    tally.add(Decimal(4), 10)
    tally.add(Decimal(3), 5)
    tally.add(Decimal(-2), 2)

    first, second = tally.rating().tiers

    # Four for ten days and one for five; two for five days less the two that they are gone.
    assert [first.units, first.amount] == [Decimal("4.5"), 145]
    assert [second.units, second.amount] == [Decimal("0.6"), 53]
    assert tally.units == Decimal("5.1")


def test_the_flat_amount_of_a_tier_stays_due_once_it_was_reached() -> None:
    tally = tally_of("GRADUATED", TIERS)
    tally.add(Decimal(6), 10)
    tally.add(Decimal(-6), 10)

    assert [tier.units for tier in tally.rating().tiers] == [0, 0]
    assert [tier.amount for tier in tally.rating().tiers] == [100, 50]


def test_a_volume_price_takes_the_tier_of_the_full_units_at_the_end() -> None:
    tally = tally_of("VOLUME", TIERS)
    tally.add(Decimal(6), 5)
    [above] = tally.rating().tiers
    tally.add(Decimal(-1), 1)
    [within] = tally.rating().tiers

    assert [above.units, above.amount] == [3, 65]
    assert [within.units, within.amount] == [Decimal("2.9"), 129]


@pytest.mark.parametrize(
    ("changes", "units"), [([(-5, 10), (7, 4)], "0.8"), ([(-5, 10)], "0"), ([(3, 10), (-9, 5)], "1.5")]
)
def test_units_below_zero_are_none(changes: list[tuple[int, int]], units: str) -> None:
    tally = tally_of("STANDARD", {"unit_amount": "2"})
    for change, days in changes:
        tally.add(Decimal(change), days)

    assert tally.units == Decimal(units)
    assert tally.rating().amount == 2 * Decimal(units)


PRICES: dict[str, dict[str, Any]] = {"STANDARD": {"unit_amount": "0.7"}, "GRADUATED": TIERS, "VOLUME": TIERS}
UNITS = st.decimals(min_value=-100, max_value=10**12, places=12, allow_nan=False, allow_infinity=False)


@given(units=st.lists(UNITS, max_size=6), model=st.sampled_from(sorted(PRICES)))
def test_units_held_all_the_time_that_only_grow_cost_what_units_cost(units: list[Decimal], model: str) -> None:
    tally = tally_of(model, PRICES[model])
    for one in units:
        tally.add(max(one, Decimal(0)), WHOLE)

    with localcontext(EXACT):
        level = sum((max(one, Decimal(0)) for one in units), Decimal(0))
    assert tally.rating() == rate(unit_price(model, PRICES[model]), level)


@given(
    changes=st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 31)), max_size=8),
    model=st.sampled_from(sorted(PRICES)),
)
def test_no_tier_has_units_below_zero_and_all_are_the_whole(changes: list[tuple[int, int]], model: str) -> None:
    tally = tally_of(model, PRICES[model], whole=31)
    level, held = 0, 0
    for change, days in sorted(changes, key=lambda one: -one[1]):
        tally.add(Decimal(change), days)
        held += days * (max(level + change, 0) - max(level, 0))
        level += change

    rating = tally.rating()

    assert all(tier.units >= 0 for tier in rating.tiers)
    assert total(tier.amount for tier in rating.tiers) == rating.amount
    assert abs(Fraction(tally.units) - Fraction(held, 31)) <= Fraction(1, 10**11)

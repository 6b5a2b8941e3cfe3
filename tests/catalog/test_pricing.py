"""Prove the pricing models against the worked examples, and their laws for any price and any units."""

from collections.abc import Mapping
from decimal import Decimal, Inexact
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.pricing import StandardPrice, TierAmount, rate
from tests.cases import Case, load_cases
from tests.catalog.prices import tiers, total, unit_price

CASES = load_cases("rating")

# The worked examples' model names, and ours; a volume price by package is a volume price whose tiers have packages.
MODELS = {
    "standard": "STANDARD",
    "graduated": "GRADUATED",
    "volume": "VOLUME",
    "volume_package": "VOLUME",
    "package": "PACKAGE",
    "graduated_percentage": "GRADUATED_PERCENTAGE",
}

NOT_PRICED_BY_UNITS = {
    "percentage": "needs the events, not only their units: test_pricing_events",
    "dynamic": "the events carry their own amounts: test_pricing_events",
    "graduated_prorated": "needs the changes, not only the units at the end: test_pricing_prorated",
}

# Areas whose cases name no model.
NOT_A_PRICE = {
    "aggregation": "how a metric turns events into units: tests.billing.test_aggregations",
    "unit_conversion": "how a metric rounds units: tests.billing.test_aggregations",
    "usage_discount": "free units that span several invoices",
}

SKIPPED = {
    "RATE-spendlimits-006": "expects only the true-up to a minimum, which the invoice settles",
}

PRICED = [case for case in CASES if case.given.get("model") in MODELS and case.id not in SKIPPED]


def price_of(case: Case) -> tuple[str, Mapping[str, object]]:
    """Translate a case's price into our model name and properties."""
    raw = case.given
    if "tiers" in raw:
        return MODELS[raw["model"]], {"tiers": [tier_of(tier) for tier in raw["tiers"]]}
    if raw["model"] == "package":
        names = {"package_size": "package_size", "amount": "package_price", "free_units": "free_units"}
        return "PACKAGE", {ours: raw[theirs] for ours, theirs in names.items()}
    return "STANDARD", {"unit_amount": raw["unit_price"]}


def tier_of(raw: Mapping[str, Any]) -> dict[str, object]:
    """Translate a case's tier into ours."""
    names = {"unit_price": "unit_amount", "package_price": "unit_amount", "flat_fee": "flat_amount"}
    return {names.get(key, key): value for key, value in raw.items()}


def amount(model: str, properties: Mapping[str, object], units: str) -> Decimal:
    """Return what the units cost."""
    return rate(unit_price(model, properties), Decimal(units)).amount


@pytest.mark.parametrize("case", PRICED, ids=str)
def test_units_cost_what_the_worked_example_says(case: Case) -> None:
    model, properties = price_of(case)
    price = unit_price(model, properties)

    rating = rate(price, Decimal(case.given["quantity"]))

    # Some cases give the usage of this invoice, which follows on what an earlier one has billed.
    billed = Decimal(case.given.get("quantity_already_billed", 0))
    before = rate(price, billed).amount if billed else Decimal(0)
    [expected] = (case.expect[name] for name in ("amount", "usage_amount", "amount_for_delta") if name in case.expect)
    assert rating.amount - before == Decimal(expected)
    assert total(tier.amount for tier in rating.tiers) == rating.amount
    if "tier_amounts" in case.expect:
        assert [tier.amount for tier in rating.tiers] == [Decimal(each) for each in case.expect["tier_amounts"]]
    if "lines" in case.expect:
        assert len(rating.tiers) == case.expect["lines"]


def test_every_worked_example_is_priced_or_left_out_with_a_reason() -> None:
    left_out = {case.id for case in CASES} - {case.id for case in PRICED}

    models = {case.id for case in CASES if case.given.get("model") in NOT_PRICED_BY_UNITS}
    areas = {case.id for case in CASES if "model" not in case.given and case.area in NOT_A_PRICE}
    assert left_out == models | areas | set(SKIPPED)
    assert {case.given.get("model") for case in CASES} == {*MODELS, *NOT_PRICED_BY_UNITS, None}


def test_a_fraction_above_a_bound_lies_in_the_next_tier() -> None:
    properties = tiers(("100", "1", "0"), (None, "2", "7"))

    assert amount("GRADUATED", properties, "100") == 100
    assert amount("GRADUATED", properties, "100.5") == 108
    assert amount("VOLUME", properties, "100.5") == 208


def test_an_operator_sees_the_amount_tier_by_tier() -> None:
    price = unit_price("GRADUATED", tiers(("100", "0.10", "0"), ("1000", "0.05", "3"), (None, "0.01", "0")))

    first, second = rate(price, Decimal("150.5")).tiers

    assert first == TierAmount(Decimal(0), Decimal(100), Decimal(100), Decimal("0.10"), Decimal(0), Decimal(10))
    assert second == TierAmount(
        Decimal(100), Decimal(1000), Decimal("50.5"), Decimal("0.05"), Decimal(3), Decimal("5.525")
    )


def test_free_units_of_a_package_price_are_shown_beside_the_paid_ones() -> None:
    price = unit_price("PACKAGE", {"package_size": "10", "amount": "4", "free_units": "5"})

    free, paid = rate(price, Decimal(16)).tiers

    assert free == TierAmount(Decimal(0), Decimal(5), Decimal(5), Decimal(0), Decimal(0), Decimal(0))
    assert paid == TierAmount(
        Decimal(5), None, Decimal(11), Decimal(4), Decimal(0), Decimal(8), package_size=Decimal(10)
    )


def test_a_graduated_tier_with_packages_counts_its_own_units_by_started_package() -> None:
    properties = {
        "tiers": [
            {"up_to": "10", "unit_amount": "0"},
            {"up_to": None, "unit_amount": "3", "flat_amount": "1", "package_size": "4"},
        ]
    }

    assert amount("GRADUATED", properties, "14") == 4
    assert amount("GRADUATED", properties, "14.000000000001") == 7


@pytest.mark.parametrize(
    ("model", "properties", "expected"),
    [
        ("STANDARD", {"unit_amount": "5"}, "0"),
        ("PACKAGE", {"package_size": "10", "amount": "5"}, "0"),
        ("GRADUATED", tiers(("10", "1", "2"), (None, "1", "9")), "2"),
        ("VOLUME", tiers(("10", "1", "2"), (None, "1", "9")), "2"),
        ("GRADUATED_PERCENTAGE", {"tiers": [{"up_to": None, "rate_percent": "1", "flat_amount": "2"}]}, "2"),
    ],
)
@pytest.mark.parametrize("units", ["-3", "0", "-0"])
def test_no_units_and_negative_units_cost_only_the_first_flat_amount(
    model: str, properties: Mapping[str, object], expected: str, units: str
) -> None:
    assert amount(model, properties, units) == Decimal(expected)


def test_prices_and_units_of_every_allowed_digit_stay_exact() -> None:
    largest = "999999999999999999.999999999999"

    exact = amount("STANDARD", {"unit_amount": largest}, largest)

    assert Fraction(exact) == Fraction(largest) ** 2


def test_an_amount_that_could_not_stay_exact_is_refused_not_rounded() -> None:
    price = unit_price("STANDARD", {"unit_amount": "0.123456789012"})

    assert rate(price, Decimal("0." + "1" * 70)).amount > 0
    with pytest.raises(Inexact):
        rate(price, Decimal("0." + "1" * 119))


@pytest.mark.parametrize("units", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_units_that_are_no_finite_number_are_refused(units: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        rate(StandardPrice(unit_amount=Decimal(1)), Decimal(units))


AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=12, allow_nan=False, allow_infinity=False).map(abs)
UNITS = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False, allow_infinity=False).map(abs)


@st.composite
def tiered_properties(draw: st.DrawFn) -> dict[str, object]:
    """Draw ascending tiers, some priced by the package."""
    bounds = sorted(set(draw(st.lists(UNITS.filter(bool), max_size=5))))
    drawn: list[dict[str, object]] = []
    for up_to in [*bounds, None]:
        tier: dict[str, object] = {"up_to": None if up_to is None else str(up_to)}
        tier |= {"unit_amount": str(draw(AMOUNTS)), "flat_amount": str(draw(AMOUNTS))}
        if draw(st.booleans()):
            tier["package_size"] = str(draw(UNITS.filter(bool)))
        drawn.append(tier)
    return {"tiers": drawn}


@given(properties=tiered_properties(), units=UNITS)
def test_graduated_tiers_add_up_to_the_units_and_the_amount(properties: dict[str, object], units: Decimal) -> None:
    rating = rate(unit_price("GRADUATED", properties), units)

    assert total(tier.units for tier in rating.tiers) == units
    assert total(tier.amount for tier in rating.tiers) == rating.amount
    for lower, upper in pairwise(rating.tiers):
        assert lower.up_to == upper.above
        assert upper.units > 0


@given(properties=tiered_properties(), units=UNITS)
def test_a_graduated_percentage_is_a_graduated_price_of_a_hundredth(properties: dict[str, Any], units: Decimal) -> None:
    shared = [
        {"up_to": tier["up_to"], "rate_percent": tier["unit_amount"], "flat_amount": tier["flat_amount"]}
        for tier in properties["tiers"]
    ]
    plain = [{name: tier[name] for name in ("up_to", "unit_amount", "flat_amount")} for tier in properties["tiers"]]

    share = rate(unit_price("GRADUATED_PERCENTAGE", {"tiers": shared}), units)
    whole = rate(unit_price("GRADUATED", {"tiers": plain}), units)

    flat = total(tier.flat_amount for tier in whole.tiers)
    assert (Fraction(share.amount) - flat) * 100 == Fraction(whole.amount) - flat


@given(properties=tiered_properties(), units=UNITS)
def test_a_volume_price_uses_the_one_tier_that_holds_the_total(properties: dict[str, object], units: Decimal) -> None:
    (tier,) = rate(unit_price("VOLUME", properties), units).tiers

    assert tier.units == units
    assert tier.above < units or (tier.above == 0 and units == 0)
    assert tier.up_to is None or units <= tier.up_to


@given(properties=tiered_properties(), units=UNITS, more=UNITS)
def test_more_units_never_cost_less_when_graduated(
    properties: dict[str, object], units: Decimal, more: Decimal
) -> None:
    price = unit_price("GRADUATED", properties)

    assert rate(price, units).amount <= rate(price, units + more).amount


@given(unit_amount=AMOUNTS, units=UNITS, more=UNITS)
def test_a_standard_price_grows_with_every_unit(unit_amount: Decimal, units: Decimal, more: Decimal) -> None:
    assume(more > 0)
    price = unit_price("STANDARD", {"unit_amount": str(unit_amount)})

    fewer, all_units = rate(price, units), rate(price, units + more)

    assert all_units.amount > fewer.amount if unit_amount else all_units.amount == 0
    assert total(tier.units for tier in all_units.tiers) == units + more
    assert total(tier.amount for tier in all_units.tiers) == all_units.amount

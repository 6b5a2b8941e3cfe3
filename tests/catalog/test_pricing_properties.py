"""Prove that only exact, complete properties make a price, and that a refusal names the property and the tier."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from catalog.pricing import (
    DynamicPrice,
    GraduatedPercentagePrice,
    InvalidPrice,
    PackagePrice,
    PercentagePrice,
    StandardPrice,
    Tier,
    VolumePrice,
    as_decimal_strings,
    parse_price,
)
from tests.catalog.prices import tiers

OPEN = {"up_to": None, "unit_amount": "1"}
RATE = {"rate_percent": "1"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"), ("0.05", "0.05"), (3, "3"), ("5e-9", "0.000000005"), ("5E-9", "0.000000005"), ("1e17", str(10**17)),
        (Decimal("0.05"), "0.05"), (Decimal("5e-9"), "0.000000005"),
    ],
)  # fmt: skip
def test_a_number_may_be_a_decimal_string_a_decimal_or_an_integer(text: object, number: str) -> None:
    price = parse_price("STANDARD", {"unit_amount": text})

    assert price == StandardPrice(unit_amount=Decimal(number))


def test_free_units_and_flat_amounts_are_zero_unless_given() -> None:
    assert parse_price("PACKAGE", {"package_size": 10, "amount": "5"}) == PackagePrice(
        package_size=Decimal(10), amount=Decimal(5), free_units=Decimal(0)
    )
    assert parse_price("VOLUME", {"tiers": [OPEN]}) == VolumePrice((Tier(None, Decimal(1), Decimal(0), None),))


def test_properties_are_kept_as_decimal_strings_just_as_they_were_spelled() -> None:
    tier = {"up_to": None, "unit_amount": Decimal("0.50"), "flat_amount": 3, "package_size": "1e2"}

    kept = as_decimal_strings({"tiers": [tier], "property": "cost", "multiplier": Decimal("5E-9")})

    assert kept == {
        "tiers": [{"up_to": None, "unit_amount": "0.50", "flat_amount": "3", "package_size": "1e2"}],
        "property": "cost",
        "multiplier": "0.000000005",
    }


def test_of_a_percentage_all_but_the_rate_may_be_left_out() -> None:
    zero = Decimal(0)

    bare = parse_price("PERCENTAGE", {"rate_percent": "2.9"})
    whole = parse_price(
        "PERCENTAGE",
        {
            "rate_percent": "2.9", "fixed_amount": "0.3", "free_events": 3, "free_amount": "250",
            "minimum_per_event": "1.75", "maximum_per_event": "1.75",
        },
    )  # fmt: skip

    assert bare == PercentagePrice(Decimal("2.9"), zero, zero, zero, zero, None)
    assert whole == PercentagePrice(
        Decimal("2.9"), Decimal("0.3"), Decimal(3), Decimal(250), Decimal("1.75"), Decimal("1.75")
    )


def test_a_dynamic_price_is_the_amount_itself_unless_it_is_multiplied() -> None:
    assert parse_price("DYNAMIC", {"property": "cost"}) == DynamicPrice("cost", Decimal(1))
    assert parse_price("DYNAMIC", {"property": "cost", "multiplier": "1.2"}) == DynamicPrice("cost", Decimal("1.2"))


def test_a_tier_of_a_graduated_percentage_is_a_share() -> None:
    price = parse_price("GRADUATED_PERCENTAGE", {"tiers": [{"up_to": None, "rate_percent": "1.5", "flat_amount": 2}]})

    assert price == GraduatedPercentagePrice((Tier(None, Decimal("0.015"), Decimal(2)),))


BAD_NUMBERS: list[object] = [
    0.5, True, None, [], {}, Decimal("NaN"), Decimal("Infinity"), Decimal(-1), Decimal("1e-13"), Decimal(10**18),
    "", " 1", "1 ", "+1", "-1", -1, "-0", "1_000", "1,5", ".5", "1.", "abc", "NaN",
    "Infinity", "-Infinity", "\u0661", "0x10", "1e", "1e999", "0.0000000000001", "1000000000000000000", 10**18, "1e18",
    "1e-13", "9" * 65,
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
def test_what_is_no_exact_price_is_refused(value: object) -> None:
    with pytest.raises(InvalidPrice) as refusal:
        parse_price("STANDARD", {"unit_amount": value})

    assert refusal.value.param == "unit_amount"


BAD_PROPERTIES: list[tuple[str, Mapping[str, object], str, str]] = [
    ("BARTER", {}, "model", "must be one of STANDARD, GRADUATED, VOLUME, PACKAGE"),
    ("standard", {"unit_amount": "1"}, "model", "must be one of"),
    ("STANDARD", {}, "unit_amount", "is missing"),
    ("STANDARD", {"unit_amount": "1", "flat": "1"}, "flat", "is not known"),
    ("PACKAGE", {"amount": "1"}, "package_size", "is missing"),
    ("PACKAGE", {"package_size": "1"}, "amount", "is missing"),
    ("PACKAGE", {"package_size": "0", "amount": "1"}, "package_size", "above 0"),
    ("PACKAGE", {"package_size": "1", "amount": "-1"}, "amount", "negative"),
    ("PACKAGE", {"package_size": "1", "amount": "1", "free_units": None}, "free_units", "decimal number"),
    ("PACKAGE", {"package_size": "1", "amount": "1", "tiers": []}, "tiers", "is not known"),
    ("GRADUATED", {}, "tiers", "is missing"),
    ("GRADUATED", {"tiers": []}, "tiers", "at least one tier"),
    ("GRADUATED", {"tiers": "many"}, "tiers", "at least one tier"),
    ("GRADUATED", {"tiers": [OPEN], "unit_amount": "1"}, "unit_amount", "is not known"),
    ("GRADUATED", {"tiers": [OPEN, 7]}, "tiers[0].up_to", "Tier 1: up_to must be a number"),
    ("GRADUATED", {"tiers": [7, OPEN]}, "tiers[0]", r"\(tier 1\) must be an object"),
    ("GRADUATED", tiers(("5", "1", "0"), ("5", "1", "0"), (None, "1", "0")), "tiers[1].up_to", "Tier 2: .*above 5"),
    ("GRADUATED", tiers(("5", "1", "0"), ("4", "1", "0"), (None, "1", "0")), "tiers[1].up_to", "Tier 2: .*above 5"),
    ("GRADUATED", tiers(("0", "1", "0"), (None, "1", "0")), "tiers[0].up_to", "Tier 1: .*above 0"),
    ("GRADUATED", tiers(("5", "1", "0"), ("10", "1", "0")), "tiers[1].up_to", "Tier 2: .*null"),
    ("GRADUATED", tiers((None, "1", "0"), (None, "1", "0")), "tiers[0].up_to", "Tier 1: .*only the last"),
    ("GRADUATED", {"tiers": [{"unit_amount": "1"}]}, "tiers[0].up_to", "Tier 1: up_to is missing"),
    ("VOLUME", {"tiers": [{"up_to": None}]}, "tiers[0].unit_amount", "Tier 1: unit_amount is missing"),
    ("VOLUME", tiers(("5", "1", "0"), (None, "-1", "0")), "tiers[1].unit_amount", "Tier 2: .*negative"),
    ("VOLUME", tiers(("5", "1", "-1"), (None, "1", "0")), "tiers[0].flat_amount", "Tier 1: .*negative"),
    ("VOLUME", {"tiers": [{**OPEN, "package_size": "0"}]}, "tiers[0].package_size", "Tier 1: .*above 0"),
    ("VOLUME", {"tiers": [{**OPEN, "unit_price": "1"}]}, "tiers[0].unit_price", "Tier 1: .*not known"),
    ("PERCENTAGE", {}, "rate_percent", "is missing"),
    ("PERCENTAGE", {**RATE, "unit_amount": "1"}, "unit_amount", "is not known"),
    ("PERCENTAGE", {**RATE, "fixed_amount": "-1"}, "fixed_amount", "negative"),
    ("PERCENTAGE", {**RATE, "free_events": "1.5"}, "free_events", "whole number"),
    ("PERCENTAGE", {**RATE, "free_amount": None}, "free_amount", "decimal number"),
    ("PERCENTAGE", {**RATE, "maximum_per_event": "0"}, "maximum_per_event", "above 0"),
    (
        "PERCENTAGE", {**RATE, "minimum_per_event": "2", "maximum_per_event": "1.99"},
        "maximum_per_event", "below the minimum, 2",
    ),
    ("GRADUATED_PERCENTAGE", {"tiers": []}, "tiers", "at least one tier"),
    ("GRADUATED_PERCENTAGE", {"tiers": [OPEN]}, "tiers[0].unit_amount", "Tier 1: .*not known"),
    ("GRADUATED_PERCENTAGE", {"tiers": [{"up_to": None}]}, "tiers[0].rate_percent", "Tier 1: .*missing"),
    ("GRADUATED_PERCENTAGE", {"tiers": [{"up_to": "9", **RATE}]}, "tiers[0].up_to", "Tier 1: .*null"),
    ("DYNAMIC", {}, "property", "is missing"),
    ("DYNAMIC", {"property": ""}, "property", "text of 1 to 100"),
    ("DYNAMIC", {"property": " "}, "property", "text of 1 to 100"),
    ("DYNAMIC", {"property": "x" * 101}, "property", "text of 1 to 100"),
    ("DYNAMIC", {"property": 7}, "property", "text of 1 to 100"),
    ("DYNAMIC", {"property": "cost", "multiplier": "-1"}, "multiplier", "negative"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "properties", "param", "sentence"), BAD_PROPERTIES)
def test_a_bad_property_is_refused_by_its_path_and_tier(
    model: str, properties: Mapping[str, object], param: str, sentence: str
) -> None:
    with pytest.raises(InvalidPrice, match=sentence) as refusal:
        parse_price(model, properties)

    assert refusal.value.param == param
    assert str(refusal.value).endswith(".")

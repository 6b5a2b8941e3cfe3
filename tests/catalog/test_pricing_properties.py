"""Prove that only exact, complete properties make a price, and that a refusal names the property and the tier."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from catalog.pricing import InvalidPrice, PackagePrice, StandardPrice, Tier, VolumePrice, parse_price
from tests.catalog.prices import tiers

OPEN = {"up_to": None, "unit_amount": "1"}


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", "0"), ("0.05", "0.05"), (3, "3"), ("5e-9", "0.000000005"), ("5E-9", "0.000000005"), ("1e17", str(10**17))],
)
def test_a_number_may_be_a_decimal_string_or_an_integer(text: object, number: str) -> None:
    price = parse_price("STANDARD", {"unit_amount": text})

    assert price == StandardPrice(unit_amount=Decimal(number))


def test_free_units_and_flat_amounts_are_zero_unless_given() -> None:
    assert parse_price("PACKAGE", {"package_size": 10, "amount": "5"}) == PackagePrice(
        package_size=Decimal(10), amount=Decimal(5), free_units=Decimal(0)
    )
    assert parse_price("VOLUME", {"tiers": [OPEN]}) == VolumePrice((Tier(None, Decimal(1), Decimal(0), None),))


BAD_NUMBERS: list[object] = [
    0.5, True, None, [], {}, Decimal(1), "", " 1", "1 ", "+1", "-1", -1, "-0", "1_000", "1,5", ".5", "1.", "abc", "NaN",
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
]


@pytest.mark.parametrize(("model", "properties", "param", "sentence"), BAD_PROPERTIES)
def test_a_bad_property_is_refused_by_its_path_and_tier(
    model: str, properties: Mapping[str, object], param: str, sentence: str
) -> None:
    with pytest.raises(InvalidPrice, match=sentence) as refusal:
        parse_price(model, properties)

    assert refusal.value.param == param
    assert str(refusal.value).endswith(".")

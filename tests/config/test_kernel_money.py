"""Money: decimals in the exponent of their currency; nothing is lost when it is rounded or split."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.money import (
    currency_exponent,
    currency_exponents,
    display_money,
    is_currency,
    minor_unit,
    plain,
    round_money,
    split,
    validate_currency,
)

#: As many digits as the columns hold: 18 integer, 12 fraction.
amounts = st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, places=12)
weights = st.lists(st.decimals(min_value=0, max_value=10**12, places=12), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("currency", "exponent", "unit"),
    [("JPY", 0, "1"), ("EUR", 2, "0.01"), ("USD", 2, "0.01"), ("INR", 2, "0.01"), ("KWD", 3, "0.001")],
)
def test_a_currency_has_the_minor_digits_of_iso_4217(currency: str, exponent: int, unit: str) -> None:
    assert currency_exponent(currency) == exponent
    assert minor_unit(currency) == Decimal(unit)


def test_every_currency_there_is_has_its_minor_digits() -> None:
    every = currency_exponents()

    assert {code: every[code] for code in ("JPY", "EUR", "KWD", "CLF")} == {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
    assert all(is_currency(code) for code in every)
    assert not {"XAU", "XXX"} & set(every)


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "eur", "EURO", "ZZZ", "", "€", "E\x00R"])
def test_what_cannot_be_invoiced_in_is_no_currency(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValidationError):
        validate_currency(code)


def test_a_currency_passes() -> None:
    validate_currency("EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.5", "JPY", "1"),
        ("0.499999999999", "JPY", "0"),
        ("-0.5", "JPY", "-1"),
        ("-1.5", "JPY", "-2"),
        ("2.5", "JPY", "3"),
        ("0.005", "EUR", "0.01"),
        ("0.004999999999", "EUR", "0.00"),
        ("-0.005", "EUR", "-0.01"),
        ("-0.004999999999", "EUR", "0.00"),
        ("1.115", "EUR", "1.12"),
        ("1.125", "EUR", "1.13"),
        ("0.0005", "KWD", "0.001"),
        ("-2.0005", "KWD", "-2.001"),
        ("999999999999999999.995", "EUR", "1000000000000000000.00"),
    ],
)
def test_amounts_are_rounded_half_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_money(Decimal(amount), currency) == Decimal(rounded)


@given(amounts, st.sampled_from(["JPY", "EUR", "KWD"]))
def test_rounding_is_that_of_fractions_and_the_same_for_both_signs(amount: Decimal, currency: str) -> None:
    unit = Fraction(minor_unit(currency))
    # Half away from zero, computed without decimals: |a| / unit + 1/2, cut off, with the sign of a.
    units = (abs(Fraction(amount)) / unit + Fraction(1, 2)).__floor__() * (-1 if amount < 0 else 1)

    assert Fraction(round_money(amount, currency)) == units * unit
    assert round_money(-amount, currency) == -round_money(amount, currency)
    assert round_money(round_money(amount, currency), currency) == round_money(amount, currency)


@given(st.integers(min_value=0, max_value=10**20), weights, st.sampled_from(["JPY", "EUR", "KWD"]))
def test_parts_add_up_and_are_off_by_less_than_a_step(units: int, weights: list[Decimal], currency: str) -> None:
    step = minor_unit(currency)
    total = Fraction(units) * Fraction(step)

    parts = split(Decimal(units).scaleb(-currency_exponent(currency)), weights, step=step)

    whole = sum(map(Fraction, weights))
    assert sum(map(Fraction, parts)) == total
    assert all((Fraction(part) / Fraction(step)).denominator == 1 for part in parts)
    if whole:
        exact = [total * Fraction(weight) / whole for weight in weights]
        assert all(abs(Fraction(part) - share) < Fraction(step) for part, share in zip(parts, exact, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)


@given(st.integers(min_value=0, max_value=10**6), weights)
def test_who_weighs_more_never_gets_less(units: int, weights: list[Decimal]) -> None:
    parts = split(Decimal(units), weights, step=Decimal(1))

    by_weight = sorted(range(len(weights)), key=lambda index: (weights[index], -index))
    if any(weights):
        assert [parts[index] for index in by_weight] == sorted(parts)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("10", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("0.05", ["1", "2", "3"], ["0.01", "0.02", "0.02"]),
        ("0.01", ["0", "1"], ["0", "0.01"]),
        ("7", ["0", "0"], ["7", "0"]),
        ("7", ["5"], ["7"]),
        ("0", ["1", "2"], ["0", "0"]),
        ("7", [], []),
    ],
)
def test_the_remainder_goes_to_the_largest_fractions(total: str, weights: list[str], parts: list[str]) -> None:
    shares = split(Decimal(total), [Decimal(weight) for weight in weights], step=Decimal("0.01"))

    assert shares == [Decimal(part) for part in parts]


@pytest.mark.parametrize(
    ("amount", "printed"),
    [("1.500", "1.5"), ("1E+2", "100"), ("0E-12", "0"), ("-0.10", "-0.1"), ("1E-12", "0.000000000001")],
)
def test_a_plain_number_has_no_needless_digits_and_no_exponent(amount: str, printed: str) -> None:
    assert f"{plain(Decimal(amount)):f}" == printed


@given(amounts)
def test_a_plain_number_is_the_number(amount: Decimal) -> None:
    assert plain(amount) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "USD", "$1,234.50"),
        ("1234.5", "EUR", "€1,234.50"),
        ("1234", "JPY", "¥1,234"),
        ("1.5", "KWD", "KWD1.500"),
        ("-0.5", "USD", "-$0.50"),
        ("0.000000000001", "USD", "$0.000000000001"),
        ("0.125", "JPY", "¥0.125"),
        ("123456789012345678.123456789012", "USD", "$123,456,789,012,345,678.123456789012"),
    ],
)
def test_an_amount_is_shown_with_all_its_digits(amount: str, currency: str, shown: str) -> None:
    assert display_money(Decimal(amount), currency).replace("\xa0", " ") == shown


def test_rounding_does_not_depend_on_the_context_of_the_caller() -> None:
    with localcontext() as context:
        context.prec, context.rounding = 5, ROUND_HALF_UP

        assert round_money(Decimal("123456789.125"), "EUR") == Decimal("123456789.13")

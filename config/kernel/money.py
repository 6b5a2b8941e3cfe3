"""Money: decimals with a currency; the only place that rounds: half away from zero, to the ISO 4217 exponent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache
from typing import Any

from babel import Locale
from babel.numbers import parse_pattern
from django.core.exceptions import ValidationError
from django.db import models
from iso4217 import Currency

#: Enough digits that a product of two stored numbers and a long sum of them stay exact.
EXACT = Context(prec=80)
ZERO = Decimal(0)


@cache
def currency_exponent(currency: str) -> int:
    """
    Return how many minor digits ``currency`` has: JPY 0, EUR 2, KWD 3 (source: ISO 4217).

    Raises:
        ValueError: no such currency, or one without minor units (gold, test codes).
    """
    exponent = Currency(currency).exponent
    if exponent is None:
        raise ValueError(f"{currency} has no minor unit")
    return int(exponent)


@cache
def currency_exponents() -> dict[str, int]:
    """Return the exponent of every currency that can be invoiced in, by its code."""
    return {str(one.code): currency_exponent(one.code) for one in Currency if one.exponent is not None}


def is_currency(code: str) -> bool:
    """Tell whether ``code`` is an ISO 4217 currency that can be invoiced in."""
    try:
        currency_exponent(code)
    except ValueError:
        return False
    return True


def validate_currency(code: str) -> None:
    """Raise ``ValidationError`` unless ``code`` is an ISO 4217 currency in upper case."""
    if not is_currency(code):
        raise ValidationError("“%(code)s” is not an ISO 4217 currency code.", code="invalid", params={"code": code})


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of ``currency``: 0.01 for EUR."""
    return Decimal(1).scaleb(-currency_exponent(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round ``amount`` half away from zero to the exponent of ``currency``."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT)


def split(total: Decimal, weights: Sequence[Decimal], *, step: Decimal) -> list[Decimal]:
    """
    Split ``total`` in proportion to non-negative ``weights`` in multiples of ``step``; the parts add up to it exactly.

    The remainder goes, a step each, to the largest fractions (the largest-remainder method), first come first on a tie.
    ``total`` is a non-negative multiple of ``step``; where all weights are 0 the first part takes it all.
    """
    with localcontext(EXACT):
        whole = sum(weights, ZERO)
        if not weights or not whole:
            return [total, *[ZERO] * (len(weights) - 1)] if weights else []
        exact = [total * weight / whole / step for weight in weights]
        parts = [share.quantize(Decimal(1), rounding=ROUND_FLOOR) for share in exact]
        missing = int(total / step - sum(parts, ZERO))
        by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
        for index in by_remainder[:missing]:
            parts[index] += 1
        return [part * step for part in parts]


def plain(amount: Decimal) -> Decimal:
    """Drop trailing zeros without switching to an exponent: 1.500 is 1.5, 1E+2 is 100."""
    with localcontext(EXACT):
        short = amount.normalize()
        return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1))  # type: ignore[operator]


def display_money(amount: Decimal, currency: str, locale: str = "en_US") -> str:
    """Return ``amount`` as an operator reads it: ``$1,234.50``; digits beyond the minor unit are kept."""
    digits = max(currency_exponent(currency), -int(plain(amount).as_tuple().exponent))
    pattern = parse_pattern(Locale.parse(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    with localcontext(EXACT):
        return str(pattern.apply(amount, locale, currency=currency, currency_digits=False))


class AmountField(models.DecimalField[Any, Any]):
    """A price, wallet amount or quantity: ``numeric(30,12)``, 18 integer and 12 fraction digits."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 30)
        options.setdefault("decimal_places", 12)
        super().__init__(**options)


class CurrencyField(models.CharField[Any, Any]):
    """An ISO 4217 code in upper case."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 3)
        options.setdefault("validators", [validate_currency])
        super().__init__(**options)

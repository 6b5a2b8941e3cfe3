"""Make tiered prices and add amounts up, for the tests of pricing."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction


def total(parts: Iterable[Decimal]) -> Fraction:
    """Add up exactly, which the default decimal context (28 digits) would not."""
    return sum(map(Fraction, parts), Fraction(0))


def tiers(*bounds_and_prices: tuple[str | None, str, str]) -> dict[str, object]:
    """Return tiered properties from (up_to, unit_amount, flat_amount)."""
    return {"tiers": [{"up_to": up_to, "unit_amount": u, "flat_amount": f} for up_to, u, f in bounds_and_prices]}

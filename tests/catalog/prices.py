"""Make prices and add amounts up, for the tests of pricing."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from catalog.pricing import EventPrice, UnitPrice, parse_price


def total(parts: Iterable[Decimal]) -> Fraction:
    """Add up exactly, which the default decimal context (28 digits) would not."""
    return sum(map(Fraction, parts), Fraction(0))


def tiers(*bounds_and_prices: tuple[str | None, str, str]) -> dict[str, object]:
    """Return tiered properties from (up_to, unit_amount, flat_amount)."""
    return {"tiers": [{"up_to": up_to, "unit_amount": u, "flat_amount": f} for up_to, u, f in bounds_and_prices]}


def unit_price(model: str, properties: Mapping[str, object]) -> UnitPrice:
    """Return a price that units suffice for."""
    price = parse_price(model, properties)
    assert isinstance(price, UnitPrice)
    return price


def event_price(model: str, properties: Mapping[str, object]) -> EventPrice:
    """Return a price by the event."""
    price = parse_price(model, properties)
    assert isinstance(price, EventPrice)
    return price

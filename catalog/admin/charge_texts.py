"""Prices as sentences an operator reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from catalog.models import Charge
from catalog.pricing import (
    DynamicPrice,
    GraduatedPercentagePrice,
    PackagePrice,
    PercentagePrice,
    StandardPrice,
    Tier,
    parse_price,
)
from config.kernel.money import EXACT, display_money, plain


def price_in_words(charge: Charge, currency: str) -> list[str]:
    """Return the price of ``charge`` as lines for people."""
    price: Any = parse_price(charge.model, charge.properties)
    if isinstance(price, StandardPrice):
        return [f"{display_money(price.unit_amount, currency)} per unit"]
    if isinstance(price, PackagePrice):
        words = f"{display_money(price.amount, currency)} per started {plain(price.package_size)} units"
        return [words, *([f"the first {plain(price.free_units)} units are free"] if price.free_units else [])]
    if isinstance(price, PercentagePrice):
        return _percentage_in_words(price, currency)
    if isinstance(price, DynamicPrice):
        times = f", times {plain(price.multiplier)}" if price.multiplier != 1 else ""
        return [f"what each event carries as {price.property}{times}"]
    is_share = isinstance(price, GraduatedPercentagePrice)
    return [_tier_in_words(above, tier, currency, is_share=is_share) for above, tier in price.spans()]


def terms_in_words(charge: Charge, currency: str) -> list[str]:
    """Return what else holds of ``charge`` besides its price, as lines for people."""
    least = [f"at least {display_money(charge.minimum_amount, currency)} a period"] if charge.minimum_amount else []
    return [*least, *(["a unit counts for the part of the period it was held"] if charge.prorated else [])]


def _tier_in_words(above: Decimal, tier: Tier, currency: str, *, is_share: bool) -> str:
    span = f"above {plain(above)}" if tier.up_to is None else f"{plain(above)} to {plain(tier.up_to)}"
    unit = "unit" if tier.package_size is None else f"started {plain(tier.package_size)} units"
    flat = f" + {display_money(tier.flat_amount, currency)} once" if tier.flat_amount else ""
    price = _percent(tier.unit_amount) if is_share else f"{display_money(tier.unit_amount, currency)} per {unit}"
    return f"{span}: {price}{flat}"


def _percent(share: Decimal) -> str:
    return f"{plain(EXACT.scaleb(share, 2))}%"


def _percentage_in_words(price: PercentagePrice, currency: str) -> list[str]:
    fixed = f" + {display_money(price.fixed_amount, currency)}" if price.fixed_amount else ""
    events = f"the first {plain(price.free_events)} events" if price.free_events else ""
    amount = f"the first {display_money(price.free_amount, currency)}" if price.free_amount else ""
    free = f"{events or amount} {'are' if events else 'is'} free"
    if events and amount:
        free = f"{events} are free, within {amount}"
    bounds = [
        f"at {word} {display_money(bound, currency)} per event"
        for word, bound in (("least", price.minimum_per_event), ("most", price.maximum_per_event))
        if bound
    ]
    return [f"{_percent(price.share)} of each event's amount{fixed}", *([free] if events or amount else []), *bounds]

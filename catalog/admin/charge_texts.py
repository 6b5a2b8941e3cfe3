"""Charges as text: tiers and matches as lines an operator types, prices as sentences an operator reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

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

#: How a line begins whose tier has no end.
ABOVE = "above"
#: The columns of a line: the pricing's names and the operators'.
TIER_COLUMNS = {
    "up_to": "bound",
    "unit_amount": "price per unit",
    "flat_amount": "flat amount",
    "package_size": "package size",
}
#: Those of a graduated percentage.
SHARE_COLUMNS = {"up_to": "bound", "rate_percent": "percentage", "flat_amount": "flat amount"}


def parse_tiers(text: str, columns: Mapping[str, str] = TIER_COLUMNS) -> list[dict[str, str | None]]:
    """
    Return the tiers of lines like ``1000 0.10 5``: bound, price of a unit or percentage, flat amount, package size.

    The last line begins with ``above``; the columns after the second may be left out. Whether the numbers make sense
    is for the pricing to say.

    Raises:
        ValidationError: a line has too few or too many columns, or ``above`` stands elsewhere than in the last one.
    """
    lines = list(numbered_lines(text))
    tiers: list[dict[str, str | None]] = []
    for number, line in lines:
        words = line.split()
        if not 2 <= len(words) <= len(columns):
            price = "the percentage" if "rate_percent" in columns else "the price of a unit"
            raise ValidationError(f"Line {number}: write the bound, {price} and perhaps a flat amount.")
        is_open = words[0].casefold() == ABOVE
        if is_open is not (number == lines[-1][0]):
            complaint = (
                f"only the last line begins with “{ABOVE}”" if is_open else f"the last line begins with “{ABOVE}”"
            )
            raise ValidationError(f"Line {number}: {complaint}.")
        tiers.append({**dict(zip(columns, words, strict=False)), "up_to": None if is_open else words[0]})
    return tiers


def print_tiers(tiers: Sequence[Mapping[str, object]]) -> str:
    """Return ``tiers`` as the lines that :func:`parse_tiers` reads."""
    return "\n".join(" ".join(_tier_columns(tier)) for tier in tiers)


def _tier_columns(tier: Mapping[str, object]) -> Iterator[str]:
    yield ABOVE if tier["up_to"] is None else str(tier["up_to"])
    yield str(tier["rate_percent"] if "rate_percent" in tier else tier["unit_amount"])
    if "flat_amount" in tier or "package_size" in tier:
        yield str(tier.get("flat_amount", "0"))
    if "package_size" in tier:
        yield str(tier["package_size"])


def line_of_tier(text: str, position: int) -> int:
    """Return the number of the line that holds the tier at ``position``, both as people count them save the latter."""
    return list(numbered_lines(text))[position][0]


def parse_match(text: str) -> dict[str, list[str]]:
    """
    Return the match of lines like ``model = gpt-4o, gpt-4o-mini``; a value with a comma stands in double quotes.

    Raises:
        ValidationError: a line without ``=``, or a dimension named twice.
    """
    match: dict[str, list[str]] = {}
    for number, line in numbered_lines(text):
        name, equals, values = (part.strip() for part in line.partition("="))
        if not name or not equals:
            raise ValidationError(f"Line {number}: write a dimension, “=” and its values.")
        if name in match:
            raise ValidationError(f"Line {number}: “{name}” has a line already.")
        match[name] = [
            value.strip() for value in next(csv.reader([values], skipinitialspace=True), []) if value.strip()
        ]
    return match


def print_match(match: Mapping[str, Sequence[str]]) -> str:
    """Return ``match`` as the lines that :func:`parse_match` reads."""
    return "\n".join(f"{name} = {', '.join(_quoted(value) for value in values)}" for name, values in match.items())


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if "," in value or '"' in value else value


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold something, each with its number as people count."""
    yield from ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


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

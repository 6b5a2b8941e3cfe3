"""Prices of usage that is only thought of: what a plan would charge for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from catalog.errors import EventAmountsNeeded, UsageNotCharged
from catalog.matching import charge_for
from catalog.models import PRICED_BY_EVENT, Aggregation, Charge, RatePlan
from catalog.pricing import DynamicPrice, EventPrice, Rating, parse_price, rate, rate_events
from config.kernel.money import EXACT

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class UnitsUsed:
    """
    Usage of a metric (an id) with the dimensions that choose the charge: its ``units``, or what each event carries.

    ``event_amounts`` are in the order of the events: what each adds to the metric, or for a DYNAMIC charge the amount
    it names. One of the two is given, or both, where one charge takes the units and, on another plan, one the amounts.
    Of a recurring metric ``units`` are the level at the end of the period, of a WEIGHTED_SUM the sum that was weighted
    already. Units of a prorated charge, and ``event_amounts`` of a WEIGHTED_SUM, count as held for the whole period.
    """

    metric: str
    units: Decimal | None = None
    event_amounts: Sequence[Decimal] | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)


def price_of_usage(plan: RatePlan, usage: Sequence[UnitsUsed]) -> dict[str, Any]:
    """
    Return what each charge of ``plan`` comes to for ``usage``, and the total: unrounded, without the base fee.

    Minimums and the maximum spend hold for a whole period and are left out.

    Raises:
        UsageNotCharged: no charge of the plan claims some of the usage.
        EventAmountsNeeded: a charge prices each event, and only units are given.
    """
    charges = list(plan.charges.select_related("metric").order_by("position"))
    # Python's own 28 digits would round what the columns hold.
    with localcontext(EXACT):
        claimed = _claimed(charges, usage)
        priced = [(charge, *_priced(charge, claimed[charge.id])) for charge in charges]
        total = sum((rating.amount for _, _, rating in priced), ZERO)
    return {
        "charges": [
            {"charge": charge.id, "units": units, "amount": rating.amount, "tiers": rating.tiers}
            for charge, units, rating in priced
        ],
        "total": total,
    }


def _claimed(charges: Sequence[Charge], usage: Sequence[UnitsUsed]) -> dict[str, list[UnitsUsed]]:
    """Return the usage that each of ``charges`` claims."""
    claimed: dict[str, list[UnitsUsed]] = defaultdict(list)
    for position, used in enumerate(usage):
        of_metric = [charge for charge in charges if charge.metric_id == used.metric]
        charge = charge_for(of_metric, used.dimensions)
        if charge is None:
            raise UsageNotCharged(param=f"usage[{position}]")
        if charge.model in PRICED_BY_EVENT and used.event_amounts is None:
            raise EventAmountsNeeded(param=f"usage[{position}].event_amounts", model=charge.model)
        claimed[charge.id].append(used)
    return claimed


def _priced(charge: Charge, usage: Sequence[UnitsUsed]) -> tuple[Decimal, Rating]:
    """Return the units of ``usage`` and what they come to; those of a DYNAMIC charge are its events."""
    price = parse_price(charge.model, charge.properties)
    if isinstance(price, EventPrice):
        amounts = [amount for used in usage for amount in used.event_amounts or ()]
        units = Decimal(len(amounts)) if isinstance(price, DynamicPrice) else sum(amounts, ZERO)
        return units, rate_events(price, amounts)
    parts = [_units(charge, used) for used in usage]
    # The highest of several values of a dimension is the highest of all of them.
    is_highest = charge.metric.aggregation == Aggregation.MAX
    units = charge.metric.rounded(max(parts, default=ZERO) if is_highest else sum(parts, ZERO))
    return units, rate(price, units)


def _units(charge: Charge, used: UnitsUsed) -> Decimal:
    """Return the units said, or those that the metric makes of the events."""
    amounts = used.event_amounts
    if used.units is not None or amounts is None:
        return used.units or ZERO
    match charge.metric.aggregation:
        case Aggregation.COUNT:
            return Decimal(len(amounts))
        case Aggregation.UNIQUE_COUNT:
            return Decimal(len(set(amounts)))
        case Aggregation.LATEST:
            return amounts[-1] if amounts else ZERO
        case Aggregation.MAX:
            return max(amounts, default=ZERO)
    return sum(amounts, ZERO)

"""Prices of usage that is only thought of: what a plan would charge for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from catalog.errors import UsageNotCharged
from catalog.matching import charge_for
from catalog.models import Charge, RatePlan
from catalog.pricing import parse_price, rate
from config.kernel.money import EXACT


@dataclass(frozen=True, kw_only=True)
class UnitsUsed:
    """Units of a metric (an id) with the dimensions that choose the charge."""

    metric: str
    units: Decimal
    dimensions: Mapping[str, str] = field(default_factory=dict)


def price_of_usage(plan: RatePlan, usage: Sequence[UnitsUsed]) -> dict[str, Any]:
    """
    Return what each charge of ``plan`` comes to for ``usage``, and the total: unrounded, without the base fee.

    Raises:
        UsageNotCharged: no charge of the plan claims some of the usage.
    """
    charges = list(plan.charges.select_related("metric").order_by("position"))
    # Python's own 28 digits would round what the columns hold.
    with localcontext(EXACT):
        units = _units(charges, usage)
        priced = [(charge, rate(parse_price(charge.model, charge.properties), units[charge.id])) for charge in charges]
        total = sum((rating.amount for _, rating in priced), Decimal(0))
    return {
        "charges": [
            {"charge": charge.id, "units": units[charge.id], "amount": rating.amount, "tiers": rating.tiers}
            for charge, rating in priced
        ],
        "total": total,
    }


def _units(charges: Sequence[Charge], usage: Sequence[UnitsUsed]) -> dict[str, Decimal]:
    """Return the units each of ``charges`` claims of ``usage``."""
    units: dict[str, Decimal] = defaultdict(Decimal)
    for position, used in enumerate(usage):
        of_metric = [charge for charge in charges if charge.metric_id == used.metric]
        charge = charge_for(of_metric, used.dimensions)
        if charge is None:
            raise UsageNotCharged(param=f"usage[{position}]")
        units[charge.id] += used.units
    return units

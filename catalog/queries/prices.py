"""Prices of usage that is only thought of: what a plan would charge for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalog.errors import UsageNotCharged
from catalog.matching import charge_for
from catalog.models import Charge, RatePlan
from catalog.pricing import parse_price, rate


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
    units: dict[str, Decimal] = defaultdict(Decimal)
    for position, used in enumerate(usage):
        of_metric = [charge for charge in charges if charge.metric_id == used.metric]
        charge: Charge | None = charge_for(of_metric, used.dimensions)
        if charge is None:
            raise UsageNotCharged(param=f"usage[{position}]")
        units[charge.id] += used.units
    priced = [(charge, rate(parse_price(charge.model, charge.properties), units[charge.id])) for charge in charges]
    return {
        "charges": [
            {"charge": charge.id, "units": units[charge.id], "amount": rating.amount, "tiers": rating.tiers}
            for charge, rating in priced
        ],
        "total": sum((rating.amount for _, rating in priced), Decimal(0)),
    }

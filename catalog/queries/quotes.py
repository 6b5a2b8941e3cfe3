"""What usage would cost under a rate plan, whether or not anybody has subscribed to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from catalog.matching import charge_for
from catalog.models import Charge, RatePlan
from catalog.pricing import Rating, parse_price, rate
from config.kernel.money import EXACT, ZERO


@dataclass(frozen=True, kw_only=True)
class AssumedUsage:
    """Units of one metric (an id) with the values of their dimensions."""

    metric: str
    units: Decimal
    dimensions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class QuotedCharge:
    """What the units that belong to one charge cost."""

    charge: Charge
    units: Decimal
    rating: Rating


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Every charge of the plan in its order, and the sum of their amounts; unrounded, without the plan's own amount."""

    charges: tuple[QuotedCharge, ...]
    total: Decimal


def quote(plan: RatePlan, usage: Iterable[AssumedUsage]) -> Quote:
    """Price ``usage`` by the charges of ``plan``; units that no charge claims cost nothing, as when they are billed."""
    charges = list(plan.charges.all())
    with localcontext(EXACT):
        units = _units_by_charge(charges, usage)
        quoted = tuple(
            QuotedCharge(charge=charge, units=units[charge.pk], rating=_rating(charge, units[charge.pk]))
            for charge in charges
        )
        return Quote(charges=quoted, total=sum((one.rating.amount for one in quoted), ZERO))


def _units_by_charge(charges: Sequence[Charge], usage: Iterable[AssumedUsage]) -> Mapping[str, Decimal]:
    by_metric: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        by_metric[charge.metric_id].append(charge)
    units: dict[str, Decimal] = defaultdict(Decimal)
    for used in usage:
        claiming = charge_for(by_metric.get(used.metric, []), used.dimensions)
        if claiming is not None:
            units[claiming.pk] += used.units
    return units


def _rating(charge: Charge, units: Decimal) -> Rating:
    return rate(parse_price(charge.model, charge.properties), units)

"""Rating: what the hourly units of a subscription's period cost, charge by charge and hour by hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from catalog.matching import charge_for
from catalog.models import Aggregation, Charge
from catalog.pricing import Price, Rating, parse_price, rate
from config.kernel.money import EXACT

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class HourOfUnits:
    """The units of one metric in one hour for one combination of credential, subscriber, model and dimensions."""

    hour: datetime
    metric: str
    credential: str | None
    model: str
    dimensions: dict[str, str]
    events: int
    total: Decimal
    maximum: Decimal | None
    subscription: str | None = None
    subscriber: str | None = None


@dataclass(frozen=True, kw_only=True)
class RatedCharge:
    """What a charge comes to: its units and events, and the unrounded amount with its tiers."""

    charge: Charge
    units: Decimal
    events: int
    rating: Rating


@dataclass(frozen=True, kw_only=True)
class HourCost:
    """What one row of units added to the amount of its charge, unrounded."""

    row: HourOfUnits
    charge: Charge
    amount: Decimal


def rate_charges(charges: Sequence[Charge], rows: Iterable[HourOfUnits]) -> list[RatedCharge]:
    """Return what each of ``charges`` (of one plan, with their metrics) comes to for the ``rows`` of one period."""
    taken = _by_charge(charges, rows)
    with localcontext(EXACT):
        return [_rated(charge, taken[charge.id]) for charge in charges]


def hourly_costs(charges: Sequence[Charge], rows: Iterable[HourOfUnits]) -> list[HourCost]:
    """
    Return what each of the ``rows`` of one period added to the bill; the parts add up to the whole.

    An hour costs F(units up to its end) minus F(units up to its start); within an hour that is shared by units, the
    last row taking what the others leave. What a charge costs without any unit is no hour's cost.
    """
    costs: list[HourCost] = []
    for charge_id, taken in _by_charge(charges, rows).items():
        charge = next(one for one in charges if one.id == charge_id)
        with localcontext(EXACT):
            costs += _costs_of(charge, parse_price(charge.model, charge.properties), taken)
    return costs


def units_after(aggregation: str, before: Decimal, rows: Iterable[HourOfUnits]) -> Decimal:
    """Return the units of a period once ``rows`` come on top of ``before``."""
    if aggregation == Aggregation.COUNT:
        return before + sum(row.events for row in rows)
    if aggregation == Aggregation.SUM:
        return before + sum((row.total for row in rows), ZERO)
    return max([before, *(row.maximum for row in rows if row.maximum is not None)])


def _by_charge(charges: Sequence[Charge], rows: Iterable[HourOfUnits]) -> dict[str, list[HourOfUnits]]:
    """Give every row to the one charge that claims it."""
    of_metric: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        of_metric[charge.metric_id].append(charge)
    taken: dict[str, list[HourOfUnits]] = defaultdict(list)
    for row in rows:
        claimant = charge_for(of_metric[row.metric], row.dimensions)
        if claimant is not None:
            taken[claimant.id].append(row)
    return taken


def _rated(charge: Charge, rows: Sequence[HourOfUnits]) -> RatedCharge:
    units = _units(charge, ZERO, rows)
    rating = rate(parse_price(charge.model, charge.properties), units)
    return RatedCharge(charge=charge, units=units, events=sum(row.events for row in rows), rating=rating)


def _units(charge: Charge, before: Decimal, rows: Iterable[HourOfUnits]) -> Decimal:
    return units_after(charge.metric.aggregation, before, rows)


def _costs_of(charge: Charge, price: Price, rows: Sequence[HourOfUnits]) -> list[HourCost]:
    """Walk the hours of one charge, earliest first."""
    costs: list[HourCost] = []
    before = ZERO
    by_hour: dict[datetime, list[HourOfUnits]] = defaultdict(list)
    for row in rows:
        by_hour[row.hour].append(row)
    paid = rate(price, ZERO).amount
    for hour in sorted(by_hour):
        after = _units(charge, before, by_hour[hour])
        amount = rate(price, after).amount
        costs += _share(charge, by_hour[hour], amount - paid)
        before, paid = after, amount
    return costs


def _share(charge: Charge, rows: Sequence[HourOfUnits], amount: Decimal) -> list[HourCost]:
    """Share the cost of one hour among its rows by their units."""
    weights = [max(_units(charge, ZERO, [row]), ZERO) for row in rows]
    whole = sum(weights, ZERO)
    parts = [(amount * weight / whole).quantize(Decimal("1e-12")) if whole else ZERO for weight in weights]
    parts[-1] = amount - sum(parts[:-1], ZERO)
    return [HourCost(row=row, charge=charge, amount=part) for row, part in zip(rows, parts, strict=True)]

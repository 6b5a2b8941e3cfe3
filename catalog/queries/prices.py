"""Prices of usage that is only thought of: what a plan would charge for it, and what it would bill for the period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext

from catalog.errors import EventAmountsNeeded, UsageNotCharged
from catalog.matching import charge_for
from catalog.models import PRICED_BY_EVENT, Aggregation, Charge, RatePlan
from catalog.pricing import (
    DynamicPrice,
    EventPrice,
    ProratedPrice,
    ProratedTally,
    Rating,
    Settlement,
    TierAmount,
    parse_price,
    rate,
    rate_events,
    settle_period,
)
from catalog.queries.charges import charges_of
from config.kernel.money import EXACT

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class HeldUnits:
    """Units that came ``at`` a moment, or went (below 0), and hold for the last ``days`` of ``of_days`` of a period."""

    at: datetime
    units: Decimal
    days: int
    of_days: int


@dataclass(frozen=True, kw_only=True)
class UnitsUsed:
    """
    Usage of a metric (an id) with the dimensions that choose the charge: its ``units``, or what each event carries.

    ``event_amounts`` are in the order of the events: what each adds to the metric, or for a DYNAMIC charge the amount
    it names. One of the two is given, or both, where one charge takes the units and, on another plan, one the amounts.
    Of a recurring metric ``units`` are the level at the end of the period, of a WEIGHTED_SUM the sum that was weighted
    already; of a LATEST with several values of a dimension the last given counts. Units of a prorated charge count for
    the days that they are ``held``, where that is told, else for the whole period, as ``event_amounts`` of a
    WEIGHTED_SUM do.
    """

    metric: str
    units: Decimal | None = None
    event_amounts: Sequence[Decimal] | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    held: Sequence[HeldUnits] | None = None


@dataclass(frozen=True, kw_only=True)
class PricedCharge:
    """What one charge comes to, unrounded, tier by tier."""

    charge: Charge
    units: Decimal
    amount: Decimal
    tiers: Sequence[TierAmount]


@dataclass(frozen=True, kw_only=True)
class TrueUp:
    """What is missing to a minimum: that of ``charge``, or without one the minimum commitment of the plan; rounded."""

    charge: Charge | None
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class PlanPrice:
    """
    What usage comes to on ``plan``: ``charges`` unrounded, and the ``settlement`` of one whole period, rounded.

    ``uncharged`` are the positions of the usage that no charge claims.
    """

    plan: RatePlan
    charges: Sequence[PricedCharge]
    settlement: Settlement
    uncharged: Sequence[int] = ()

    @property
    def amount(self) -> Decimal:
        """What all charges come to, unrounded."""
        with localcontext(EXACT):
            return sum((one.amount for one in self.charges), ZERO)

    @property
    def total(self) -> Decimal:
        """What an invoice bills for the period, before coupons and taxes: with base fee, true-ups and maximum."""
        return self.settlement.total

    @property
    def true_ups(self) -> list[TrueUp]:
        """What is billed beside the usage because of minimums."""
        dues = zip(self.charges, self.settlement.charges, strict=True)
        found = [TrueUp(charge=one.charge, amount=due.true_up) for one, due in dues]
        return [one for one in [*found, TrueUp(charge=None, amount=self.settlement.true_up)] if one.amount]


def price_of_usage(plan: RatePlan, usage: Sequence[UnitsUsed]) -> PlanPrice:
    """
    Return what ``usage`` of one period comes to on ``plan``, all of which is charged.

    Raises:
        UsageNotCharged: no charge of the plan claims some of the usage.
        EventAmountsNeeded: a charge prices each event, and only units are given.
    """
    charges = charges_of(plan.pk)
    # Python's own 28 digits would round what the columns hold.
    with localcontext(EXACT):
        claimed = _claimed(charges, usage)
        priced = [_priced(charge, claimed[charge.id]) for charge in charges]
        settlement = settle_period(plan, [(one.charge, one.amount) for one in priced])
    return PlanPrice(plan=plan, charges=priced, settlement=settlement)


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


def _priced(charge: Charge, usage: Sequence[UnitsUsed]) -> PricedCharge:
    units, rating = _rated(charge, usage)
    return PricedCharge(charge=charge, units=units, amount=rating.amount, tiers=rating.tiers)


def _rated(charge: Charge, usage: Sequence[UnitsUsed]) -> tuple[Decimal, Rating]:
    """Return the units of ``usage`` and what they come to; those of a DYNAMIC charge are its events."""
    price = parse_price(charge.model, charge.properties)
    if isinstance(price, EventPrice):
        amounts = [amount for used in usage for amount in used.event_amounts or ()]
        units = Decimal(len(amounts)) if isinstance(price, DynamicPrice) else sum(amounts, ZERO)
        return units, rate_events(price, amounts)
    held = [one for used in usage for one in used.held or ()]
    if charge.prorated and held and isinstance(price, ProratedPrice):
        return _rated_by_days(price, held)
    units = charge.metric.rounded(_together(charge.metric.aggregation, [_units(charge, used) for used in usage]))
    return units, rate(price, units)


def _rated_by_days(price: ProratedPrice, held: Sequence[HeldUnits]) -> tuple[Decimal, Rating]:
    """Return the units by the days they were held, and what they come to."""
    tally = ProratedTally(price, held[0].of_days)
    for one in sorted(held, key=lambda change: change.at):
        tally.add(one.units, one.days)
    return tally.units, tally.rating()


def _together(aggregation: str, parts: Sequence[Decimal]) -> Decimal:
    """Return the units of several values of a dimension together."""
    match aggregation:
        case Aggregation.MAX:
            return max(parts, default=ZERO)
        case Aggregation.LATEST:
            return parts[-1] if parts else ZERO
    return sum(parts, ZERO)


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

"""What usage comes to on a plan that need not charge all of it, and on another plan beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from catalog.errors import EventAmountsNeeded
from catalog.matching import charge_for
from catalog.models import PRICED_BY_EVENT, Charge, ChargeModel, RatePlan
from catalog.queries.charges import charges_of
from catalog.queries.prices import PlanPrice, UnitsUsed, price_of_usage


def plan_price(plan: RatePlan, usage: Sequence[UnitsUsed]) -> PlanPrice:
    """
    Return what ``usage`` comes to on ``plan``; what no charge claims costs nothing and is named.

    Raises:
        EventAmountsNeeded: a charge prices each event, and only units are given; ``param`` counts in ``usage``.
    """
    claimants = claimants_of(charges_of(plan.pk), usage)
    charged = [position for position, claimant in enumerate(claimants) if claimant is not None]
    for position in charged:
        claimant = claimants[position]
        if claimant is not None and claimant.model in PRICED_BY_EVENT and usage[position].event_amounts is None:
            raise EventAmountsNeeded(param=f"usage[{position}].event_amounts", model=claimant.model)
    uncharged = [position for position, claimant in enumerate(claimants) if claimant is None]
    return replace(price_of_usage(plan, [usage[position] for position in charged]), uncharged=uncharged)


def claimants_of(charges: Sequence[Charge], usage: Sequence[UnitsUsed]) -> list[Charge | None]:
    """Return the charge of a plan's ``charges`` that each of ``usage`` belongs to; None where none claims it."""
    return [
        charge_for([charge for charge in charges if charge.metric_id == used.metric], used.dimensions) for used in usage
    ]


def priced_property(charge: Charge | None) -> str | None:
    """Return the event property that a charge takes its event amounts from; None where units suffice for it."""
    if charge is None or charge.model not in PRICED_BY_EVENT:
        return None
    if charge.model == ChargeModel.DYNAMIC:
        return str(charge.properties["property"])
    return charge.metric.property


def difference(price: PlanPrice, other: PlanPrice) -> Decimal:
    """Return how much more (or, below 0, less) is billed for a period at ``price`` than at ``other``."""
    return price.total - other.total


def price_otherwise(plan: RatePlan, other: RatePlan, usage: Sequence[UnitsUsed]) -> PlanPrice:
    """
    Return what ``usage``, given as ``plan`` prices it, comes to on ``other``.

    Raises:
        EventAmountsNeeded: ``other`` prices some of it event by event, and only units are given, or event amounts that
            ``plan`` takes from another property of the events.
    """
    mine, others = (claimants_of(charges_of(one.pk), usage) for one in (plan, other))
    for position, (charge, counterpart) in enumerate(zip(mine, others, strict=True)):
        asked, given = priced_property(counterpart), priced_property(charge)
        if counterpart is not None and asked is not None and given is not None and asked != given:
            raise EventAmountsNeeded(param=f"usage[{position}].event_amounts", model=counterpart.model)
    return plan_price(other, usage)

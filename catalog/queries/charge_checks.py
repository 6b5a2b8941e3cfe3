"""Flaws of single charges and of the charges of one metric: prices that cannot be, gaps, overlaps, cliffs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from catalog.charge_fits import misfit
from catalog.flaws import Flaw, Severity
from catalog.matching import could_tie
from catalog.models import Charge, RatePlan
from catalog.pricing import (
    DynamicPrice,
    GraduatedPrice,
    InvalidPrice,
    PackagePrice,
    PercentagePrice,
    Price,
    StandardPrice,
    VolumePrice,
    parse_price,
    rate,
)
from config.kernel.money import display_money, plain

#: The least that usage can grow by.
FINEST = Decimal("1e-12")
#: The longest value that a dimension is kept with.
LONGEST_VALUE = 255
#: What JSON's true and false never arrive as: dimensions are kept as Python prints them.
UNPRINTED = {"true": "True", "false": "False"}


def charge_flaws(plan: RatePlan, charges: Sequence[Charge]) -> Iterator[Flaw]:
    """Yield the flaws of a plan's ``charges``, which come with their metrics in their order."""
    by_metric: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        by_metric[charge.metric_id].append(charge)
        yield from _price_flaws(plan, charge)
        yield from _match_flaws(plan, charge)
    for of_metric in by_metric.values():
        yield from _overlaps(plan, of_metric)
        yield from _gaps(plan, of_metric)


def named(charge: Charge) -> str:
    """Return how a sentence names a charge: its place and what it charges."""
    return f"charge {charge.position} ({charge.name or charge.metric.name})"


def _price_flaws(plan: RatePlan, charge: Charge) -> Iterator[Flaw]:
    try:
        price = parse_price(charge.model, charge.properties)
    except InvalidPrice as error:
        yield _flaw(
            plan, "price_unreadable", Severity.ERROR, f"The price of {named(charge)} cannot be computed: {error}",
            "Correct the price in a new version and move the subscriptions to it.",
        )  # fmt: skip
        return
    found = misfit(charge.metric, model=charge.model, properties=charge.properties, prorated=charge.prorated)
    if found is not None:
        yield _flaw(
            plan, "charge_unfit_for_metric", Severity.ERROR,
            f"{named(charge)} does not fit its metric: {found.reason}.",
            "Charge another metric, or price this one otherwise.",
        )  # fmt: skip
    if costs_nothing(price) and not charge.minimum_amount:
        yield _flaw(
            plan, "charge_costs_nothing", Severity.HINT, f"All prices of {named(charge)} are 0.",
            "Leave it so if the usage is meant to be free; else set a price.",
        )  # fmt: skip
    if isinstance(price, GraduatedPrice | VolumePrice):
        yield from _free_tiers(plan, charge, price)
    if isinstance(price, VolumePrice):
        yield from _cliffs(plan, charge, price)


def costs_nothing(price: Price) -> bool:
    """Tell whether no usage would ever cost anything."""
    if isinstance(price, StandardPrice):
        return not price.unit_amount
    if isinstance(price, PackagePrice):
        return not price.amount
    if isinstance(price, PercentagePrice):
        return not (price.rate_percent or price.fixed_amount or price.minimum_per_event)
    if isinstance(price, DynamicPrice):
        return not price.multiplier
    return not any(tier.unit_amount or tier.flat_amount for tier in price.tiers)


def _free_tiers(plan: RatePlan, charge: Charge, price: GraduatedPrice | VolumePrice) -> Iterator[Flaw]:
    """Yield the tiers that are free between tiers that are not."""
    paid = [bool(tier.unit_amount or tier.flat_amount) for tier in price.tiers]
    for number, is_paid in enumerate(paid, start=1):
        if not is_paid and any(paid[: number - 1]) and any(paid[number:]):
            yield _flaw(
                plan, "free_tier_between", Severity.WARNING,
                f"Tier {number} of {named(charge)} is free, between tiers that are not.",
                "Set its price, or let the free units come first.",
            )  # fmt: skip


def _cliffs(plan: RatePlan, charge: Charge, price: VolumePrice) -> Iterator[Flaw]:
    """Yield the bounds above which all units together cost less than at the bound."""
    for tier in price.tiers[:-1]:
        bound = tier.up_to or Decimal(0)
        at, above = rate(price, bound).amount, rate(price, bound + FINEST).amount
        if above < at:
            costs = [display_money(one, plan.currency) for one in (at, rate(price, bound + 1).amount)]
            yield _flaw(
                plan, "volume_cliff", Severity.WARNING,
                f"With {named(charge)} more usage costs less: {plain(bound):,f} units come to {costs[0]}, "
                f"{plain(bound + 1):,f} to {costs[1]}.",
                "Price the units of each tier for themselves (graduated), or choose bounds and prices that meet.",
            )  # fmt: skip


def _match_flaws(plan: RatePlan, charge: Charge) -> Iterator[Flaw]:
    """Yield the limits that no event can fulfil, wholly or in a value."""
    for name, values in charge.match.items():
        if name not in charge.metric.dimensions or not values:
            why = "names no value" if name in charge.metric.dimensions else "is no dimension of the metric"
            yield _flaw(
                plan, "charge_never_claims", Severity.ERROR,
                f"No usage can ever reach {named(charge)}: its limit “{name}” {why}.",
                "Limit it by a dimension that the metric is kept by, or remove it.",
            )  # fmt: skip
        for value in values:
            if len(value) > LONGEST_VALUE or value in UNPRINTED:
                instead = f"“{UNPRINTED[value]}”" if value in UNPRINTED else f"its first {LONGEST_VALUE} characters"
                yield _flaw(
                    plan, "value_never_arrives", Severity.WARNING,
                    f"The value “{value[:40]}” of “{name}” in {named(charge)} never arrives as it is written.",
                    f"Write {instead} instead.",
                )  # fmt: skip


def _overlaps(plan: RatePlan, charges: Sequence[Charge]) -> Iterator[Flaw]:
    for position, charge in enumerate(charges):
        for other in charges[position + 1 :]:
            if could_tie(charge.match, other.match):
                yield _flaw(
                    plan, "charges_overlap", Severity.ERROR,
                    f"Some usage belongs to {named(charge)} and {named(other)} with equal right.",
                    "Limit one of them further, or remove it.",
                )  # fmt: skip


def _gaps(plan: RatePlan, charges: Sequence[Charge]) -> Iterator[Flaw]:
    """Yield that a metric is charged for some values only."""
    if all(charge.match for charge in charges):
        names = ", ".join(sorted({name for charge in charges for name in charge.match}))
        yield _flaw(
            plan, "usage_without_charge", Severity.WARNING,
            f"Every charge on {charges[0].metric.name} is limited by {names}: usage with another value costs nothing.",
            "Add a charge without a limit; it takes whatever the others leave.",
        )  # fmt: skip


def _flaw(plan: RatePlan, code: str, severity: Severity, message: str, advice: str) -> Flaw:
    return Flaw(code=code, severity=severity, about=plan, message=message[:1].upper() + message[1:], advice=advice)

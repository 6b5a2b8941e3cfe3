"""Invoice lines: amounts of one period of one subscription, rounded once, with how they came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from billing.models import LineKind
from billing.proration import prorate
from billing.rating import RatedCharge
from catalog.models import Charge
from catalog.pricing import Rating, TierAmount
from config.kernel.money import EXACT, plain, round_money
from customers.models import Subscription
from customers.periods import Period, first_instant_of_day, local_days

#: A tier as JSON.
TierDocument = dict[str, str | int | None]


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """A line to be written: ``amount`` rounded to the currency, ``tiers`` as JSON."""

    kind: LineKind
    description: str
    subscription: Subscription
    charge: Charge | None
    units: Decimal
    amount: Decimal
    period: Period
    tiers: list[TierDocument] = field(default_factory=list)


def base_line(
    subscription: Subscription, period: Period, whole: Period, *, ends_in_change: bool = False
) -> NewLine | None:
    """
    Return the base fee for the days of ``whole`` that ``period`` touches; None for a plan without one.

    The day of a termination is paid. With ``ends_in_change`` another plan begins where ``period`` ends, and that whole
    day belongs to it; None also where no day is left.
    """
    plan, timezone = subscription.plan, subscription.customer.timezone
    paid = period.clip(whole.start, whole.end)
    if ends_in_change and paid is not None:
        paid = paid.clip(None, first_instant_of_day(period.end, timezone))
    if not plan.amount or paid is None:
        return None
    amount = round_money(prorate(plan.amount, used=paid, whole=whole, timezone=timezone), plan.currency)
    days, of = (local_days(span.start, span.end, timezone) for span in (paid, whole))
    part = "" if days == of else f" ({days} of {of} days)"
    return NewLine(
        kind=LineKind.BASE,
        description=f"{plan}{part}",
        subscription=subscription,
        charge=None,
        units=Decimal(1),
        amount=amount,
        period=period,
    )


def usage_lines(subscription: Subscription, period: Period, rated: Sequence[RatedCharge]) -> list[NewLine]:
    """Return a line for each charge that was used or costs something without use."""
    return [
        NewLine(
            kind=LineKind.USAGE,
            description=describe(one.charge),
            subscription=subscription,
            charge=one.charge,
            units=one.units,
            amount=round_money(one.rating.amount, subscription.plan.currency),
            period=period,
            tiers=tier_document(one.rating),
        )
        for one in rated
        if one.units or one.rating.amount
    ]


def late_line(
    subscription: Subscription, period: Period, rated: RatedCharge, *, billed_units: Decimal, billed: Decimal
) -> NewLine | None:
    """Return what a charge of a ``period`` billed before comes to beyond what it was ``billed``; None for nothing."""
    # Late units can make a volume price cheaper; an invoice takes nothing back, so the line is then about units only.
    amount = max(round_money(rated.rating.amount, subscription.plan.currency) - billed, Decimal(0))
    if not amount and rated.units == billed_units:
        return None
    return NewLine(
        kind=LineKind.LATE_USAGE,
        description=f"{describe(rated.charge)} (late, {period.start:%Y-%m-%d})",
        subscription=subscription,
        charge=rated.charge,
        units=EXACT.subtract(rated.units, billed_units),
        amount=amount,
        period=period,
        tiers=tier_document(rated.rating),
    )


def describe(charge: Charge) -> str:
    """Return what a line of ``charge`` is called: its own name, else its metric's with the values it is limited to."""
    limits = ", ".join(value for values in charge.match.values() for value in values)
    return charge.name or (f"{charge.metric.name} ({limits})" if limits else charge.metric.name)


def tier_document(rating: Rating) -> list[TierDocument]:
    """Return the tiers of ``rating`` as JSON, numbers as decimal strings, but for the count of ``events``."""
    return [_tier(tier) for tier in rating.tiers]


def _tier(tier: TierAmount) -> TierDocument:
    document: TierDocument = {
        "above": _text(tier.above),
        "up_to": _text(tier.up_to),
        "units": _text(tier.units),
        "unit_amount": _text(tier.unit_amount),
        "flat_amount": _text(tier.flat_amount),
        "package_size": _text(tier.package_size),
        "amount": _text(tier.amount),
    }
    # Of the other prices, whose tiers are not of events, nothing is said about any.
    return document if tier.events is None else {**document, "events": tier.events}


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{plain(number):f}"

"""Invoice lines: amounts of one period of one subscription, rounded once, with how they came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from billing.models import LineKind
from billing.proration import PaidDays
from billing.rating import RatedCharge
from catalog.models import Charge
from catalog.pricing import Rating, TierAmount, settle_period
from catalog.terms import charge_name
from config.kernel.money import display_money, plain, round_money
from customers.models import Subscription
from customers.periods import Period

#: A line says more than what its charge is called, and all of it fits into the column.
LONGEST_NAME = 300

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


def period_lines(
    subscription: Subscription, period: Period, days: PaidDays, rated: Sequence[RatedCharge]
) -> list[NewLine]:
    """
    Return what ``period`` comes to: the base fee, each charge's usage and true-up, and the true-up of them all.

    Minimums are measured by the ``days`` that the base fee is paid for. The maximum spend holds for a part of a period
    too; usage beyond it costs nothing.
    """
    plan = subscription.plan
    amounts = [(one.charge, one.rating.amount) for one in rated]
    settled = settle_period(plan, amounts, share_of=days.share_of)
    lines = [base_line(subscription, period, days, settled.base)] if plan.amount and days.paid else []
    for one, due in zip(rated, settled.charges, strict=True):
        if one.units or one.rating.amount:
            lines.append(usage_line(subscription, period, one, due.usage))
        if due.true_up:
            least = one.charge.minimum_amount
            lines.append(_true_up(subscription, period, days, due.true_up, least=least, charge=one.charge))
    if settled.true_up:
        least = plan.minimum_commitment or Decimal(0)
        lines.append(_true_up(subscription, period, days, settled.true_up, least=least))
    return lines


def base_line(subscription: Subscription, period: Period, days: PaidDays, amount: Decimal) -> NewLine:
    """Return the base fee for ``days``, which comes to ``amount``."""
    return NewLine(
        kind=LineKind.BASE,
        description=f"{subscription.plan}{days}",
        subscription=subscription,
        charge=None,
        units=Decimal(1),
        amount=amount,
        period=period,
    )


def usage_line(subscription: Subscription, period: Period, rated: RatedCharge, amount: Decimal) -> NewLine:
    """Return what a charge was used, of which ``amount`` is billed."""
    plan = subscription.plan
    whole = round_money(rated.rating.amount, plan.currency)
    uncut = f" ({display_money(whole, plan.currency)} before the maximum spend)" if amount < whole else ""
    return NewLine(
        kind=LineKind.USAGE,
        description=f"{describe(rated.charge)}{uncut}",
        subscription=subscription,
        charge=rated.charge,
        units=rated.units,
        amount=amount,
        period=period,
        tiers=tier_document(rated.rating),
    )


def _true_up(
    subscription: Subscription,
    period: Period,
    days: PaidDays,
    amount: Decimal,
    *,
    least: Decimal,
    charge: Charge | None = None,
) -> NewLine:
    """Return what is missing to ``least`` a period: the minimum of ``charge``, or without one that of the plan."""
    what = f"minimum of {describe(charge)}" if charge else f"minimum commitment of {subscription.plan}"
    return NewLine(
        kind=LineKind.TRUE_UP,
        description=f"True-up to the {what}: {display_money(least, subscription.plan.currency)}{days}",
        subscription=subscription,
        charge=charge,
        units=Decimal(1),
        amount=amount,
        period=period,
    )


def describe(charge: Charge) -> str:
    """Return what a line of ``charge`` is called: as the charge is, cut to what fits into the column with the rest."""
    name = charge_name(charge)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


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

"""Lines for late usage: what a period that was billed before comes to beyond what was billed for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from billing.lines import NewLine, describe, tier_document
from billing.models import InvoiceLine, LineKind
from billing.rating import RatedCharge
from catalog.pricing import maximum_of, settle_late
from config.kernel.money import EXACT, ZERO, round_money
from customers.models import Subscription
from customers.periods import Period


def _by_charge() -> dict[str, Decimal]:
    return defaultdict(Decimal)


@dataclass(kw_only=True)
class Billed:
    """What was billed for a period so far, on all invoices; the dictionaries are by charge."""

    units: dict[str, Decimal] = field(default_factory=_by_charge)
    usage: dict[str, Decimal] = field(default_factory=_by_charge)
    true_ups: dict[str, Decimal] = field(default_factory=_by_charge)
    #: The true-up to the minimum commitment.
    true_up: Decimal = ZERO
    total: Decimal = ZERO

    @classmethod
    def add_up(cls, lines: Iterable[InvoiceLine]) -> Billed:
        """Add ``lines`` of one period up."""
        billed = cls()
        for line in lines:
            billed.total += line.amount
            if line.kind in {LineKind.USAGE, LineKind.LATE_USAGE}:
                billed.units[line.charge_id] += line.units
                billed.usage[line.charge_id] += line.amount
            elif line.kind == LineKind.TRUE_UP and line.charge_id:
                billed.true_ups[line.charge_id] += line.amount
            elif line.kind == LineKind.TRUE_UP:
                billed.true_up += line.amount
        return billed


def late_lines(
    subscription: Subscription, period: Period, rated: Sequence[RatedCharge], billed: Billed
) -> list[NewLine]:
    """
    Return what each charge of a ``period`` billed before comes to beyond what was ``billed``; none for nothing.

    True-ups that were billed pay for late usage first, that of a charge for its own. Nothing goes beyond the maximum.
    """
    # Late units can make a volume price cheaper; an invoice takes nothing back, so the line is then about units only.
    beyond = [max(_rounded(one, subscription) - billed.usage[one.charge.id], ZERO) for one in rated]
    uncovered = [max(amount - billed.true_ups[one.charge.id], ZERO) for one, amount in zip(rated, beyond, strict=True)]
    maximum = maximum_of(subscription.plan)
    room = None if maximum is None else maximum - billed.total
    amounts = settle_late(uncovered, covered=billed.true_up, room=room)
    is_cut = room is not None and sum(amounts, ZERO) >= room
    cut = "up to the maximum spend" if is_cut else "less what the minimum billed covers"
    return [
        NewLine(
            kind=LineKind.LATE_USAGE,
            description=f"{describe(one.charge)} (late, {period.start:%Y-%m-%d}{f', {cut}' if amount < whole else ''})",
            subscription=subscription,
            charge=one.charge,
            units=EXACT.subtract(one.units, billed.units[one.charge.id]),
            amount=amount,
            period=period,
            tiers=tier_document(one.rating),
        )
        for one, whole, amount in zip(rated, beyond, amounts, strict=True)
        if amount or one.units != billed.units[one.charge.id]
    ]


def _rounded(rated: RatedCharge, subscription: Subscription) -> Decimal:
    return round_money(rated.rating.amount, subscription.plan.currency)

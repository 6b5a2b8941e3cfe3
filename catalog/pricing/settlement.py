"""Settle periods: what one comes to once its usage is held to the minimums and the maximum of its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.models import Charge, RatePlan
from catalog.pricing.ratings import ZERO
from config.kernel.money import round_money


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the usage of a charge was rated at, and what the charge comes to at least; both rounded."""

    rated: Decimal
    minimum: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDue:
    """What is billed of a charge: for its usage, and as a true-up to its minimum."""

    usage: Decimal
    true_up: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """
    What is billed of a period: the ``base`` fee, each charge in their order, the true-up to the minimum commitment.

    ``capped`` is what the maximum takes off the usage; all amounts are rounded.
    """

    base: Decimal
    charges: list[ChargeDue]
    true_up: Decimal
    capped: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What all of it comes to."""
        return self.base + sum((due.usage + due.true_up for due in self.charges), ZERO) + self.true_up


def whole(amount: Decimal) -> Decimal:
    """Return ``amount``: the share of it that a whole period has."""
    return amount


def settle_period(
    plan: RatePlan, rated: Sequence[tuple[Charge, Decimal]], *, share_of: Callable[[Decimal], Decimal] = whole
) -> Settlement:
    """
    Return what is billed of a period in which the charges of ``plan`` were ``rated`` at these amounts, unrounded.

    ``share_of`` says which part of an amount for a whole period is due; base fee and minimums are measured by it. The
    maximum spend holds for a part of a period too.
    """

    def rounded(amount: Decimal) -> Decimal:
        return round_money(amount, plan.currency)

    return settle(
        rounded(share_of(plan.amount)),
        [Use(rated=rounded(amount), minimum=rounded(share_of(charge.minimum_amount))) for charge, amount in rated],
        minimum=rounded(share_of(plan.minimum_commitment or ZERO)),
        maximum=maximum_of(plan),
    )


def maximum_of(plan: RatePlan) -> Decimal | None:
    """Return the most that a period of ``plan`` comes to, rounded to its currency; None where there is no bound."""
    return None if plan.maximum_spend is None else round_money(plan.maximum_spend, plan.currency)


def settle(base: Decimal, uses: Sequence[Use], *, minimum: Decimal, maximum: Decimal | None) -> Settlement:
    """
    Return what a period comes to with its ``base`` fee, when ``minimum`` and ``maximum`` hold for all together.

    All amounts are rounded to the currency, not negative, and ``maximum`` (None for none) is not below ``base`` and
    ``minimum``. Usage and true-ups of the charges are billed in their order until the maximum is reached.
    """
    wanted = (amount for use in uses for amount in (use.rated, max(use.minimum - use.rated, ZERO)))
    amounts = list(_within(wanted, None if maximum is None else maximum - base))
    usage, true_ups = amounts[::2], amounts[1::2]
    return Settlement(
        base=base,
        charges=[ChargeDue(usage=one, true_up=more) for one, more in zip(usage, true_ups, strict=True)],
        true_up=max(minimum - base - sum(amounts, ZERO), ZERO),
        capped=sum((use.rated for use in uses), ZERO) - sum(usage, ZERO),
    )


def settle_late(more: Sequence[Decimal], *, covered: Decimal, room: Decimal | None) -> list[Decimal]:
    """
    Return what is to be billed of late usage that makes charges come to ``more`` than was billed of each.

    ``covered`` is the true-up to the minimum commitment: that much of it is paid already. ``room`` is what is left up
    to the maximum spend, None without one. Late usage is always taken whole, what was covered before included, so that
    it does not matter in how many parts it came.
    """
    left = max(sum(more, ZERO) - covered, ZERO)
    return list(_within(more, left if room is None else min(left, max(room, ZERO))))


def _within(amounts: Iterable[Decimal], room: Decimal | None) -> Iterator[Decimal]:
    """Yield ``amounts``, the last of them cut so that all together go no further than ``room``."""
    for amount in amounts:
        taken = amount if room is None else min(amount, room)
        yield taken
        room = None if room is None else room - taken

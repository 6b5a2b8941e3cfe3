"""Settlement: what a period comes to once its usage is held to the minimums and the maximum of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


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
    """What is billed of each charge, in their order, and the true-up of the period to the minimum commitment."""

    charges: list[ChargeDue]
    true_up: Decimal


def settle(base: Decimal, uses: Sequence[Use], *, minimum: Decimal, maximum: Decimal | None) -> Settlement:
    """
    Return what a period comes to beside its ``base`` fee, when ``minimum`` and ``maximum`` hold for all together.

    All amounts are rounded to the currency, not negative, and ``maximum`` (None for none) is not below ``base`` and
    ``minimum``. Usage and true-ups of the charges are billed in their order until the maximum is reached.
    """
    wanted = (amount for use in uses for amount in (use.rated, max(use.minimum - use.rated, ZERO)))
    amounts = list(_within(wanted, None if maximum is None else maximum - base))
    return Settlement(
        charges=[
            ChargeDue(usage=usage, true_up=true_up) for usage, true_up in zip(amounts[::2], amounts[1::2], strict=True)
        ],
        true_up=max(minimum - base - sum(amounts, ZERO), ZERO),
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

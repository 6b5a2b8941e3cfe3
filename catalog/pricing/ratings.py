"""Show an amount tier by tier, so that an operator can follow how it came about."""

from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

ZERO = Decimal(0)

# A price has up to 30 digits and prorated units up to 60, so their products and sums stay below 120 digits;
# Inexact is trapped because an amount that had to be rounded here would be wrong without anybody noticing.
EXACT = Context(prec=120, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True)
class TierAmount:
    """
    What one tier contributes: ``units`` of it, priced, plus its flat amount, is ``amount``.

    The tier spans (``above``, ``up_to``], in units; ``up_to`` is None in an open tier. ``units`` are the units priced
    here: those inside the tier, or for a volume price the whole quantity. ``unit_amount`` is per unit, or per started
    package of ``package_size`` units where that is given. Where events are priced one by one, ``events`` says how many
    these are, and the flat amount is that of them all. Amounts are in currency units, unrounded.
    """

    above: Decimal
    up_to: Decimal | None
    units: Decimal
    unit_amount: Decimal
    flat_amount: Decimal
    amount: Decimal
    package_size: Decimal | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """
    The amount in currency units, unrounded, and the tiers that were reached, lowest first.

    The tiers' amounts add up to ``amount`` and their units to the units rated; nothing to bill has no tiers. Where
    events are priced one by one the tiers are the events that are priced alike.
    """

    amount: Decimal
    tiers: tuple[TierAmount, ...]


def sum_up(tiers: list[TierAmount]) -> Rating:
    """Add the tiers' amounts up to a rating."""
    return Rating(amount=sum((tier.amount for tier in tiers), ZERO), tiers=tuple(tiers))


def started_packages(units: Decimal, package_size: Decimal) -> Decimal:
    """Count the packages that ``units`` (not negative) begin; the last one counts whole."""
    full, rest = divmod(units, package_size)
    return full + 1 if rest else full

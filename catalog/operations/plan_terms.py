"""Terms of a rate plan that bind each other: what a period comes to at least and at most, and the limits."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.errors import LimitsNotUsable
from catalog.limits import InvalidLimits, parse_limits
from catalog.models import RatePlan
from config.kernel.errors import Invalid
from config.kernel.money import display_money


def limits_asked(limits: Mapping[str, object]) -> dict[str, int]:
    """
    Return the limits as a plan keeps them, without those that are None.

    Raises:
        LimitsNotUsable: they cannot be meant.
    """
    try:
        return parse_limits(limits)
    except InvalidLimits as error:
        raise LimitsNotUsable(param=f"limits.{error.param}", reason=str(error)) from error


def refuse_terms(plan: RatePlan) -> None:
    """
    Refuse a maximum spend that the plan's other terms already go beyond.

    Raises:
        Invalid: it is 0, below the base fee, or below the minimum commitment.
    """
    most, least = plan.maximum_spend, plan.minimum_commitment
    if most is None:
        return
    if most <= 0:
        raise Invalid("maximum_spend", "A maximum spend must be above 0; without one there is no maximum")
    for what, amount in (("base fee", plan.amount), ("minimum commitment", least)):
        if amount is not None and most < amount:
            raise Invalid(
                "maximum_spend",
                f"The maximum spend must not be below the {what} of {display_money(amount, plan.currency)}",
            )

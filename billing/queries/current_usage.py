"""Current usage: what the running period of each subscription comes to so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from billing.queries.rating import rate_period
from billing.rating import RatedCharge
from config.kernel.money import EXACT
from customers.models import Customer, Subscription
from customers.periods import Period
from customers.queries.periods import current_period


@dataclass(frozen=True, kw_only=True)
class CurrentUsage:
    """
    The charges of one subscription in its running period, as rated; ``amount`` is unrounded, without the base fee.

    Minimums and the maximum spend are settled when the period is over: ``amount`` may lie below or beyond them.
    """

    subscription: Subscription
    period: Period
    charges: list[RatedCharge]

    @property
    def amount(self) -> Decimal:
        """What all charges come to."""
        with localcontext(EXACT):
            return sum((one.rating.amount for one in self.charges), Decimal(0))


def current_usage(customer: Customer, *, now: datetime) -> list[CurrentUsage]:
    """Return the running period of each active subscription of ``customer``, oldest subscription first."""
    found = []
    active = Subscription.objects.active(now).filter(customer=customer).select_related("customer", "plan")
    for subscription in active.order_by("created_at", "id"):
        period = current_period(subscription, now)
        if period is not None:
            charges = rate_period(subscription, period)
            found.append(CurrentUsage(subscription=subscription, period=period, charges=charges))
    return found

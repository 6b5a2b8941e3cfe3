"""Take the part of an amount that belongs to a part of a period, by whole local days."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Protocol

from customers.models import Subscription
from customers.periods import Period, day_after, first_instant_of_day, local_days

# An amount has up to 30 digits; 60 leave the rounding of an endless fraction far behind the last decimal kept.
PRECISE = Context(prec=60)


class Span(Protocol):
    """Half-open stretch of time [``start``, ``end``), both aware; ``customers.periods.Period`` is one."""

    @property
    def start(self) -> datetime:
        """The first moment inside."""

    @property
    def end(self) -> datetime:
        """The first moment after."""


def prorate(amount: Decimal, *, used: Span | None, whole: Span, timezone: str) -> Decimal:
    """
    Return the amount times days used over days in the whole period, unrounded (60 digits), in the amount's unit.

    Days are calendar days in ``timezone`` that the span touches: the start's day counts, and so does the end's unless
    the span ends at its midnight. ``whole`` is the real period, never 30 days and never clipped to the subscription.
    ``used`` is None, as ``Period.clip`` answers, when nothing was used; that costs nothing.

    Raises:
        ValueError: ``used`` reaches outside ``whole``, ``whole`` is empty, a bound is naive, or the zone is unknown.
    """
    whole_days = local_days(whole.start, whole.end, timezone)
    if not whole_days:
        raise ValueError(f"The whole period has no days: {whole.start} to {whole.end}.")
    if used is None:
        return Decimal(0)
    used_days = local_days(used.start, used.end, timezone)
    if used.start < whole.start or used.end > whole.end:
        raise ValueError(f"{used.start} to {used.end} reaches outside the whole period.")
    return PRECISE.divide(PRECISE.multiply(amount, Decimal(used_days)), Decimal(whole_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidDays:
    """
    The days of a ``whole`` period for which a subscription pays base fee and minimums; ``paid`` is None without any.

    ``is_after_trial`` says that a trial took some of them.
    """

    paid: Period | None
    whole: Period
    timezone: str
    is_after_trial: bool = False

    def share_of(self, amount: Decimal) -> Decimal:
        """Return the part of ``amount``, which is for the whole period, that these days come to, unrounded."""
        return prorate(amount, used=self.paid, whole=self.whole, timezone=self.timezone)

    def __str__(self) -> str:
        whole = local_days(self.whole.start, self.whole.end, self.timezone)
        paid = local_days(self.paid.start, self.paid.end, self.timezone) if self.paid else 0
        after_trial = ", after the trial" if self.is_after_trial else ""
        return "" if paid == whole else f" ({paid} of {whole} days{after_trial})"


def paid_days(subscription: Subscription, period: Period, whole: Period, *, ends_in_change: bool = False) -> PaidDays:
    """
    Return the days of ``whole`` that ``period`` touches and that are paid; ``subscription`` is with customer and plan.

    The day of a termination is paid. With ``ends_in_change`` another plan begins where ``period`` ends, and that whole
    day belongs to it. Days of the trial are not paid; it is counted from the start of the first subscription in a line
    of plan changes, so that none begins again.
    """
    timezone, trial_days = subscription.customer.timezone, subscription.plan.trial_days
    paid = period.clip(whole.start, whole.end)
    if ends_in_change and paid is not None:
        paid = paid.clip(None, first_instant_of_day(period.end, timezone))
    if not trial_days or paid is None:
        return PaidDays(paid=paid, whole=whole, timezone=timezone)
    trial_until = day_after(subscription.anchor_at, trial_days, timezone)
    return PaidDays(
        paid=paid.clip(trial_until, None), whole=whole, timezone=timezone, is_after_trial=paid.start < trial_until
    )

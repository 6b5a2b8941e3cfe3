"""Take the part of an amount that belongs to a part of a period, by whole local days."""

from datetime import datetime
from decimal import Context, Decimal
from typing import Protocol

from customers.periods import local_days

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

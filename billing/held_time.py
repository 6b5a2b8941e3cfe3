"""The time that counts in a period: for how much of it something is held that comes at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from customers.periods import Period, local_days

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class HeldTime:
    """
    A period for what is held in it, as part of the ``whole`` period that its shares are taken of.

    ``period`` counts by the instant, so that a day of 23 or 25 hours is what it is; ``days`` is the part of it that
    counts by local days, where it is another (the day of a change of plan belongs to the new one). Either is None where
    nothing counts.
    """

    period: Period | None
    whole: Period
    days: Period | None
    timezone: str

    @property
    def whole_time(self) -> Decimal:
        """The microseconds of the whole period."""
        return Decimal((self.whole.end - self.whole.start) // MICROSECOND)

    @property
    def whole_days(self) -> int:
        """The local days of the whole period."""
        return local_days(self.whole.start, self.whole.end, self.timezone)

    def time_left(self, moment: datetime) -> Decimal:
        """Return the microseconds from ``moment``, or from the start where that is earlier, to the end."""
        left = None if self.period is None else self.period.clip(moment, None)
        return Decimal(0) if left is None else Decimal((left.end - left.start) // MICROSECOND)

    def days_left(self, moment: datetime, *, after: bool = False) -> int:
        """Return the local days from that of ``moment`` on, or from the one ``after`` it, to the end."""
        left = None if self.days is None else self.days.clip(moment, None)
        if left is None:
            return 0
        days = local_days(left.start, left.end, self.timezone)
        return days - 1 if after and moment >= left.start else days

    def day_of(self, moment: datetime) -> date | None:
        """Return the local day of ``moment``; None before what counts by days begins."""
        if self.days is None or moment < self.days.start:
            return None
        return moment.astimezone(ZoneInfo(self.timezone)).date()

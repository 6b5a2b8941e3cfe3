"""
Compute billing periods from an anchor, in the customer's timezone.

A period's start is computed from the anchor each time, never from the period before, so month ends clamp without
drifting (31 Jan, 28 Feb, 31 Mar), and each period ends where the next one starts, so periods tile time.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from catalog.models import Interval
from customers.models import BillingTime

MICROSECOND = timedelta(microseconds=1)

# A month grid from 1 January meets every quarter and year start too; 5 January 1970 is a Monday.
CALENDAR_MONTH_ANCHOR = date(1970, 1, 1)
CALENDAR_WEEK_ANCHOR = date(1970, 1, 5)


MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """
    Half-open stretch of time [``start``, ``end``); both aware, UTC when this module made it.

    Raises:
        ValueError: a bound is naive, or the period would be empty.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse what is no stretch of time."""
        _require_aware(self.start, self.end)
        if self.end <= self.start:
            raise ValueError(f"A period must end after it starts: {self.start} to {self.end}.")

    def clip(self, start: datetime | None, end: datetime | None) -> "Period | None":
        """Return the part inside [``start``, ``end``), None for an open side; None when nothing is left."""
        first = self.start if start is None else max(self.start, start)
        last = self.end if end is None else min(self.end, end)
        return Period(first, last) if first < last else None


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    What periods are computed from.

    ``anchor`` is the subscription's start (aware), of which only the local date counts, and only for anniversary
    billing; ``timezone`` is an IANA name.

    Raises:
        ValueError: the timezone is unknown, or the anchor is naive.
    """

    interval: Interval
    billing_time: BillingTime
    anchor: datetime
    timezone: str

    def __post_init__(self) -> None:
        """Refuse what periods cannot be computed from."""
        _require_aware(self.anchor)
        _zone(self.timezone)


def period_at(schedule: Schedule, moment: datetime) -> Period:
    """
    Return the whole period that contains ``moment`` (aware), also before the anchor.

    Raises:
        ValueError: ``moment`` is naive.
    """
    return _period(schedule, _index_at(schedule, moment))


def periods_between(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Period]:
    """
    Yield the whole periods that share time with [``start``, ``end``), earliest first; none when that is empty.

    Raises:
        ValueError: a bound is naive.
    """
    _require_aware(start, end)
    if start >= end:
        return
    index = _index_at(schedule, start)
    while (period := _period(schedule, index)).start < end:
        yield period
        index += 1


def day_start(day: date, timezone: str) -> datetime:
    """
    Return the first instant of a local day, in UTC.

    Where midnight does not exist this is the first instant after the gap; where it comes twice, the first of the two.

    Raises:
        ValueError: the timezone is unknown.
    """
    zone = _zone(timezone)
    midnight = datetime.combine(day, time.min, zone)
    start = midnight.astimezone(UTC)
    if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    # Midnight lies in a gap. The clocks may have jumped before midnight already (Toronto in 1919 went from 23:30 to
    # 0:30), so the jump is looked for between midnight by the later offset and midnight by the earlier one.
    earliest = midnight.replace(fold=1).astimezone(UTC)
    seconds = range(int((start - earliest).total_seconds()))
    jump = bisect_left(seconds, 1, key=lambda second: _local_date(earliest + timedelta(seconds=second), zone) >= day)
    return earliest + timedelta(seconds=jump)


def first_instant_of_day(moment: datetime, timezone: str) -> datetime:
    """
    Return the first instant, in UTC, of the local day that ``moment`` (aware) lies in.

    Raises:
        ValueError: the moment is naive, or the timezone is unknown.
    """
    _require_aware(moment)
    return day_start(_local_date(moment, _zone(timezone)), timezone)


def day_after(moment: datetime, days: int, timezone: str) -> datetime:
    """
    Return the first instant, in UTC, of the local day that comes ``days`` after the one ``moment`` (aware) lies in.

    Raises:
        ValueError: the moment is naive, or the timezone is unknown.
    """
    _require_aware(moment)
    return day_start(_local_date(moment, _zone(timezone)) + timedelta(days=days), timezone)


def local_days(start: datetime, end: datetime, timezone: str) -> int:
    """
    Count the local calendar days that [``start``, ``end``) touches, 0 when it is empty.

    An end at local midnight does not touch the day it begins. A date that the zone left out when it crossed the date
    line (30 December 2011 in Apia) is no day; a 23- or 25-hour day is one.

    Raises:
        ValueError: a bound is naive, or the timezone is unknown.
    """
    _require_aware(start, end)
    zone = _zone(timezone)
    if start >= end:
        return 0
    first, last = _local_date(start, zone), _local_date(end - MICROSECOND, zone)
    # Clocks set back across midnight repeat the end of a day, so the last date can be the earlier one.
    days = max((last - first).days + 1, 1)
    return days - _left_out_days(first, days, zone)


def _index_at(schedule: Schedule, moment: datetime) -> int:
    """Return the number of the period that contains ``moment``, the one of the anchor being 0."""
    _require_aware(moment)
    day, origin = _local_date(moment, _zone(schedule.timezone)), _origin(schedule)
    if schedule.interval == Interval.WEEK:
        index = (day - origin).days // 7
    else:
        index = ((day.year - origin.year) * 12 + day.month - origin.month) // MONTHS[schedule.interval]
    # The date alone is a guess: the month may not have reached the anchor's day yet, and near a change of clocks the
    # period can begin on an instant of another date. The bounds themselves decide.
    while _start(schedule, index) > moment:
        index -= 1
    while _start(schedule, index + 1) <= moment:
        index += 1
    return index


def _period(schedule: Schedule, index: int) -> Period:
    """Return the period of that number."""
    return Period(_start(schedule, index), _start(schedule, index + 1))


def _start(schedule: Schedule, index: int) -> datetime:
    """Return the first instant of the period of that number."""
    origin = _origin(schedule)
    if schedule.interval == Interval.WEEK:
        return day_start(origin + timedelta(weeks=index), schedule.timezone)
    year, month = divmod(origin.year * 12 + origin.month - 1 + index * MONTHS[schedule.interval], 12)
    day = min(origin.day, monthrange(year, month + 1)[1])
    return day_start(date(year, month + 1, day), schedule.timezone)


def _origin(schedule: Schedule) -> date:
    """Return the local date on which period 0 starts."""
    if schedule.billing_time == BillingTime.ANNIVERSARY:
        return _local_date(schedule.anchor, _zone(schedule.timezone))
    return CALENDAR_WEEK_ANCHOR if schedule.interval == Interval.WEEK else CALENDAR_MONTH_ANCHOR


def _local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Return the date that the wall shows at ``moment``."""
    return moment.astimezone(zone).date()


def _left_out_days(first: date, days: int, zone: ZoneInfo) -> int:
    """Count the dates among ``days`` from ``first`` on that never were, which needs a jump by most of a day."""
    noons = [datetime.combine(first + timedelta(days=n), time(12), zone).astimezone(UTC) for n in (0, days)]
    if timedelta(days=days) - (noons[1] - noons[0]) < timedelta(hours=20):
        return 0
    dates = (first + timedelta(days=n) for n in range(days))
    return sum(_local_date(day_start(day, zone.key), zone) != day for day in dates)


def _require_aware(*moments: datetime) -> None:
    """Refuse a moment without an offset, whose place in time nobody knows."""
    for moment in moments:
        if moment.utcoffset() is None:
            raise ValueError(f"A moment must carry its UTC offset: {moment}.")


def _zone(name: str) -> ZoneInfo:
    """Return the timezone of that name; the library keeps it cached."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as cause:
        raise ValueError(f"{name!r} is not an IANA timezone.") from cause

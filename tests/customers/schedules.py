"""Make moments and schedules, for the tests of periods."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from catalog.models import Interval
from customers.models import BillingTime
from customers.periods import Schedule


def anniversary(interval: Interval, anchor: str, timezone: str = "UTC") -> Schedule:
    """Return an anniversary schedule."""
    return Schedule(interval, BillingTime.ANNIVERSARY, moment(anchor), timezone)


def month(day: date, timezone: str) -> Schedule:
    """Return a monthly anniversary schedule that is anchored on noon of a local day."""
    anchor = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(timezone))
    return Schedule(Interval.MONTH, BillingTime.ANNIVERSARY, anchor, timezone)


def moment(text: str) -> datetime:
    """Read a moment; a bare date is its midnight in UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def local_date(at: datetime, timezone: str) -> date:
    """Return the date on the wall."""
    return at.astimezone(ZoneInfo(timezone)).date()

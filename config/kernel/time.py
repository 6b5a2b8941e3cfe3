"""Time on the customer's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)


def hour_start(moment: datetime, zone: ZoneInfo) -> datetime:
    """
    Return when the hour that ``moment`` lies in began on the clock of ``zone``, in UTC.

    In India that is half past an hour of UTC; so an hour never straddles a local midnight.
    """
    shift = (moment.astimezone(zone).utcoffset() or timedelta()) % HOUR
    local = moment.astimezone(UTC) + shift
    return local.replace(minute=0, second=0, microsecond=0) - shift

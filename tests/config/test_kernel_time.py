"""Hours on the customer's clock: whole, half and quarter offsets, and the hours that clocks skip or repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.time import HOUR, hour_start

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
]
#: From 2012 on; until then Newfoundland changed its clocks a minute after midnight.
moments = st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "moment", "start"),
    [
        ("UTC", "2026-03-10T12:59:59.999999Z", "2026-03-10T12:00:00Z"),
        ("UTC", "2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
        ("Europe/Berlin", "2026-03-10T12:30:00Z", "2026-03-10T12:00:00Z"),
        # 18:30 UTC is midnight in India, 18:15 in Nepal.
        ("Asia/Kolkata", "2026-03-10T18:29:59Z", "2026-03-10T17:30:00Z"),
        ("Asia/Kolkata", "2026-03-10T18:30:00Z", "2026-03-10T18:30:00Z"),
        ("Asia/Kathmandu", "2026-03-10T18:14:59Z", "2026-03-10T17:15:00Z"),
        ("Asia/Kathmandu", "2026-03-10T18:15:00Z", "2026-03-10T18:15:00Z"),
        # Newfoundland is 3½ hours behind UTC.
        ("America/St_Johns", "2026-01-10T03:29:00Z", "2026-01-10T02:30:00Z"),
        # Berlin's clock shows 02:30 twice on this night; the two hours stay apart.
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z"),
    ],
)
def test_an_hour_begins_on_the_local_clock(zone: str, moment: str, start: str) -> None:
    assert hour_start(datetime.fromisoformat(moment), ZoneInfo(zone)) == datetime.fromisoformat(start)


@given(moments, st.sampled_from(ZONES))
def test_an_hour_holds_its_moment_and_begins_at_a_full_hour_of_the_clock(moment: datetime, zone: str) -> None:
    start = hour_start(moment, ZoneInfo(zone))

    assert start <= moment < start + HOUR
    assert hour_start(start, ZoneInfo(zone)) == start or straddles_a_change(start, zone)
    local = moment.astimezone(ZoneInfo(zone))
    assert moment - start == timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def straddles_a_change(start: datetime, zone: str) -> bool:
    """Tell whether the zone's offset changes within the hour from ``start``: Lord Howe moves by half an hour."""
    offsets = {moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in (start, start + HOUR)}
    return len(offsets) > 1


@given(moments, st.sampled_from(ZONES))
def test_no_hour_straddles_a_local_midnight(moment: datetime, zone: str) -> None:
    start = hour_start(moment, ZoneInfo(zone))

    assert moment.astimezone(ZoneInfo(zone)).date() == start.astimezone(ZoneInfo(zone)).date()

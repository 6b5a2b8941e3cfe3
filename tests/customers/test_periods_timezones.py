"""Prove that periods tile time and days are counted by the local calendar, in any timezone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.models import Interval
from customers.models import BillingTime
from customers.periods import Schedule, day_after, day_start, local_days, period_at, periods_between
from tests.customers.schedules import local_date, moment, month

ZONES = [
    "UTC", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe",
    "America/New_York", "Asia/Kolkata", "Europe/London", "America/St_Johns", "America/Havana", "Pacific/Chatham",
]  # fmt: skip

# Every 28th to 31st (so each 29 February) of years that hold all the zones' odd days, among them Apia's lost one.
FIRST_DAY, LAST_DAY = date(2008, 1, 1), date(2024, 12, 31)
EVERY_DAY = (FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
ANCHOR_DAYS = [day for day in EVERY_DAY if day.day >= 28]
FOUR_YEARS = timedelta(days=4 * 365 + 1)


@st.composite
def anchored(draw: st.DrawFn) -> tuple[datetime, datetime]:
    """Draw an anchor near a month's end and a moment within the 48 months after it."""
    second = draw(st.integers(0, 86_399))
    day = draw(st.sampled_from(ANCHOR_DAYS))
    anchor = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    return anchor, anchor + timedelta(seconds=draw(st.integers(0, int(FOUR_YEARS.total_seconds()) - 1)))


@pytest.mark.parametrize("timezone", ZONES)
@given(drawn=anchored(), interval=st.sampled_from(Interval), billing_time=st.sampled_from(BillingTime))
@example(
    drawn=(moment("2011-10-30"), moment("2011-12-30T10:00:00Z")),
    interval=Interval.MONTH,
    billing_time=BillingTime.ANNIVERSARY,
)
def test_periods_tile_time(
    timezone: str, drawn: tuple[datetime, datetime], interval: Interval, billing_time: BillingTime
) -> None:
    anchor, at = drawn
    schedule = Schedule(interval, billing_time, anchor, timezone)

    periods = list(periods_between(schedule, anchor, anchor + FOUR_YEARS))

    assert periods[0].start <= anchor < periods[0].end
    assert periods[-1].start < anchor + FOUR_YEARS <= periods[-1].end
    assert all(one.end == following.start for one, following in pairwise(periods))
    assert [period for period in periods if period.start <= at < period.end] == [period_at(schedule, at)]
    for period in (periods[0], periods[-1]):
        assert (
            period_at(schedule, period.start) == period_at(schedule, period.end - timedelta(microseconds=1)) == period
        )


@pytest.mark.parametrize("timezone", ZONES)
@given(drawn=anchored(), interval=st.sampled_from([Interval.MONTH, Interval.QUARTER, Interval.YEAR]))
def test_an_anniversary_starts_on_the_anchors_day_or_the_months_last(
    timezone: str, drawn: tuple[datetime, datetime], interval: Interval
) -> None:
    anchor, at = drawn
    day = local_date(anchor, timezone).day

    start = local_date(period_at(Schedule(interval, BillingTime.ANNIVERSARY, anchor, timezone), at).start, timezone)

    is_month_end = (start + timedelta(days=1)).day == 1
    is_lost_day_in_apia = timezone == "Pacific/Apia" and start == date(2011, 12, 31)
    assert start.day == day or (start.day < day and is_month_end) or is_lost_day_in_apia


@pytest.mark.parametrize("timezone", ZONES)
@given(drawn=anchored(), interval=st.sampled_from(Interval))
def test_the_days_before_and_after_a_local_midnight_add_up(
    timezone: str, drawn: tuple[datetime, datetime], interval: Interval
) -> None:
    anchor, at = drawn
    period = period_at(Schedule(interval, BillingTime.ANNIVERSARY, anchor, timezone), at)
    midnight = max(period.start, day_start(local_date(at, timezone), timezone))

    parts = local_days(period.start, midnight, timezone) + local_days(midnight, period.end, timezone)

    assert parts == local_days(period.start, period.end, timezone)


@pytest.mark.parametrize(
    ("day", "timezone", "first_instant"),
    [
        # Sources: the IANA time zone database's transitions.
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T01:00:00-02:00"),
        (date(2024, 3, 31), "Asia/Beirut", "2024-03-31T01:00:00+03:00"),
        (date(2023, 4, 28), "Africa/Cairo", "2023-04-28T01:00:00+03:00"),
        (date(1919, 3, 31), "America/Toronto", "1919-03-31T00:30:00-04:00"),
        (date(2024, 11, 3), "America/Havana", "2024-11-03T00:00:00-04:00"),
        (date(2018, 2, 18), "America/Sao_Paulo", "2018-02-18T00:00:00-03:00"),
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-31T00:00:00+14:00"),
        (date(2024, 3, 31), "Europe/London", "2024-03-31T00:00:00+00:00"),
    ],
)
def test_a_day_starts_at_its_first_existing_instant(day: date, timezone: str, first_instant: str) -> None:
    assert day_start(day, timezone) == datetime.fromisoformat(first_instant)


def test_a_period_starts_after_the_gap_where_midnight_does_not_exist() -> None:
    period = period_at(month(date(2024, 1, 31), "Asia/Beirut"), moment("2024-04-10"))

    assert period.start == datetime.fromisoformat("2024-03-31T01:00:00+03:00")
    assert local_days(period.start, period.end, "Asia/Beirut") == 30


@pytest.mark.parametrize(
    ("start", "end", "timezone", "days"),
    [
        ("2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z", "America/New_York", 1),
        ("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z", "America/New_York", 1),
        ("2024-05-01T22:00:00Z", "2024-05-01T22:00:00.000001Z", "Europe/Berlin", 1),
        ("2024-05-01T21:59:59.999999Z", "2024-05-01T22:00:00.000001Z", "Europe/Berlin", 2),
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z", "UTC", 0),
        ("2024-05-02T12:00:00Z", "2024-05-01T12:00:00Z", "UTC", 0),
        # Apia went from 29 to 31 December 2011.
        ("2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z", "Pacific/Apia", 30),
        ("2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z", "Pacific/Apia", 2),
        # St. John's went at 0:01 on 7 November 2010 back to 23:01 on the 6th: the later moment has the earlier date.
        ("2010-11-07T02:30:00Z", "2010-11-07T02:45:00Z", "America/St_Johns", 1),
    ],
)
def test_days_are_counted_by_the_local_calendar(start: str, end: str, timezone: str, days: int) -> None:
    assert local_days(moment(start), moment(end), timezone) == days


def test_a_clock_set_back_across_midnight_does_not_reopen_the_period_before() -> None:
    st_johns = month(date(2010, 10, 7), "America/St_Johns")

    period = period_at(st_johns, moment("2010-11-07T02:45:00Z"))

    assert local_date(moment("2010-11-07T02:45:00Z"), "America/St_Johns") == date(2010, 11, 6)
    assert period.start == moment("2010-11-07T02:30:00Z")


def test_a_week_that_began_before_the_clock_was_set_back_stays_begun() -> None:
    weekly = Schedule(Interval.WEEK, BillingTime.ANNIVERSARY, moment("2010-10-31T12:00:00Z"), "America/St_Johns")

    assert period_at(weekly, moment("2010-11-07T02:45:00Z")).start == moment("2010-11-07T02:30:00Z")


@pytest.mark.parametrize(
    ("at", "days", "timezone", "begins"),
    [
        ("2026-03-05T12:12:00Z", 10, "UTC", "2026-03-15T00:00:00Z"),
        ("2026-03-05T12:12:00Z", 0, "UTC", "2026-03-05T00:00:00Z"),
        ("2024-02-28T00:00:00Z", 2, "UTC", "2024-03-01T00:00:00Z"),
        # 23:30 of the day before in New York; the clocks go forward on 8 March.
        ("2026-03-06T04:30:00Z", 4, "America/New_York", "2026-03-09T04:00:00Z"),
        # Midnight of 4 November 2018 does not exist in São Paulo: that day begins at 1:00.
        ("2018-11-01T12:00:00Z", 3, "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ],
)
def test_days_after_a_moment_are_counted_by_the_local_calendar(at: str, days: int, timezone: str, begins: str) -> None:
    assert day_after(moment(at), days, timezone) == moment(begins)

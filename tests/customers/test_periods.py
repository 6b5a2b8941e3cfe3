"""Prove period boundaries against the worked examples, and that periods tile time in any timezone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from catalog.models import Interval
from customers.models import BillingTime
from customers.periods import Period, Schedule, local_days, period_at, periods_between
from tests.cases import Case, load_cases
from tests.customers.schedules import anniversary, local_date, moment

CASES = load_cases("periods")
INTERVALS = {
    "weekly": Interval.WEEK,
    "monthly": Interval.MONTH,
    "quarterly": Interval.QUARTER,
    "yearly": Interval.YEAR,
    "P1W": Interval.WEEK,
    "P1M": Interval.MONTH,
    "P1Y": Interval.YEAR,
}

# Durations as (interval, how many of it back to back).
DURATIONS = {
    "P1W": (Interval.WEEK, 1),
    "P1M": (Interval.MONTH, 1),
    "P6M": (Interval.MONTH, 6),
    "P-3M": (Interval.MONTH, 3),
    "P1Y": (Interval.YEAR, 1),
    "P2Y": (Interval.YEAR, 2),
}

SKIPPED = {
    "PER-duration-006": "mixes years, months, days and hours; a billing period is a whole number of one interval",
    "PER-dst-005": "counts the day that begins at an exclusive end; our ends at midnight do not touch the day",
}

USED = [case for case in CASES if case.id not in SKIPPED]


def cases_of(area: str) -> list[Case]:
    """Return the area's cases that are not skipped."""
    return [case for case in USED if case.area == area]


def schedule_of(raw: Mapping[str, Any]) -> Schedule:
    """Return the schedule that a case's ``given`` describes."""
    return Schedule(
        interval=INTERVALS[raw["interval"]],
        billing_time=BillingTime(raw["billing"]),
        anchor=moment(raw["subscription_start"]),
        timezone=raw.get("timezone", "UTC"),
    )


def before(schedule: Schedule, run: datetime) -> Period:
    """Return the period that ended last at or before ``run``: what a run in arrears bills."""
    return period_at(schedule, period_at(schedule, run).start - timedelta(microseconds=1))


def last_second(period: Period) -> datetime:
    """Return the period's end as the worked examples write it."""
    return period.end - timedelta(seconds=1)


def test_every_worked_example_is_used_or_left_out_with_a_reason() -> None:
    areas = ("boundaries", "duration", "dst", "billing_run", "anchor", "recurrence")

    assert {case.id for case in CASES} == {case.id for area in areas for case in cases_of(area)} | set(SKIPPED)


@pytest.mark.parametrize("case", cases_of("anchor"), ids=str)
def test_an_anchor_keeps_its_day_through_short_months(case: Case) -> None:
    schedule = schedule_of(case.given)
    expected = [moment(day) for day in case.expect.get("billing_days") or case.expect["billing_days_include"]]

    starts = [period.start for period in periods_between(schedule, expected[0], expected[-1] + timedelta(days=1))]

    assert [start for start in starts if start in expected or "billing_days" in case.expect] == expected
    for day in case.expect.get("no_bill_on", []):
        assert period_at(schedule, moment(day)).start != moment(day)


@pytest.mark.parametrize("case", cases_of("billing_run"), ids=str)
def test_a_period_starts_on_the_local_billing_day_only(case: Case) -> None:
    schedule, timezone = schedule_of(case.given), case.given["timezone"]

    def starts_today(run: str) -> bool:
        return local_date(period_at(schedule, moment(run)).start, timezone) == local_date(moment(run), timezone)

    assert not any(starts_today(run) for run in case.given["runs_before"])
    assert all(starts_today(run) for run in case.given["runs_on_the_day"])
    assert not any(starts_today(run) for run in case.given["runs_after"])
    assert len({period_at(schedule, moment(run)) for run in case.given["runs_on_the_day"]}) == 1


@pytest.mark.parametrize("case", [case for case in cases_of("boundaries") if "run_at" in case.given], ids=str)
def test_a_run_bills_the_period_that_ended_or_in_advance_the_one_that_begins(case: Case) -> None:
    schedule, run = schedule_of(case.given), moment(case.given["run_at"])
    ended = before(schedule, run)

    billed = period_at(schedule, run) if case.given["in_advance"] else ended

    seen = {
        "period": [billed.start, last_second(billed)],
        "period_start": billed.start,
        "period_end": last_second(billed),
        "usage_period_start": ended.start,
        "period_days": local_days(billed.start, billed.end, "UTC"),
    }
    for name, value in case.expect.items():
        expected = [moment(each) for each in value] if name == "period" else value
        assert seen[name] == (moment(expected) if isinstance(expected, str) else expected)


@pytest.mark.parametrize("case", [case for case in cases_of("boundaries") if "invoices" in case.expect], ids=str)
def test_usage_of_the_first_period_counts_from_the_start_of_the_subscription(case: Case) -> None:
    schedule = schedule_of(case.given)

    for day in case.expect["no_invoice_on"]:
        assert period_at(schedule, moment(day)).start != moment(day)
    for invoice in case.expect["invoices"]:
        fee = before(schedule, moment(invoice["run"]))
        usage = fee.clip(schedule.anchor, None)
        assert usage is not None
        assert [fee.start, last_second(fee)] == [moment(each) for each in invoice["fee_period"]]
        assert [usage.start, last_second(usage)] == [moment(each) for each in invoice["usage_period"]]


@pytest.mark.parametrize("case", cases_of("duration"), ids=str)
def test_periods_back_to_back_reach_as_far_as_the_duration(case: Case) -> None:
    interval, count = DURATIONS[case.given["duration"]]
    schedule = anniversary(interval, case.given["start"])
    # The source adds to a moment and keeps its hour; our periods start at local midnight, so the days are compared.
    first, last = sorted(moment(text[:10]) for text in (case.given["start"], case.expect["result"]))

    periods = list(periods_between(schedule, first, last))

    assert len(periods) == count
    assert (periods[0].start, periods[-1].end) == (first, last)


@pytest.mark.parametrize("case", cases_of("recurrence"), ids=str)
def test_the_period_that_holds_a_moment_is_found_from_the_anchor(case: Case) -> None:
    schedule = anniversary(INTERVALS[case.given["every"]], case.given["anchor"])

    period = period_at(schedule, moment(case.given["instant"]))

    assert (period.start, period.end) == (moment(case.expect["from"][:10]), moment(case.expect["to_exclusive"][:10]))


@pytest.mark.parametrize("case", cases_of("dst"), ids=str)
def test_days_touched_are_one_more_than_the_difference_of_the_dates(case: Case) -> None:
    days = local_days(moment(case.given["from"]), moment(case.given["to"]), case.given["timezone"])

    assert days == case.expect["date_difference"] + 1


def test_calendar_periods_ignore_the_anchor() -> None:
    at, anchor = moment("2024-05-16T12:00:00Z"), moment("2023-02-11")

    def starts(interval: Interval) -> date:
        return period_at(Schedule(interval, BillingTime.CALENDAR, anchor, "UTC"), at).start.date()

    assert starts(Interval.WEEK) == date(2024, 5, 13)
    assert starts(Interval.MONTH) == date(2024, 5, 1)
    assert starts(Interval.QUARTER) == date(2024, 4, 1)
    assert starts(Interval.YEAR) == date(2024, 1, 1)


def test_a_leap_day_anchor_returns_to_the_leap_day() -> None:
    yearly = anniversary(Interval.YEAR, "2024-02-29")

    starts = [period.start.date() for period in periods_between(yearly, moment("2024-03-01"), moment("2028-03-01"))]

    assert starts == [date(2024, 2, 29), *(date(year, 2, 28) for year in (2025, 2026, 2027)), date(2028, 2, 29)]


def test_the_anchors_day_is_the_local_one() -> None:
    kolkata = anniversary(Interval.MONTH, "2023-01-31T20:00:00Z", "Asia/Kolkata")

    assert period_at(kolkata, moment("2023-02-15")).start == moment("2023-01-31T18:30:00Z")


def test_periods_before_the_anchor_are_whole_ones_too() -> None:
    monthly = anniversary(Interval.MONTH, "2024-05-31")

    period = period_at(monthly, moment("2024-02-29"))

    assert (period.start, period.end) == (moment("2024-02-29"), moment("2024-03-31"))


def test_a_clipped_period_keeps_only_what_both_share() -> None:
    whole = Period(moment("2024-02-01"), moment("2024-03-01"))

    assert whole.clip(None, None) == whole
    assert whole.clip(moment("2024-02-10"), moment("2024-04-01")) == Period(moment("2024-02-10"), whole.end)
    assert whole.clip(moment("2024-01-01"), moment("2024-02-10")) == Period(whole.start, moment("2024-02-10"))
    assert whole.clip(whole.end, None) is None
    assert whole.clip(None, whole.start) is None


def test_no_period_shares_time_with_an_empty_stretch() -> None:
    monthly = anniversary(Interval.MONTH, "2024-01-31")

    assert list(periods_between(monthly, moment("2024-03-05"), moment("2024-03-05"))) == []


def test_a_moment_without_an_offset_is_refused() -> None:
    naive, monthly = datetime.fromisoformat("2024-01-01"), anniversary(Interval.MONTH, "2024-01-31")

    with pytest.raises(ValueError, match="offset"):
        period_at(monthly, naive)
    with pytest.raises(ValueError, match="offset"):
        local_days(naive, naive, "UTC")
    with pytest.raises(ValueError, match="offset"):
        list(periods_between(monthly, naive, naive))
    with pytest.raises(ValueError, match="offset"):
        Schedule(Interval.MONTH, BillingTime.CALENDAR, naive, "UTC")
    with pytest.raises(ValueError, match="end after"):
        Period(moment("2024-01-01"), moment("2024-01-01"))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "America"])
def test_an_unknown_timezone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        Schedule(Interval.MONTH, BillingTime.CALENDAR, moment("2024-01-01"), name)

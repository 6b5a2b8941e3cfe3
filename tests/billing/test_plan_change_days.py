"""The days of a change of plan: each is paid once, and the bills are those of the worked examples."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.lines import period_lines
from billing.operations.billing_runs import bill_due
from billing.proration import paid_days
from catalog.models import Interval, RatePlan
from customers.models import BillingTime, Customer, Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from customers.periods import Period, Schedule, period_at
from tests.billing.bills import metered, totals, use
from tests.billing.plan_changes import base_fees, usage_of
from tests.cases import Case, load_cases
from tests.factories import make_plan, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


ZONES = [
    "UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana",
    "Asia/Beirut", "Pacific/Apia", "Africa/Cairo", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Chatham",
]  # fmt: skip


@given(
    zone=st.sampled_from(ZONES),
    interval=st.sampled_from(list(Interval)),
    billing_time=st.sampled_from(list(BillingTime)),
    anchor=st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    after=st.timedeltas(timedelta(0), 2 * YEAR),
    again=st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_the_days_of_all_plans_of_a_period_add_up_to_its_days(
    zone: str, interval: Interval, billing_time: BillingTime, anchor: datetime, after: timedelta, again: timedelta
) -> None:
    change = anchor + after
    whole = period_at(Schedule(interval, billing_time, anchor, zone), change)
    second_change = min(change + again, whole.end)
    bounds = [max(whole.start, anchor), change, second_change, whole.end]
    # Each plan costs as much as the period has days; so each day costs 1.
    days = whole_days(whole, zone)
    plan = RatePlan(name="P", interval=interval, amount=Decimal(days), currency="USD")
    subscription = Subscription(customer=Customer(timezone=zone), plan=plan)
    parts = [Period(start, end) for start, end in pairwise(bounds) if start < end]
    assume(parts)

    days_of = [paid_days(subscription, part, whole, ends_in_change=part is not parts[-1]) for part in parts]
    lines = [
        line for part, days in zip(parts, days_of, strict=True) for line in period_lines(subscription, part, days, [])
    ]

    rest = Period(parts[0].start, whole.end)
    [whole_line] = period_lines(subscription, rest, paid_days(subscription, rest, whole), [])
    assert sum(line.amount for line in lines) == whole_line.amount


def whole_days(period: Period, zone: str) -> int:
    """Count the dates of a period one by one."""
    dates: set[date] = set()
    moment = period.start
    while moment < period.end:
        dates.add(moment.astimezone(ZoneInfo(zone)).date())
        moment += 6 * HOUR
    return len(dates)


WORKED = {case.id: case for case in load_cases("proration")}
TERMINATED = [case for case in WORKED.values() if case.area == "fee" and "terminated" in case.given]
INTERVALS = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}


def moment(text: str) -> datetime:
    """Read a moment; a bare date is its midnight in UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def in_units(cents: int) -> Decimal:
    return Decimal(cents) / 100


@pytest.mark.parametrize("case", TERMINATED, ids=str)
def test_the_last_bill_is_that_of_the_worked_example(case: Case) -> None:
    raw, end = case.given, moment(case.given["terminated"]) + 12 * HOUR
    plan = make_plan(amount=in_units(raw["plan_amount_cents"]), interval=INTERVALS[raw["interval"]])
    subscription = make_subscription(
        plan=plan,
        starts_at=moment(raw["subscription_start"]),
        billing_time=raw["billing"],
        bill_from=max(moment(raw["period"][0]), moment(raw["subscription_start"])),
        now=end,
    )

    terminate_subscription(subscription.id, now=end)

    assert base_fees() == {subscription.id: [in_units(case.expect["amount_cents"])]}


def test_the_two_bills_of_an_upgrade_are_those_of_the_worked_example() -> None:
    """Its totals hold prorated seats beside the fees: 5 × 11/29 and 5 × 18/29."""
    raw, expect = WORKED["PRO-upgrade-005"].given, WORKED["PRO-upgrade-005"].expect
    amounts = [in_units(raw[side]["plan_amount_cents"]) for side in ("old", "new")]
    start, change_at = moment(raw["start"]), moment(raw["change_at"])
    old = make_subscription(plan=make_plan(amount=amounts[0]), starts_at=start, now=change_at)
    bill_due(now=change_at)

    new = change_plan(old.id, plan=make_plan(amount=amounts[1]).id, now=change_at)
    bill_due(now=moment("2024-03-01"))

    fees = base_fees()
    assert fees[old.id][-1] == in_units(expect["old_plan_final_invoice_cents"]) - Decimal("1.90")
    assert fees[new.id] == [in_units(expect["next_invoice_total_cents"]) - Decimal("3.10")]


def test_the_final_invoice_is_that_of_the_worked_example() -> None:
    raw, expect = WORKED["PRO-terminate-008"].given, WORKED["PRO-terminate-008"].expect["final_invoice"]
    start, end = moment(raw["start"]), moment(raw["terminated"]) + 15 * HOUR
    subscription = metered(amount=str(in_units(raw["plan_amount_cents"])), starts_at=start, now=end)
    use(subscription, *(start + n * HOUR for n in range(50)), now=end)

    terminate_subscription(subscription.id, now=end)

    assert base_fees() == {subscription.id: [in_units(expect["subscription_fee_cents"])]}
    assert usage_of(subscription) == [(50, in_units(expect["usage_cents"]))]
    assert totals() == [in_units(expect["total_cents"] - expect["tax_cents"])]


def test_the_day_of_a_termination_is_in_the_fee_of_the_worked_example() -> None:
    """Its total holds prorated seats beside the fee: 5 × 12/29."""
    raw, expect = WORKED["PRO-terminate-002"].given, WORKED["PRO-terminate-002"].expect
    plan, end = make_plan(amount=in_units(raw["plan_amount_cents"])), moment(raw["terminated"])
    subscription = make_subscription(plan=plan, starts_at=moment(raw["start"]), now=end)

    terminate_subscription(subscription.id, now=end)

    assert base_fees()[subscription.id][-1] == in_units(expect["final_invoice_total_cents"]) - Decimal("2.07")

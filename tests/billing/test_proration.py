"""Prove day-wise proration against the worked examples."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.proration import prorate
from catalog.models import Interval
from customers.models import BillingTime
from customers.periods import Period, Schedule, day_start, local_days, period_at
from tests.cases import Case, load_cases

CASES = load_cases("proration")
INTERVALS = {
    "weekly": Interval.WEEK,
    "monthly": Interval.MONTH,
    "quarterly": Interval.QUARTER,
    "yearly": Interval.YEAR,
}

SKIPPED = {
    "PRO-upgrade-005": "totals with prorated usage and an upgrade's two invoices: test_recurring_bills",
    "PRO-upgrade-006": "gives a fraction of time, not days",
    "PRO-terminate-002": "a total with prorated usage: test_recurring_bills",
    "PRO-terminate-004": "taxes and a credit note that is applied to an invoice",
    "PRO-terminate-006": "taxes, and a choice to keep the unused days' money",
    "PRO-commitment-011": "a full period; settling a minimum belongs to the invoice, and is in test_minimums",
    "PRO-chargeminimum-001": "settling a charge's minimum belongs to the invoice, and is in test_minimums",
    "PRO-chargeminimum-002": "the taxes of a credit note and its application to an invoice",
    "PRO-chargeminimum-004": "a minimum that is not prorated, in test_minimums",
}

USED = [case for case in CASES if case.id not in SKIPPED]
FEES = [case for case in USED if case.area in {"fee", "trial", "timezone", "leap"}]
COMMITMENTS = [case for case in USED if case.area == "commitment"]
QUANTITIES = [case for case in USED if case.area == "quantity"]
DAYS_LEFT = [case for case in USED if case.area in {"upgrade", "downgrade"}]
BY_HAND = {case.id: case for case in USED if case.area in {"terminate", "fixed_charge"}}

CALENDAR_MONTH = (Interval.MONTH, BillingTime.CALENDAR)


def moment(text: str) -> datetime:
    """Read a moment; a bare date is its midnight in UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def whole_of(raw: Mapping[str, Any]) -> Period:
    """Return a case's period, whose last day is inclusive, in the case's timezone."""
    first, last = (date.fromisoformat(day) for day in raw["period"])
    timezone = raw.get("timezone", "UTC")
    return Period(day_start(first, timezone), day_start(last + timedelta(days=1), timezone))


def used_of(raw: Mapping[str, Any]) -> Period | None:
    """Return what is paid of a case's period: after the trial, to the end of the day of termination."""
    timezone = raw.get("timezone", "UTC")
    local_start = moment(raw["subscription_start"]).astimezone(ZoneInfo(timezone)).date()
    start = day_start(local_start + timedelta(days=raw.get("trial_days", 0)), timezone)
    end = None
    if "terminated" in raw:
        end = day_start(date.fromisoformat(raw["terminated"]) + timedelta(days=1), timezone)
    return whole_of(raw).clip(start, end)


def cents(exact: Decimal) -> int:
    """Round to whole cents, half away from zero."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def two_decimals(exact: Decimal) -> Decimal:
    """Round to a currency of two decimals, half away from zero."""
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def march(first: int, last: int) -> Period:
    """Return days of March 2024 (UTC), the last one inclusive."""
    return Period(moment(f"2024-03-{first:02}"), moment(f"2024-03-{last:02}") + timedelta(days=1))


def test_every_worked_example_is_used_or_left_out_with_a_reason() -> None:
    used = {case.id for case in [*FEES, *COMMITMENTS, *QUANTITIES, *DAYS_LEFT]} | set(BY_HAND)

    assert {case.id for case in CASES} == used | set(SKIPPED)
    assert set(BY_HAND) == {"PRO-terminate-003", "PRO-terminate-008", "PRO-fixedcharge-001"}


@pytest.mark.parametrize("case", FEES, ids=str)
def test_a_fee_is_billed_by_the_days_used_of_the_whole_period(case: Case) -> None:
    whole, used = whole_of(case.given), used_of(case.given)
    timezone = case.given.get("timezone", "UTC")

    fee = prorate(Decimal(case.given["plan_amount_cents"]), used=used, whole=whole, timezone=timezone)

    assert local_days(whole.start, whole.end, timezone) == case.expect["period_days"]
    assert (local_days(used.start, used.end, timezone) if used else 0) == case.expect["billed_days"]
    # The examples print an endless fraction as a double does, with 15 reliable digits.
    assert float(fee) == pytest.approx(float(case.expect["exact_cents"]), rel=1e-14)
    assert cents(fee) == case.expect["amount_cents"]


@pytest.mark.parametrize("case", [case for case in [*FEES, *COMMITMENTS] if "billing" in case.given], ids=str)
def test_the_whole_period_is_the_one_of_the_schedule(case: Case) -> None:
    raw = case.given
    timezone, anchor = raw.get("timezone", "UTC"), moment(raw["subscription_start"])
    schedule = Schedule(INTERVALS[raw["interval"]], BillingTime(raw["billing"]), anchor, timezone)

    assert period_at(schedule, whole_of(raw).end - timedelta(seconds=1)) == whole_of(raw)


@pytest.mark.parametrize("case", COMMITMENTS, ids=str)
def test_a_commitment_is_prorated_like_the_fee_it_is_compared_with(case: Case) -> None:
    whole, used = whole_of(case.given), used_of(case.given)

    fee, commitment = (
        cents(prorate(Decimal(case.given[name]), used=used, whole=whole, timezone="UTC"))
        for name in ("plan_amount_cents", "commitment_cents")
    )

    assert commitment - fee - case.given["usage_cents"] == case.expect["true_up_cents"]
    assert fee == case.expect.get("plan_fee_cents", fee)


@pytest.mark.parametrize("case", QUANTITIES, ids=str)
def test_the_day_of_a_change_belongs_to_the_new_side(case: Case) -> None:
    whole = whole_of(case.given)
    rest = whole.clip(moment(case.given["change_date"]), None)

    def part(side: str) -> Decimal:
        raw = case.given.get(side, {"quantity": "0", "unit_price": "0"})
        full = Decimal(raw["quantity"]) * Decimal(raw["unit_price"])
        return two_decimals(prorate(full, used=rest, whole=whole, timezone="UTC"))

    assert -part("old") == Decimal(case.expect["credit"])
    assert part("new") == Decimal(case.expect["charge"])
    assert part("new") - part("old") == Decimal(case.expect["net"])


@pytest.mark.parametrize("case", DAYS_LEFT, ids=str)
def test_the_days_left_are_credited_at_the_old_price_and_charged_at_the_new(case: Case) -> None:
    whole = Period(moment("2024-04-01"), moment("2024-04-01") + timedelta(days=case.given["period_days"]))
    rest = Period(whole.end - timedelta(days=case.given["days_left"]), whole.end)

    credit, charge = (
        prorate(Decimal(case.given[price]), used=rest, whole=whole, timezone="UTC")
        for price in ("old_price", "new_price")
    )

    assert credit == Decimal(case.expect["credit"])
    assert charge == Decimal(case.expect["charge"])
    assert charge - credit == Decimal(case.expect["net"])


def test_all_days_after_the_day_of_termination_come_back() -> None:
    raw, expect = BY_HAND["PRO-terminate-003"].given, BY_HAND["PRO-terminate-003"].expect
    whole = period_at(Schedule(*CALENDAR_MONTH, moment(raw["start"]), "UTC"), moment(raw["start"]))
    unused = whole.clip(day_start(moment(raw["terminated"]).date() + timedelta(days=1), "UTC"), None)

    credit = prorate(Decimal(raw["plan_amount_cents"]), used=unused, whole=whole, timezone="UTC")

    assert credit == expect["credit_note_cents"]


def test_a_plan_in_arrears_costs_its_days_up_to_the_termination() -> None:
    raw, expect = BY_HAND["PRO-terminate-008"].given, BY_HAND["PRO-terminate-008"].expect
    whole = period_at(Schedule(*CALENDAR_MONTH, moment(raw["start"]), "UTC"), moment(raw["start"]))
    used = whole.clip(moment(raw["start"]), moment(raw["terminated"]) + timedelta(hours=15))

    fee = prorate(Decimal(raw["plan_amount_cents"]), used=used, whole=whole, timezone="UTC")

    assert fee == expect["final_invoice"]["subscription_fee_cents"]


def test_fixed_charges_of_the_first_month_are_prorated_each() -> None:
    raw, expect = BY_HAND["PRO-fixedcharge-001"].given, BY_HAND["PRO-fixedcharge-001"].expect
    schedule = Schedule(*CALENDAR_MONTH, moment(raw["start"]), "UTC")

    def bill(at: str) -> dict[str, int]:
        whole = period_at(schedule, moment(at))
        used = whole.clip(moment(raw["start"]), None)
        full = {each["code"]: Decimal(each["units"]) * Decimal(each["unit_price"]) * 100 for each in raw["fixed"]}
        return {code: cents(prorate(amount, used=used, whole=whole, timezone="UTC")) for code, amount in full.items()}

    assert bill(raw["start"]) == expect["first_invoice_cents"]
    assert bill("2023-08-10") == expect["august_cents"]


def test_an_end_inside_a_day_counts_the_day_and_an_end_at_its_midnight_does_not() -> None:
    whole, noon = march(1, 31), moment("2024-03-10T12:00:00Z")

    assert prorate(Decimal(31), used=Period(whole.start, noon), whole=whole, timezone="UTC") == 10
    assert prorate(Decimal(31), used=march(1, 9), whole=whole, timezone="UTC") == 9


def test_days_are_those_of_the_customers_timezone() -> None:
    whole = Period(day_start(date(2024, 3, 1), "America/New_York"), day_start(date(2024, 4, 1), "America/New_York"))
    evening = Period(moment("2024-03-31T03:30:00Z"), moment("2024-03-31T03:45:00Z"))

    assert prorate(Decimal(31), used=evening, whole=whole, timezone="America/New_York") == 1
    assert prorate(Decimal(62), used=whole, whole=whole, timezone="America/New_York") == 62


def test_nothing_used_costs_nothing() -> None:
    assert prorate(Decimal(31), used=None, whole=march(1, 31), timezone="UTC") == 0


def test_a_part_outside_the_whole_period_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        prorate(Decimal(1), used=march(1, 11), whole=march(1, 10), timezone="UTC")
    with pytest.raises(ValueError, match="outside"):
        prorate(Decimal(1), used=march(1, 10), whole=march(2, 10), timezone="UTC")


@given(
    amount=st.decimals(min_value=-(10**17), max_value=10**17, places=12, allow_nan=False, allow_infinity=False),
    first=st.integers(1, 31),
    last=st.integers(1, 31),
)
def test_a_part_is_never_more_than_the_whole_and_exact_to_fifty_digits(amount: Decimal, first: int, last: int) -> None:
    first, last = sorted((first, last))

    part = prorate(amount, used=march(first, last), whole=march(1, 31), timezone="UTC")

    assert abs(part) <= abs(amount)
    exact = Fraction(amount) * (last - first + 1) / 31
    assert abs(Fraction(part) - exact) <= abs(exact) * Fraction(1, 10**50)


@given(amount=st.decimals(min_value=0, max_value=10**17, places=12), cut=st.integers(2, 31))
def test_the_parts_before_and_after_a_change_of_plan_add_up_to_the_amount(amount: Decimal, cut: int) -> None:
    parts = (march(1, cut - 1), march(cut, 31))

    total = sum(Fraction(prorate(amount, used=part, whole=march(1, 31), timezone="UTC")) for part in parts)

    assert abs(total - Fraction(amount)) <= Fraction(1, 10**40)

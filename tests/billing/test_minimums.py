"""Minimums: what a period, or one of its charges, comes to at least, settled at its end, and late usage after that."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Invoice, InvoiceLine
from billing.operations.billing_runs import bill_due
from billing.operations.invoices import refresh_invoice
from billing.queries.books import breaches
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY
from tests.billing.plan_terms import (
    BASE,
    LATE,
    OTHER,
    TRUE_UP,
    USAGE,
    bills,
    descriptions,
    plan_with,
    subscribed,
    use,
)
from tests.billing.test_proration import INTERVALS, moment
from tests.cases import Case, load_cases
from tests.factories import make_customer

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CASES = {case.id: case for case in load_cases("proration")}
COMMITMENTS = [case for case in CASES.values() if case.area == "commitment"]


def in_units(cents: int) -> Decimal:
    return Decimal(cents) / 100


def last_day_of(raw: dict[str, Any]) -> datetime:
    """Return the last day of the period; the example with a plan in advance bills the first quarter of its."""
    return moment(raw["period"][1]) if "period" in raw else moment("2024-06-11")


@pytest.mark.parametrize("case", COMMITMENTS, ids=str)
def test_the_true_up_of_a_commitment_is_that_of_the_worked_example(case: Case) -> None:
    raw, end = case.given, last_day_of(case.given) + DAY
    plan = plan_with(
        amount=str(in_units(raw["plan_amount_cents"])),
        minimum_commitment=str(in_units(raw["commitment_cents"])),
        interval=INTERVALS[raw["interval"]],
    )
    start = moment(raw["subscription_start"])
    begin = max(start, moment(raw["period"][0])) if "period" in raw else start
    subscription = subscribed(plan, starts_at=start, billing_time=raw["billing"], bill_from=begin, now=end)
    use(subscription, raw["usage_cents"] // 100, at=begin, now=end)

    bill_due(now=end)

    *_, last = bills()
    assert last[-1] == (TRUE_UP, in_units(case.expect["true_up_cents"]))
    if "plan_fee_cents" in case.expect:
        assert last[0] == (BASE, in_units(case.expect["plan_fee_cents"]))
    assert list(breaches()) == []


def test_the_true_up_of_a_charge_is_that_of_the_worked_example() -> None:
    """Its figures with taxes are left out; the true-up is before taxes."""
    raw, expect = CASES["PRO-chargeminimum-001"].given, CASES["PRO-chargeminimum-001"].expect
    plan = plan_with(minimum_amount=str(in_units(raw["charge_minimum_cents"])))
    start = moment("2026-02-01") + (raw["period_days"] - raw["billed_days"]) * DAY
    use(subscribed(plan, starts_at=start), raw["usage_cents"] // 100, at=start)

    bill_due(now=MARCH)

    assert bills() == [[(USAGE, in_units(raw["usage_cents"])), (TRUE_UP, in_units(expect["true_up_cents"]))]]
    assert Invoice.objects.get().total == in_units(expect["fees_cents"])
    assert descriptions(Invoice.objects.get())[1] == "True-up to the minimum of Calls: $10.00 (25 of 28 days)"


def test_a_minimum_of_a_charge_is_reached_in_a_whole_period_as_in_the_worked_example() -> None:
    raw, expect = CASES["PRO-chargeminimum-004"].given, CASES["PRO-chargeminimum-004"].expect
    use(subscribed(plan_with(minimum_amount=raw["charge_minimum"])), int(raw["usage"]))

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, Decimal(raw["usage"])), (TRUE_UP, Decimal(expect["true_up"]))]]


def test_a_period_that_falls_short_is_lifted_to_the_commitment() -> None:
    subscription = subscribed(plan_with(amount="31", minimum_commitment="100"))
    use(subscription, 9)

    bill_due(now=APRIL)

    assert bills() == [[(BASE, 31), (USAGE, 9), (TRUE_UP, 60)]]
    line = InvoiceLine.objects.get(kind=TRUE_UP)
    assert (line.charge, line.units, line.tiers) == (None, 1, [])
    assert (line.period_start, line.period_end) == (MARCH, APRIL)
    assert line.description == "True-up to the minimum commitment of Pro: $100.00"
    assert list(breaches()) == []


@pytest.mark.parametrize(("calls", "true_up"), [(68, [(TRUE_UP, 1)]), (69, []), (70, [])])
def test_a_period_that_reaches_the_commitment_has_no_true_up(calls: int, true_up: list[Any]) -> None:
    use(subscribed(plan_with(amount="31", minimum_commitment="100")), calls)

    bill_due(now=APRIL)

    assert bills() == [[(BASE, 31), (USAGE, calls), *true_up]]


def test_an_unused_charge_is_lifted_to_its_minimum() -> None:
    subscribed(plan_with(minimum_amount="20"))

    bill_due(now=APRIL)

    assert bills() == [[(TRUE_UP, 20)]]
    line = InvoiceLine.objects.get()
    assert str(line.charge) == "Calls"
    assert list(breaches()) == []


def test_each_charge_has_its_own_minimum_and_both_count_for_the_commitment() -> None:
    subscription = subscribed(plan_with(minimum_amount="20", other="2", minimum_commitment="50"))
    use(subscription, 8)
    use(subscription, 3, kind=OTHER)

    bill_due(now=APRIL)

    assert bills() == [[(USAGE, 8), (TRUE_UP, 12), (USAGE, 6), (TRUE_UP, 24)]]
    assert list(breaches()) == []


def test_the_first_and_the_last_period_reach_the_part_of_their_days() -> None:
    subscription = subscribed(plan_with(amount="31", minimum_commitment="62"), starts_at=MARCH + 10 * DAY)
    bill_due(now=APRIL)

    terminate_subscription(subscription.id, now=APRIL + 14 * DAY + HOUR)

    assert bills() == [[(BASE, 21), (TRUE_UP, 21)], [(BASE, Decimal("15.5")), (TRUE_UP, Decimal("15.5"))]]
    assert list(breaches()) == []


def test_each_plan_of_a_period_reaches_the_part_of_its_days() -> None:
    first = subscribed(plan_with(amount="31", minimum_commitment="62"))

    change_plan(first.id, plan=plan_with(amount="62", minimum_commitment="93").id, now=MARCH + 10 * DAY + HOUR)
    bill_due(now=APRIL)

    assert bills() == [[(BASE, 10), (TRUE_UP, 10)], [(BASE, 42), (TRUE_UP, 21)]]


def test_a_draft_is_lifted_less_as_its_usage_comes() -> None:
    customer = make_customer(invoice_grace_days=5)
    subscription = subscribed(plan_with(minimum_commitment="100"), customer=customer)
    bill_due(now=APRIL)
    draft = Invoice.objects.get()
    assert bills() == [[(TRUE_UP, 100)]]

    use(subscription, 30)
    refresh_invoice(draft.id, now=APRIL)
    assert bills() == [[(USAGE, 30), (TRUE_UP, 70)]]

    use(subscription, 90, at=MARCH + HOUR)
    bill_due(now=APRIL + 5 * DAY)
    assert bills() == [[(USAGE, 120)]]


@pytest.mark.parametrize(
    "terms", [{"minimum_commitment": "100"}, {"minimum_amount": "100"}], ids=["commitment", "charge"]
)
def test_late_usage_is_billed_only_beyond_the_true_up(terms: dict[str, Any]) -> None:
    subscription = subscribed(plan_with(**terms))
    use(subscription, 50)
    bill_due(now=APRIL)

    use(subscription, 30, at=MARCH + HOUR)
    bill_due(now=MAY)
    use(subscription, 45, at=MARCH + 2 * HOUR)
    bill_due(now=JUNE)

    first, second, third = bills()
    assert first == [(USAGE, 50), (TRUE_UP, 50)]
    # A month without usage is lifted as a whole.
    assert second == [(TRUE_UP, 100), (LATE, 0)]
    assert third == [(TRUE_UP, 100), (LATE, 25)]
    covered, _ = InvoiceLine.objects.filter(kind=LATE).order_by("invoice__created_at")
    assert covered.description == "Calls (late, 2026-03-01, less what the minimum billed covers)"
    assert covered.units == 30
    assert list(breaches()) == []


def test_the_true_up_of_a_charge_pays_for_no_other_charge() -> None:
    subscription = subscribed(plan_with(minimum_amount="100", other="2"))
    bill_due(now=APRIL)

    use(subscription, 5, kind=OTHER)
    use(subscription, 60)
    bill_due(now=MAY)

    assert bills() == [[(TRUE_UP, 100)], [(TRUE_UP, 100), (LATE, 0), (LATE, 10)]]
    assert list(breaches()) == []


def test_the_true_up_to_the_commitment_pays_for_all_charges() -> None:
    subscription = subscribed(plan_with(minimum_commitment="100", other="2"))
    bill_due(now=APRIL)

    use(subscription, 70)
    use(subscription, 20, kind=OTHER)
    bill_due(now=MAY)

    assert bills()[1] == [(TRUE_UP, 100), (LATE, 10), (LATE, 0)]
    assert list(breaches()) == []


def test_a_commitment_is_rounded_once_to_its_currency() -> None:
    customer = make_customer(currency="JPY")
    subscribed(plan_with(minimum_commitment="100", currency="JPY"), starts_at=MARCH + 16 * DAY, customer=customer)

    bill_due(now=APRIL)

    # 100 × 15/31 is 48.39.
    assert bills() == [[(TRUE_UP, 48)]]
    assert descriptions(Invoice.objects.get()) == ["True-up to the minimum commitment of Pro: ¥100 (15 of 31 days)"]

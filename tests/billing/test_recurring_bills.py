"""Recurring metrics on invoices: what a period leaves is in the next, late usage and changes of plan included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.models import LateUsage
from billing.operations.billing_runs import bill_due
from billing.operations.reassignment import reassign_usage
from billing.operations.usage import receive_events
from billing.queries.books import breaches
from config.kernel.ids import TypeID
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, totals
from tests.billing.payments_wire import billed
from tests.billing.seats import seat, seated, seats_metric, units_in
from tests.cases import Case, load_cases
from tests.factories import make_charge, make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
CASES = {case.id: case for case in load_cases("proration")}


def test_seats_are_billed_each_month_until_they_are_removed() -> None:
    subscription = seated()
    for user in ("ann", "bob"):
        seat(subscription, MARCH + DAY, user)
    seat(subscription, APRIL + DAY, "ann")
    seat(subscription, MAY + DAY, "bob", "remove")

    bill_due(now=JULY)

    assert billed() == [
        [("usage", 3, 2, 20)],
        [("usage", 4, 2, 20)],
        [("usage", 5, 1, 10)],
        [("usage", 6, 1, 10)],
    ]
    assert list(breaches()) == []


def test_a_seat_that_comes_late_is_billed_in_every_month_since() -> None:
    subscription = seated()
    seat(subscription, MARCH + DAY, "ann")
    bill_due(now=APRIL)
    bill_due(now=MAY)
    seat(subscription, MARCH + 9 * DAY, "bob")

    bill_due(now=JUNE)
    bill_due(now=JULY)

    assert billed() == [
        [("usage", 3, 1, 10)],
        [("usage", 4, 1, 10)],
        [("usage", 5, 2, 20), ("late_usage", 3, 1, 10), ("late_usage", 4, 1, 10)],
        [("usage", 6, 2, 20)],
    ]
    assert list(breaches()) == []


def test_a_seat_whose_removal_comes_late_is_not_billed_again_and_nothing_is_taken_back() -> None:
    subscription = seated()
    seat(subscription, MARCH + DAY, "ann")
    bill_due(now=APRIL)
    bill_due(now=MAY)
    seat(subscription, MARCH + 9 * DAY, "ann", "remove")

    bill_due(now=JUNE)

    assert billed()[2:] == [[("late_usage", 3, -1, 0), ("late_usage", 4, -1, 0)]]


def test_only_what_is_carried_on_is_looked_at_in_later_months() -> None:
    calls, seats = seats_metric("COUNT", property="", recurring=False), seats_metric()
    plan = make_plan(charges=[make_charge(calls, unit_amount="1"), make_charge(seats)], amount=Decimal(0))
    subscription = make_subscription(customer=make_customer(), plan=plan, starts_at=MARCH)
    bill_due(now=MAY)
    seat(subscription, MARCH, "ann")

    bill_due(now=JUNE)

    assert [line[:3] for line in billed()[2]] == [
        ("usage", 5, 1), ("late_usage", 3, 1), ("late_usage", 3, 1), ("late_usage", 4, 1)
    ]  # fmt: skip


def test_a_draft_takes_up_what_came_late_in_the_month_before() -> None:
    subscription = seated(grace_days=3)
    bill_due(now=APRIL + 4 * DAY)
    bill_due(now=MAY)
    seat(subscription, MARCH, "ann")

    bill_due(now=MAY + 3 * DAY)

    assert billed() == [[], [("usage", 4, 1, 10)]]


@pytest.mark.parametrize(("recurring", "later"), [(True, [7, 7]), (False, [0, 0])])
def test_the_latest_storage_goes_on_only_where_it_recurs(recurring: bool, later: list[int]) -> None:
    subscription = seated("LATEST", recurring=recurring)
    for day, size in ((3, 9), (20, 7), (10, 100)):
        seat(subscription, MARCH + day * DAY, size)

    bill_due(now=JUNE)

    assert totals() == [70, *(10 * units for units in later)]


def test_storage_is_weighted_by_the_time_it_was_held_in_a_month_that_loses_an_hour() -> None:
    subscription = seated("WEIGHTED_SUM", timezone="Europe/Berlin", starts_at=datetime(2026, 1, 31, 23, tzinfo=UTC))
    # The clocks go forward on 29 March: that month has 743 hours, the last of which begins at 21:00 UTC.
    seat(subscription, datetime(2026, 2, 27, 23, tzinfo=UTC), 28)
    seat(subscription, datetime(2026, 3, 31, 21, tzinfo=UTC), 743)

    bill_due(now=MAY)

    assert [line[0][2:] for line in billed()] == [(1, 10), (29, 290), (771, 7710)]


def test_the_sum_of_what_came_and_went_is_carried_beyond_what_one_event_may_say() -> None:
    subscription = seated("SUM", charge={"unit_amount": "0.000001"})
    for number in range(3):
        seat(subscription, MARCH + number * DAY, 999_999_999_999)
    seat(subscription, APRIL, -1)

    assert units_in(subscription, MARCH, APRIL) == 2_999_999_999_997
    assert units_in(subscription, APRIL, MAY) == units_in(subscription, MAY, JUNE) == 2_999_999_999_996


def test_units_are_rounded_on_the_bill() -> None:
    subscription = seated("SUM", recurring=False, rounding_function="ceil", rounding_precision=0)
    for number in range(3):
        seat(subscription, MARCH + number * DAY, Decimal("1.4"))

    bill_due(now=APRIL)

    assert billed() == [[("usage", 3, 5, 50)]]


def subscribed(case: Case, plan_amount: int) -> Subscription:
    """Return the subscription of a worked example, with its recurring units."""
    raw = case.given
    metric = seats_metric("SUM")
    charge = {"unit_amount": raw["unit_price"], "prorated": True}
    amount = str(Decimal(plan_amount) / 100)
    start = datetime.fromisoformat(raw["start"]).replace(tzinfo=UTC)
    subscription = seated(metric=metric, charge=charge, amount=amount, starts_at=start)
    seat(subscription, start, int(raw["recurring_units"]))
    bill_due(now=start.replace(month=2))
    assert totals() == [Decimal(plan_amount) / 100 + int(raw["recurring_units"])]
    return subscription


def test_prorated_units_of_a_terminated_plan_are_those_of_the_worked_example() -> None:
    case = CASES["PRO-terminate-002"]
    subscription = subscribed(case, case.given["plan_amount_cents"])

    terminate_subscription(subscription.id, now=datetime.fromisoformat(case.given["terminated"]))

    assert totals()[1:] == [Decimal(case.expect["final_invoice_total_cents"]) / 100]


def test_prorated_units_are_carried_into_a_dearer_plan_as_in_the_worked_example() -> None:
    case = CASES["PRO-upgrade-005"]
    old, new = case.given["old"]["plan_amount_cents"], case.given["new"]["plan_amount_cents"]
    subscription = subscribed(case, old)
    charged = subscription.plan.charges.get()
    charge = make_charge(charged.metric, unit_amount=case.given["unit_price"], prorated=True)
    plan = make_plan(charges=[charge], amount=Decimal(new) / 100)
    change_at = datetime.fromisoformat(case.given["change_at"])

    change_plan(subscription.id, plan=plan.id, now=change_at)
    bill_due(now=datetime(2024, 3, 1, tzinfo=UTC))

    expected = [case.expect[name] for name in ("old_plan_final_invoice_cents", "next_invoice_total_cents")]
    assert totals()[1:] == [Decimal(cents) / 100 for cents in expected]
    assert list(breaches()) == []


def test_a_seat_that_comes_late_under_the_plan_before_is_billed_under_the_one_after_too() -> None:
    metric = seats_metric()
    old = seated(metric=metric)
    seat(old, MARCH, "ann")
    dearer = make_plan(charges=[make_charge(metric, unit_amount="20")], amount=Decimal(100))
    new = change_plan(old.id, plan=dearer.id, now=APRIL)
    bill_due(now=MAY)
    # It names the subscription of today, and is of the one that ran then.
    seat(new, MARCH + DAY, "bob")

    bill_due(now=JUNE)

    lines = [line for invoice in billed() for line in invoice if line[0] != "base"]
    assert lines[:2] == [("usage", 3, 1, 10), ("usage", 4, 1, 20)]
    assert sorted(lines[2:]) == [("late_usage", 3, 1, 10), ("late_usage", 4, 1, 20), ("usage", 5, 2, 40)]
    assert LateUsage.objects.count() == 0


def test_late_usage_marks_what_follows_by_changes_of_plan_only_where_it_recurs() -> None:
    metric = seats_metric(recurring=False)
    old = seated(metric=metric)
    dearer = make_plan(charges=[make_charge(metric, unit_amount="20")], amount=Decimal(100))
    change_plan(old.id, plan=dearer.id, now=APRIL)
    bill_due(now=MAY)

    seat(old, MARCH + DAY, "bob")

    assert list(LateUsage.objects.values_list("subscription", flat=True)) == [old.id]


def test_a_plan_takes_over_what_the_plan_before_did_not_charge_and_leaves_out_what_is_no_number() -> None:
    old = make_subscription(customer=make_customer(), plan=make_plan(amount=Decimal(0)), starts_at=MARCH)
    for value, said in enumerate(["4", 3, "many", True, None, [1], {"a": 1}, 10**12, "1e-13", "1e1"]):
        sent = {"transaction_id": str(value), "type": "seat", "timestamp": MARCH.isoformat(), "subscription": old.id}
        receive_events([{**sent, "properties": {"size": said}}], now=MAY)
    dearer = make_plan(charges=[make_charge(seats_metric("SUM"))], amount=Decimal(100))

    new = change_plan(old.id, plan=dearer.id, now=APRIL)

    assert units_in(new, APRIL, MAY) == 17


def test_usage_that_moves_to_its_customer_is_carried_there() -> None:
    subscription = seated()
    unknown = TypeID.new("cust")
    sent = {"type": "seat", "customer": unknown, "timestamp": (APRIL + HOUR).isoformat()}
    receive_events([{**sent, "transaction_id": "1", "properties": {"user": "ann"}}], now=JUNE)
    bill_due(now=APRIL)

    reassign_usage(customer=subscription.customer_id, named=f"customer {unknown}", now=APRIL)
    bill_due(now=JUNE)

    assert billed() == [[], [("usage", 4, 1, 10)], [("usage", 5, 1, 10)]]
    assert list(breaches()) == []

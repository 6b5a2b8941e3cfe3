"""A customer's clock is set to another time zone: no moment is billed twice or never, and no day is paid twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from billing.models import BilledPeriod, Invoice, InvoiceLine
from billing.operations.billing_runs import bill_due
from billing.queries.books import breaches
from customers.models import Subscription
from customers.operations.customers import update_customer
from customers.operations.plan_changes import change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, draft, metered, totals, use
from tests.billing.plan_changes import NOON, base_fees, dearer, usage_of
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"]


def move(subscription: Subscription, zone: str, *, now: datetime) -> None:
    """Set the customer's clock to ``zone``."""
    update_customer(subscription.customer_id, timezone=zone, now=now)


def periods() -> list[tuple[datetime, datetime]]:
    return list(BilledPeriod.objects.order_by("starts_at").values_list("starts_at", "ends_at"))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("interval", ["week", "month"])
@pytest.mark.parametrize("billing_time", ["calendar", "anniversary"])
def test_every_whole_period_is_paid_once_whatever_zone_the_clock_is_set_to(
    zone: str, interval: str, billing_time: str
) -> None:
    first = MARCH + DAY if interval == "week" else MARCH
    # Anniversaries are counted from the start's date, which from noon on is the same nearly everywhere.
    start = first if billing_time == "calendar" else first + 12 * HOUR
    flat = {"tiers": [{"up_to": None, "unit_amount": "0", "flat_amount": "3"}]}
    charge = make_charge(make_metric(event_type="call"), model="GRADUATED", properties=flat)
    plan = make_plan(amount=Decimal(70), interval=interval, charges=[charge])
    subscription = make_subscription(plan=plan, starts_at=start, billing_time=billing_time)
    end = first + 7 * DAY if interval == "week" else APRIL
    bill_due(now=end)

    move(subscription, zone, now=end)
    bill_due(now=end + 40 * DAY)

    assert set(totals()) == {73}
    assert periods()[0] == (start, end)
    assert all(before[1] == after[0] for before, after in pairwise(periods()))
    assert list(breaches()) == []


def test_a_clock_set_back_and_forth_costs_no_day_twice() -> None:
    subscription = metered(amount="310")
    bill_due(now=APRIL)

    for zone in ("America/New_York", "UTC", "America/New_York"):
        move(subscription, zone, now=APRIL + HOUR)
        bill_due(now=APRIL + 6 * HOUR)
    bill_due(now=JUNE + DAY)

    assert base_fees() == {subscription.id: [310, 310, 310]}
    assert list(breaches()) == []


def test_usage_of_the_hours_that_come_again_is_on_the_next_invoice() -> None:
    subscription = metered()
    bill_due(now=APRIL)
    move(subscription, "America/New_York", now=APRIL + HOUR)

    use(subscription, APRIL, APRIL + 3 * HOUR, APRIL + 5 * HOUR, now=APRIL + DAY)

    assert bill_due(now=APRIL + DAY).drafted == 0
    bill_due(now=MAY + DAY)
    assert usage_of(subscription) == [(3, 3)]


def test_a_subscription_that_ends_in_the_hours_that_come_again_is_billed_to_its_end() -> None:
    subscription = metered(ends_at=APRIL + 2 * HOUR)
    bill_due(now=APRIL)
    move(subscription, "America/New_York", now=APRIL + HOUR)
    use(subscription, APRIL + HOUR, APRIL + 2 * HOUR, now=APRIL + DAY)

    end_due_subscriptions(now=APRIL + DAY)

    assert usage_of(subscription) == [(1, 1)]
    assert periods()[-1] == (APRIL, APRIL + 2 * HOUR)


@pytest.mark.parametrize("zone", ZONES)
def test_a_draft_is_finalized_though_the_clock_was_set_to_another_zone(zone: str) -> None:
    invoice, subscription = draft(amount="310")

    move(subscription, zone, now=APRIL + HOUR)
    assert bill_due(now=APRIL + 5 * DAY).failed == {}

    invoice.refresh_from_db()
    assert (invoice.status, invoice.total) == ("finalized", 311)


@pytest.mark.parametrize("zone", ZONES)
def test_a_draft_of_a_part_of_a_period_keeps_its_days(zone: str) -> None:
    subscription = metered(amount="31", starts_at=NOON, customer=make_customer(invoice_grace_days=3))
    bill_due(now=APRIL)

    move(subscription, zone, now=APRIL + HOUR)
    bill_due(now=APRIL + 5 * DAY)

    [total] = totals()
    # At noon in UTC it is the next day far in the east.
    assert total == (16 if zone == "Pacific/Kiritimati" else 17)


@pytest.mark.parametrize("zone", ZONES)
def test_a_cheaper_plan_begins_when_it_was_promised_to(zone: str) -> None:
    old = metered(amount="310", customer=make_customer(timezone="Europe/Berlin"), starts_at=MARCH - HOUR)
    change_plan(old.id, plan=dearer("31").id, now=NOON)
    new = Subscription.objects.get(previous=old)
    promised = datetime.fromisoformat("2026-04-01T00:00:00+02:00")

    move(old, zone, now=NOON + HOUR)
    use(old, NOON, promised - HOUR, promised, promised + HOUR, now=JUNE)
    end_due_subscriptions(now=JUNE)
    bill_due(now=JUNE)

    old.refresh_from_db()
    assert (old.terminated_at, new.starts_at) == (promised, promised)
    assert [sum(units for units, _ in usage_of(one)) for one in (old, new)] == [2, 2]
    assert all(before[1] == after[0] for before, after in pairwise(periods()))
    assert list(breaches()) == []


def test_late_usage_of_an_hour_that_the_change_cuts_in_two_is_billed_once() -> None:
    """Midnight in UTC is half past an hour in Kolkata: the hour from 23:30 on belongs to the period it begins in."""
    subscription = metered()
    bill_due(now=APRIL)
    bill_due(now=MAY)
    move(subscription, "Asia/Kolkata", now=MAY)

    use(subscription, APRIL - HOUR / 4, APRIL + HOUR / 4, now=MAY + DAY)
    bill_due(now=JUNE)

    assert InvoiceLine.objects.filter(units__gt=0).count() == 1
    assert sum(totals()) == 2
    assert Invoice.objects.count() == 3

"""Invoices: which periods they hold, what they cost, their numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction

from billing.models import BilledPeriod, BillingCursor, DocumentCounter, Invoice, InvoiceLine, LineKind
from billing.operations.billing import bill_customer
from billing.operations.billing_runs import BillingRun, bill_due
from customers.operations.customers import update_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, MARCH, MAY, lines_of, metered, totals, use
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db


def test_a_period_is_billed_when_it_is_over_and_not_before() -> None:
    subscription = metered(amount="31")

    assert bill_due(now=APRIL - timedelta(microseconds=1)) == BillingRun()
    assert bill_due(now=APRIL) == BillingRun(customers=1, drafted=1, finalized=1)

    [period] = BilledPeriod.objects.all()
    assert (period.subscription_id, period.starts_at, period.ends_at) == (subscription.id, MARCH, APRIL)
    assert BillingCursor.objects.get().billed_until == APRIL
    assert BillingCursor.objects.get().due_at == MAY


def test_billing_again_makes_nothing_more() -> None:
    metered(amount="31")
    bill_due(now=MAY)
    before = (totals(), BilledPeriod.objects.count(), InvoiceLine.objects.count())

    assert bill_due(now=MAY) == BillingRun()
    assert bill_due(now=APRIL) == BillingRun()
    assert (totals(), BilledPeriod.objects.count(), InvoiceLine.objects.count()) == before == ([31, 31], 2, 2)


def test_every_period_since_a_start_in_the_past_is_billed_on_its_day() -> None:
    metered(amount="10", starts_at=datetime(2026, 1, 1, tzinfo=UTC))

    bill_due(now=APRIL)

    numbered = Invoice.objects.order_by("billing_day").values_list("billing_day", "number")
    assert list(numbered) == [
        (date(2026, 2, 1), "INV-2026-000001"),
        (date(2026, 3, 1), "INV-2026-000002"),
        (date(2026, 4, 1), "INV-2026-000003"),
    ]


def test_subscriptions_of_a_customer_share_the_invoice_of_a_day() -> None:
    customer = make_customer()
    metered(customer=customer, amount="10")
    metered(customer=customer, amount="20")
    metered(customer=customer, amount="70", interval="week", starts_at=APRIL - timedelta(days=2))

    bill_due(now=APRIL)
    assert totals() == [30]

    # The week's own day is Monday 6 April; it began on Monday 30 March.
    bill_due(now=APRIL + timedelta(days=5))
    assert totals() == [30, 70]


def test_customers_are_never_on_the_same_invoice() -> None:
    subscriptions = [metered(amount="10") for _ in range(2)]

    bill_due(now=APRIL)

    owners = {subscription.customer_id for subscription in subscriptions}
    assert set(Invoice.objects.values_list("customer", flat=True)) == owners
    assert totals() == [10, 10]


KOLKATA = timedelta(hours=5, minutes=30)
BOUNDARIES = [
    ("last minute of March", APRIL - KOLKATA - timedelta(minutes=1), [1, 0]),
    ("last microsecond", APRIL - KOLKATA - timedelta(microseconds=1), [1, 0]),
    ("midnight", APRIL - KOLKATA, [0, 1]),
    ("first minute of April", APRIL - KOLKATA + timedelta(minutes=1), [0, 1]),
    ("last minute of April", MAY - KOLKATA - timedelta(minutes=1), [0, 1]),
    ("first of March", MARCH - KOLKATA, [1, 0]),
]


@pytest.mark.parametrize(("moment", "billed"), [case[1:] for case in BOUNDARIES], ids=[case[0] for case in BOUNDARIES])
def test_months_begin_at_local_midnight_where_the_offset_has_half_hours(moment: datetime, billed: list[int]) -> None:
    subscription = metered(customer=make_customer(timezone="Asia/Kolkata"), starts_at=MARCH - KOLKATA)
    use(subscription, moment)

    assert bill_due(now=APRIL - KOLKATA - timedelta(microseconds=1)).drafted == 0
    assert bill_due(now=APRIL - KOLKATA).drafted == 1
    assert bill_due(now=MAY - KOLKATA).drafted == 1

    assert totals() == billed
    assert list(Invoice.objects.order_by("billing_day").values_list("billing_day", flat=True)) == [
        date(2026, 4, 1),
        date(2026, 5, 1),
    ]


@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
def test_a_change_of_time_zone_leaves_no_gap_and_no_overlap(timezone: str) -> None:
    subscription = metered(amount="30")
    bill_due(now=APRIL)

    update_customer(subscription.customer_id, timezone=timezone, now=APRIL)
    run = bill_due(now=MAY + timedelta(days=1))

    assert run.failed == {}
    periods = list(BilledPeriod.objects.order_by("starts_at").values_list("starts_at", "ends_at"))
    assert periods[0] == (MARCH, APRIL)
    assert all(before[1] == after[0] for before, after in pairwise(periods))
    assert periods[-1][1] > MAY - timedelta(days=1)


STARTS = [
    ("2026-03-01T00:00:00+00:00", "31"),
    ("2026-03-01T23:59:59+00:00", "31"),
    ("2026-03-02T00:00:00+00:00", "30"),
    ("2026-03-10T12:00:00+00:00", "22"),
    ("2026-03-31T23:59:59+00:00", "1"),
]


@pytest.mark.parametrize(("starts_at", "fee"), STARTS)
def test_the_base_fee_of_a_started_month_is_prorated_by_days(starts_at: str, fee: str) -> None:
    metered(amount="31", starts_at=datetime.fromisoformat(starts_at))

    bill_due(now=APRIL)

    assert lines_of(Invoice.objects.get()) == [(LineKind.BASE, 1, Decimal(fee))]


def test_a_termination_day_is_billed() -> None:
    subscription = metered(amount="31")
    use(subscription, MARCH, MARCH + timedelta(days=4, hours=11), now=MARCH + timedelta(days=5))

    terminate_subscription(subscription.id, now=MARCH + timedelta(days=4, hours=12))

    invoice = Invoice.objects.get()
    assert lines_of(invoice) == [(LineKind.BASE, 1, 5), (LineKind.USAGE, 2, 2)]
    assert (invoice.status, invoice.number, invoice.total) == ("finalized", "INV-2026-000001", 7)
    assert bill_due(now=MAY) == BillingRun()


def test_a_subscription_that_never_began_is_not_billed() -> None:
    subscription = metered(amount="31", starts_at=APRIL)

    terminate_subscription(subscription.id, now=NOW)

    assert bill_due(now=MAY) == BillingRun()
    assert Invoice.objects.count() == 0


ROUNDED = [("USD", "0.005", 1, "0.01"), ("USD", "0.004", 1, "0"), ("JPY", "0.5", 1, "1"), ("KWD", "0.0005", 1, "0.001")]


@pytest.mark.parametrize(("currency", "price", "calls", "amount"), ROUNDED)
def test_a_line_is_rounded_once_to_its_currency(currency: str, price: str, calls: int, amount: str) -> None:
    customer = make_customer(currency=currency)
    subscription = metered(customer=customer, currency=currency, unit_amount=price)
    use(subscription, *[MARCH] * calls)

    bill_due(now=APRIL)

    assert lines_of(Invoice.objects.get()) == [(LineKind.USAGE, calls, Decimal(amount))]


def test_usage_lines_show_their_tiers() -> None:
    tiers = [{"up_to": "2", "unit_amount": "1", "flat_amount": "5"}, {"up_to": None, "unit_amount": "0.5"}]
    charge = make_charge(make_metric(event_type="call"), model="GRADUATED", properties={"tiers": tiers})
    subscription = make_subscription(plan=make_plan(charges=[charge], amount=Decimal(0)), starts_at=MARCH)
    use(subscription, *(MARCH + timedelta(hours=n) for n in range(5)))

    bill_due(now=APRIL)

    line = InvoiceLine.objects.get()
    assert (line.units, line.amount) == (5, Decimal("8.5"))
    assert line.tiers == [
        {
            "above": "0",
            "up_to": "2",
            "units": "2",
            "unit_amount": "1",
            "flat_amount": "5",
            "package_size": None,
            "amount": "7",
        },
        {
            "above": "2",
            "up_to": None,
            "units": "3",
            "unit_amount": "0.5",
            "flat_amount": "0",
            "package_size": None,
            "amount": "1.5",
        },
    ]


def test_numbers_are_gapless_also_around_failures_and_years() -> None:
    customers = [make_customer() for _ in range(3)]
    for customer in customers:
        metered(customer=customer, amount="10")
    with transaction.atomic():
        assert bill_customer(customers[0].id, now=APRIL).finalized == 1
        transaction.set_rollback(True)

    bill_due(now=APRIL)
    bill_due(now=datetime(2027, 1, 1, tzinfo=UTC))

    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    # The nine months since are all finalized in January, which is when they get their numbers.
    assert numbers == [f"INV-2026-{n:06d}" for n in range(1, 4)] + [f"INV-2027-{n:06d}" for n in range(1, 28)]
    assert dict(DocumentCounter.objects.values_list("year", "last")) == {2026: 3, 2027: 27}


def test_an_invoice_over_nothing_is_final_without_a_number() -> None:
    metered(amount="0")

    bill_due(now=APRIL)

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.number, invoice.total) == ("finalized", None, 0)
    assert invoice.payment_status(APRIL) == "paid"
    assert DocumentCounter.objects.count() == 0

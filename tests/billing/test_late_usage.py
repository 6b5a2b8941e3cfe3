"""Late usage: what comes after its period was billed is on the next invoice, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from billing.models import Invoice, InvoiceLine, LateUsage, LineKind
from billing.operations.billing_runs import BillingRun, bill_due
from billing.operations.invoices import finalize_invoice, refresh_invoice
from billing.operations.usage import EventStatus, receive_events
from customers.models import Subscription
from customers.operations.subscriptions import terminate_subscription
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY, JUNE = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6))
HOUR = timedelta(hours=1)
TIERS = {"tiers": [{"up_to": "2", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.25"}]}
VOLUME = {"tiers": [{"up_to": "2", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.1"}]}


def metered(
    *, grace_days: int = 0, starts_at: datetime = MARCH, aggregation: str = "SUM", **price: Any
) -> Subscription:
    """Return a subscription whose plan charges the “tokens” of each “call”, 1 each unless ``price`` says otherwise."""
    metric = make_metric(
        event_type="call",
        aggregation=aggregation,
        property="" if aggregation == "COUNT" else "tokens",
        dimensions=["model"],
    )
    charge = make_charge(metric, **{"unit_amount": "1", **price})
    customer = make_customer(invoice_grace_days=grace_days)
    return make_subscription(
        customer=customer, plan=make_plan(charges=[charge], amount=Decimal(0)), starts_at=starts_at
    )


def use(
    subscription: Subscription,
    at: datetime,
    tokens: int = 1,
    *,
    name: str = "",
    now: datetime = JUNE,
    **properties: Any,
) -> EventStatus:
    """Send one event and return what became of it."""
    sent = {
        "transaction_id": f"{subscription.id} {name or at.isoformat()}",
        "type": "call",
        "timestamp": at.isoformat(),
        "subscription": subscription.id,
        "properties": {"tokens": tokens, **properties},
    }
    [outcome] = receive_events([sent], now=now)
    return outcome.status


def bills() -> list[list[tuple[Any, ...]]]:
    """Return the lines of each invoice: kind, month, units and amount."""
    invoices = Invoice.objects.order_by("billing_day", "created_at", "id")
    return [
        [(line.kind, line.period_start.month, line.units, line.amount) for line in invoice.lines.order_by("position")]
        for invoice in invoices
    ]


def assert_totals_are_sums_of_lines() -> None:
    for invoice in Invoice.objects.all():
        assert invoice.total == invoice.lines.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]


USAGE, LATE = LineKind.USAGE, LineKind.LATE_USAGE


def test_late_usage_is_on_the_next_invoice_once() -> None:
    subscription = metered()
    use(subscription, MARCH, 5)
    bill_due(now=APRIL)

    use(subscription, MARCH + HOUR, 2)
    use(subscription, APRIL, 3)
    assert bill_due(now=MAY - timedelta(microseconds=1)) == BillingRun()
    bill_due(now=MAY)
    bill_due(now=JUNE)

    assert bills() == [[(USAGE, 3, 5, 5)], [(USAGE, 4, 3, 3), (LATE, 3, 2, 2)], []]
    assert LateUsage.objects.count() == 0
    assert_totals_are_sums_of_lines()
    line = InvoiceLine.objects.get(kind=LATE)
    assert line.description.endswith("(late, 2026-03-01)")


def test_usage_that_comes_late_again_is_billed_beyond_what_was_billed_late() -> None:
    subscription = metered()
    bill_due(now=APRIL)
    use(subscription, MARCH, 2)
    bill_due(now=MAY)
    use(subscription, MARCH, 4, name="again")

    bill_due(now=JUNE)

    assert bills() == [[], [(LATE, 3, 2, 2)], [(LATE, 3, 4, 4)]]


def test_late_usage_of_a_terminated_subscription_gets_an_invoice_of_its_own() -> None:
    subscription = metered()
    use(subscription, MARCH, 5)
    terminate_subscription(subscription.id, now=MARCH + timedelta(days=9, hours=12))

    use(subscription, MARCH + HOUR, 2)
    run = bill_due(now=APRIL)

    assert (run.drafted, run.finalized) == (1, 1)
    assert bills() == [[(USAGE, 3, 5, 5)], [(LATE, 3, 2, 2)]]
    assert [invoice.number for invoice in Invoice.objects.order_by("number")] == ["INV-2026-000001", "INV-2026-000002"]
    assert bill_due(now=JUNE) == BillingRun()


def test_usage_in_the_very_hour_of_the_termination_is_late_usage_too() -> None:
    subscription = metered()
    end = MARCH + timedelta(days=9, hours=12, minutes=30)
    terminate_subscription(subscription.id, now=end)

    use(subscription, end - timedelta(minutes=1), 2)
    bill_due(now=APRIL)

    assert bills() == [[], [(LATE, 3, 2, 2)]]


def test_usage_in_the_hour_a_subscription_began_in_is_late_usage_too() -> None:
    start = MARCH + timedelta(minutes=30)
    subscription = metered(starts_at=start)
    bill_due(now=APRIL)

    use(subscription, start, 2)
    bill_due(now=MAY)

    assert bills() == [[], [(LATE, 3, 2, 2)]]


@pytest.mark.parametrize(
    ("at", "billed"),
    [
        (APRIL - timedelta(microseconds=1), [[], [(LATE, 3, 1, 1)]]),
        (APRIL, [[], [(USAGE, 4, 1, 1)]]),
    ],
    ids=["last moment of the old period", "first of the new"],
)
def test_only_usage_of_a_billed_period_is_late(at: datetime, billed: list[Any]) -> None:
    subscription = metered()
    bill_due(now=APRIL)

    use(subscription, at)
    bill_due(now=MAY)

    assert bills() == billed


def test_late_usage_of_several_periods_is_a_line_for_each() -> None:
    subscription = metered()
    bill_due(now=MAY)
    use(subscription, MARCH, 2)
    use(subscription, APRIL, 3)

    bill_due(now=JUNE)

    assert bills()[-1] == [(LATE, 3, 2, 2), (LATE, 4, 3, 3)]


PRICED = [
    # Two units are billed at 1; three more cost a quarter each in the tier that the period has reached.
    ({"model": "GRADUATED", "properties": TIERS}, 2, 3, (LATE, 3, 3, Decimal("0.75"))),
    # Five units at 0.1 are cheaper than the two at 1 that were billed: an invoice takes nothing back.
    ({"model": "VOLUME", "properties": VOLUME}, 2, 3, (LATE, 3, 3, 0)),
    ({"aggregation": "MAX"}, 5, 9, (LATE, 3, 4, 4)),
    ({"aggregation": "MAX"}, 5, 4, None),
    ({"aggregation": "COUNT"}, 5, 4, (LATE, 3, 1, 1)),
    # Together they are a cent, which the invoice before has rounded half a cent up to already.
    ({"unit_amount": "0.005"}, 1, 1, (LATE, 3, 1, 0)),
    ({"unit_amount": "0.002"}, 1, 2, (LATE, 3, 2, Decimal("0.01"))),
]


@pytest.mark.parametrize(("price", "billed", "late", "line"), PRICED)
def test_late_units_cost_what_they_add_to_their_period(
    price: dict[str, Any], billed: int, late: int, line: tuple[Any, ...] | None
) -> None:
    subscription = metered(**price)
    use(subscription, MARCH, billed)
    bill_due(now=APRIL)

    use(subscription, MARCH + HOUR, late)
    bill_due(now=MAY)

    assert bills()[-1] == ([line] if line else [])


def test_a_late_duplicate_is_billed_nothing() -> None:
    subscription = metered()
    use(subscription, MARCH, 5)
    bill_due(now=APRIL)

    assert use(subscription, MARCH, 5) is EventStatus.DUPLICATE
    bill_due(now=MAY)

    assert bills() == [[(USAGE, 3, 5, 5)], []]


def test_a_draft_takes_its_own_late_usage() -> None:
    subscription = metered(grace_days=5)
    use(subscription, MARCH, 5)
    bill_due(now=APRIL)

    use(subscription, MARCH + HOUR, 2)
    bill_due(now=APRIL + timedelta(days=5))
    bill_due(now=MAY + timedelta(days=5))

    assert bills() == [[(USAGE, 3, 7, 7)], []]
    assert LateUsage.objects.count() == 0


def test_a_draft_keeps_the_late_usage_of_other_periods_when_it_is_refreshed() -> None:
    subscription = metered(grace_days=5)
    bill_due(now=APRIL + timedelta(days=5))
    use(subscription, MARCH, 2)
    use(subscription, APRIL, 3)
    bill_due(now=MAY)
    draft = Invoice.objects.drafts().get()

    use(subscription, APRIL + HOUR, 4)
    assert refresh_invoice(draft.id, now=MAY).total == 9
    finalize_invoice(draft.id, now=MAY)
    bill_due(now=JUNE + timedelta(days=5))

    assert bills() == [[], [(USAGE, 4, 7, 7), (LATE, 3, 2, 2)], []]
    assert_totals_are_sums_of_lines()


def test_senders_leave_every_turnstile_behind() -> None:
    subscription = metered()

    use(subscription, MARCH)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)

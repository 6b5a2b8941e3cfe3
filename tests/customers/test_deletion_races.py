"""A termination while usage comes, bills are drawn and children are made: nobody deadlocks, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.db.models import Sum

from billing.models import Invoice, InvoiceLine, LateUsage, UsageEvent, UsagePurge
from billing.operations.billing import bill_customer
from billing.operations.billing_runs import BillingRun, bill_due
from billing.operations.invoices import finalize_invoice
from billing.operations.purges import purge_usage
from billing.queries.books import breaches
from config.kernel.errors import NotFound
from customers.errors import CustomerDeletionBlocked
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, MARCH, MAY, draft, metered, totals, use
from tests.billing.test_wallets_concurrency import at_once
from tests.customers.test_deletion_concurrency import await_somebody_waiting_for_us, meanwhile, refusal_of
from tests.factories import NOW, make_customer, make_subscription

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def terminate(customer_id: str) -> None:
    delete_customer(customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)


def billed_units() -> int:
    return int(InvoiceLine.objects.aggregate(units=Sum("units"))["units"] or 0)


def test_a_termination_waits_for_the_usage_that_is_being_written_and_bills_it() -> None:
    subscription = metered()

    refusal = meanwhile(
        lambda: use(subscription, MARCH, MARCH + HOUR, now=NOW), lambda: terminate(subscription.customer_id)
    )

    assert refusal is None
    assert totals() == [2]
    assert list(breaches()) == []


def test_usage_that_waits_for_the_termination_is_on_the_unclassified_customer() -> None:
    """The sender read the customer while it was alive, and is told under the lock that it no longer is."""
    subscription = metered()
    use(subscription, MARCH, now=NOW)

    refusal = meanwhile(lambda: terminate(subscription.customer_id), lambda: use(subscription, MARCH + HOUR, now=NOW))

    assert refusal is None
    assert UsageEvent.objects.filter(subscription=subscription.id).count() == 1
    assert UsageEvent.objects.get(customer=UNCLASSIFIED_ID).named == f"subscription {subscription.id}"
    assert LateUsage.objects.count() == 0
    assert totals() == [1]
    assert list(breaches()) == []


def test_late_usage_written_while_the_customer_is_deleted_is_billed_and_then_purged() -> None:
    """The subscription ended before, so the deletion takes no lock that a sender would wait for."""
    subscription = metered(customer=make_customer(invoice_grace_days=3))
    terminate_subscription(subscription.id, now=NOW)
    bill_due(now=NOW + 3 * DAY)

    with transaction.atomic():
        use(subscription, MARCH, MARCH + HOUR, now=NOW)
        with ThreadPoolExecutor(1) as pool:
            delete = partial(delete_customer, subscription.customer_id, confirm=True, now=NOW)
            assert pool.submit(refusal_of, delete).result(timeout=30) is None

    assert LateUsage.objects.count() == 2
    assert purge_usage(now=NOW).events == 2
    assert list(breaches()) == []
    assert purge_usage(now=NOW + HOUR).finished == 1
    assert Invoice.objects.drafts().get().total == 2
    assert bill_due(now=NOW + 6 * DAY).finalized == 1
    assert (billed_units(), sum(totals())) == (2, 2)
    assert UsagePurge.objects.get().finished_at == NOW + HOUR
    assert list(breaches()) == []


def test_usage_that_comes_after_the_termination_is_on_the_unclassified_customer() -> None:
    subscription = metered()
    terminate(subscription.customer_id)

    use(subscription, MARCH, now=NOW)

    assert [event.customer_id for event in UsageEvent.objects.all()] == [UNCLASSIFIED_ID]
    assert list(breaches()) == []


def test_a_billing_run_waits_for_the_termination_and_finds_nothing_left() -> None:
    subscription = metered()
    use(subscription, MARCH, now=NOW)
    runs: list[BillingRun] = []

    refusal = meanwhile(lambda: terminate(subscription.customer_id), lambda: runs.append(bill_due(now=APRIL)))

    assert refusal is None
    assert [(run.failed, run.drafted) for run in runs] == [({}, 0)]
    assert totals() == [1]
    assert list(breaches()) == []


def test_a_termination_waits_for_the_bill_that_is_being_drawn_and_goes_on_from_there() -> None:
    subscription = metered()
    use(subscription, MARCH, now=MAY)
    owner = subscription.customer_id

    def run() -> None:
        bill_customer(owner, waits=True, now=APRIL)

    def terminate_in_may() -> None:
        delete_customer(owner, confirm=True, mode=DeletionMode.TERMINATE, now=MAY)

    assert meanwhile(run, terminate_in_may) is None
    assert Invoice.objects.drafts().count() == 0
    assert billed_units() == 1
    assert list(breaches()) == []


@pytest.mark.parametrize("which_first", ["finalization", "termination"])
def test_a_draft_finalized_by_hand_and_by_a_termination_is_finalized_once(which_first: str) -> None:
    invoice, subscription = draft()
    use(subscription, MARCH + HOUR, now=NOW)
    both: dict[str, Callable[[], object]] = {
        "finalization": lambda: finalize_invoice(invoice.id, now=APRIL),
        "termination": lambda: delete_customer(
            subscription.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL
        ),
    }
    first = both.pop(which_first)
    [second] = both.values()

    refusal = meanwhile(first, second)

    assert (refusal is None) == (which_first == "finalization")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.number) == ("finalized", "INV-2026-000001")
    assert not Customer.objects.live().filter(pk=subscription.customer_id).exists()
    assert list(breaches()) == []


def test_terminations_usage_and_billing_runs_all_at_once_keep_the_books_right() -> None:
    subscriptions = [metered(customer=make_customer(invoice_grace_days=3 * (number % 2))) for number in range(6)]
    moments = [MARCH + n * timedelta(minutes=50) for n in range(60)]

    def work(number: int) -> None:
        if number == 0:
            for subscription in subscriptions:
                terminate(subscription.customer_id)
        elif number == 1:
            for _ in range(10):
                assert bill_due(now=NOW).failed == {}
        else:
            for moment in moments[number - 2 :: 2]:
                for subscription in subscriptions:
                    use(subscription, moment, now=NOW)

    at_once(4, work)
    last = bill_due(now=MAY)

    assert last.failed == {}
    assert not Subscription.objects.live().exists()
    counted = UsageEvent.objects.exclude(customer=UNCLASSIFIED_ID).count()
    assert UsageEvent.objects.count() == len(moments) * len(subscriptions)
    assert billed_units() == counted
    assert list(breaches()) == []
    assert purge_usage(now=MAY).finished == len(subscriptions)
    assert UsageEvent.objects.exclude(customer=UNCLASSIFIED_ID).count() == 0
    assert list(breaches()) == []


def test_a_parent_waits_for_the_child_that_is_being_made_and_is_then_blocked_by_it() -> None:
    parent = make_customer()

    refusal = meanwhile(lambda: make_customer(parent=parent.id), lambda: terminate(parent.id))

    assert isinstance(refusal, CustomerDeletionBlocked)
    assert Customer.objects.live().filter(parent=parent).count() == 1


def test_a_child_waits_for_the_deletion_of_its_parent_and_is_then_not_made() -> None:
    parent = make_subscription().customer

    refusal = meanwhile(lambda: terminate(parent.id), lambda: make_customer(parent=parent.id))

    assert isinstance(refusal, NotFound)
    assert not Customer.objects.filter(parent=parent).exists()


def test_a_termination_of_several_subscriptions_and_a_batch_for_all_of_them_wait_for_each_other_in_one_order() -> None:
    customer = make_customer()
    # The one that began later has the lower id, by which a sender locks; a termination goes by the beginning.
    later = metered(customer=customer, starts_at=APRIL - HOUR, now=APRIL)
    earlier = metered(customer=customer, now=APRIL)

    def delete() -> None:
        delete_customer(customer.id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        use(later, APRIL - HOUR, now=APRIL)
        deletion = pool.submit(refusal_of, delete)
        await_somebody_waiting_for_us()
        use(earlier, APRIL - HOUR, now=APRIL)

    assert deletion.result(timeout=30) is None
    assert sum(totals()) == 2
    assert list(breaches()) == []

"""Deletion of a customer with all that is open: what the guards ask for is done, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.models import Hold, HoldStatus, Invoice, LedgerEntry, LedgerKind, Wallet
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from billing.operations.purges import request_purge
from billing.operations.usage import record_events
from billing.queries.books import breaches
from config.kernel.guards import Verdict, deletion_report
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.errors import CustomerDeletionBlocked, CustomerDeletionNeedsConfirmation, SystemCustomer
from customers.events import CustomerDeleted, CustomerTerminating, SubscriptionCanceled, SubscriptionTerminated
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_customer
from tests.billing.bills import APRIL, MARCH, MAY, draft, metered, use
from tests.events import heard
from tests.factories import NOW, make_customer, make_event, make_hold, make_plan, make_subscription, make_wallet

pytestmark = pytest.mark.django_db


def terminate(customer: Customer, *, confirm: bool = True, now: datetime = NOW) -> Customer:
    return delete_customer(customer.id, confirm=confirm, mode=DeletionMode.TERMINATE, now=now)


def test_subscriptions_end_with_their_final_invoices_which_stay_due() -> None:
    customer = make_customer()
    running = make_subscription(customer=customer, plan=make_plan(amount=Decimal(31)), starts_at=MARCH)
    pending = make_subscription(customer=customer, starts_at=APRIL)

    with heard(SubscriptionTerminated) as terminated, heard(SubscriptionCanceled) as canceled:
        terminate(customer)

    running.refresh_from_db()
    pending.refresh_from_db()
    [invoice] = Invoice.objects.filter(customer=customer)
    assert (running.terminated_at, pending.canceled_at) == (NOW, NOW)
    assert ([one.subscription_id for one in terminated], [one.subscription_id for one in canceled]) == (
        [running.id], [pending.id],
    )  # fmt: skip
    assert (invoice.status, invoice.amount_due, invoice.number) == ("finalized", Decimal(10), "INV-2026-000001")
    assert not Customer.objects.live().filter(pk=customer.pk).exists()
    assert list(breaches()) == []


def test_usage_that_was_not_billed_yet_is_on_the_final_invoice() -> None:
    subscription = metered()
    use(subscription, MARCH, MARCH + timedelta(days=1), now=NOW)

    terminate(subscription.customer)

    assert Invoice.objects.get().total == 2


def test_drafts_are_refreshed_and_finalized_whatever_is_left_of_their_grace() -> None:
    invoice, subscription = draft()
    use(subscription, MARCH + timedelta(days=2), now=APRIL)

    terminate(subscription.customer, now=APRIL)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.total, invoice.issued_at) == ("finalized", 2, APRIL)
    assert not Invoice.objects.drafts().exists()
    assert list(breaches()) == []


def test_usage_that_came_late_is_billed_before_the_customer_goes() -> None:
    subscription = metered()
    terminate_subscription(subscription.id, now=NOW)
    use(subscription, MARCH, now=NOW)

    terminate(subscription.customer)

    assert [(one.status, one.total) for one in Invoice.objects.filter(total__gt=0)] == [("finalized", 1)]


def test_an_end_that_had_come_but_was_not_written_down_yet_is_the_end() -> None:
    subscription = metered(amount="31")
    Subscription.objects.filter(pk=subscription.pk).update(ends_at=NOW - timedelta(days=2))

    terminate(subscription.customer)

    subscription.refresh_from_db()
    assert subscription.terminated_at == NOW - timedelta(days=2)


def test_what_is_open_goes_with_the_keys_holds_and_wallets() -> None:
    subscription = make_subscription()
    customer = subscription.customer
    issue_customer_key(customer.id, name="K", scopes=["*"], now=NOW)
    make_hold(wallet=make_wallet(customer=customer, balance="5"))

    terminate(customer)

    assert set(Credential.objects.values_list("revoked_at", "digest")) == {(NOW, None)}
    wallet, hold = Wallet.objects.get(), Hold.objects.get()
    assert (wallet.balance, wallet.held, wallet.closed_at, hold.status) == (0, 0, NOW, HoldStatus.RELEASED)
    assert LedgerEntry.objects.get(wallet=wallet, kind=LedgerKind.VOID).amount == 5
    assert list(breaches()) == []


def test_an_open_invoice_is_collected_after_the_customer_is_gone() -> None:
    subscription = metered()
    use(subscription, MARCH, now=NOW)
    terminate(subscription.customer)
    invoice = Invoice.objects.get()

    payment = record_payment(invoice.id, amount=Decimal(3), now=MAY)

    assert (payment.applied, payment.customer_id) == (1, subscription.customer_id)
    assert not Invoice.objects.open().exists()
    assert bill_due(now=MAY).customers == 0
    assert list(breaches()) == []


def test_live_children_outlast_termination_and_deleted_ones_do_not() -> None:
    parent = make_subscription().customer
    child = make_customer(parent=parent.id)

    with pytest.raises(CustomerDeletionBlocked) as refusal:
        terminate(parent)
    assert [(one["code"], one["verdict"]) for one in refusal.value.details["findings"][:1]] == [  # type: ignore[index]
        ("child_customers", "BLOCK")
    ]
    assert Subscription.objects.live().filter(customer=parent).exists()

    delete_customer(child.id, confirm=False, now=NOW)
    assert terminate(parent).deleted_at == NOW


@pytest.mark.parametrize("what", ["subscription", "key"])
def test_whatever_is_ended_has_to_be_confirmed(what: str) -> None:
    customer = make_customer()
    if what == "subscription":
        make_subscription(customer=customer)
    else:
        issue_customer_key(customer.id, name="K", scopes=["*"], now=NOW)

    with pytest.raises(CustomerDeletionNeedsConfirmation) as refusal:
        terminate(customer, confirm=False)

    assert refusal.value.details["customer_id"] == customer.id
    assert Customer.objects.live().filter(pk=customer.pk).exists()
    assert Subscription.objects.live().count() == (what == "subscription")
    assert Credential.objects.filter(revoked_at__isnull=False).count() == 0


def test_a_customer_with_nothing_needs_no_confirmation() -> None:
    customer = make_customer()

    with heard(CustomerTerminating) as terminating, heard(CustomerDeleted) as deleted:
        terminate(customer, confirm=False)

    assert terminating == [CustomerTerminating(customer_id=customer.id, at=NOW)]
    assert deleted == [CustomerDeleted(customer_id=customer.id, at=NOW)]


def test_a_guarded_deletion_terminates_nothing() -> None:
    with heard(CustomerTerminating) as terminating:
        delete_customer(make_customer().id, confirm=True, now=NOW)

    assert terminating == []


def test_a_suspended_customer_is_terminated_all_the_same() -> None:
    customer = make_subscription().customer
    suspend_customer(customer.id, now=NOW)

    assert terminate(customer).deleted_at == NOW


def test_the_unclassified_customer_is_never_terminated() -> None:
    with pytest.raises(SystemCustomer):
        delete_customer(UNCLASSIFIED_ID, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)


def test_a_termination_that_fails_at_its_last_step_leaves_everything_as_it_was() -> None:
    subscription = metered()
    use(subscription, MARCH, now=NOW)
    request_purge(subscription.customer_id, now=NOW)

    with pytest.raises(IntegrityError, match="billing_usagepurge"), transaction.atomic():
        terminate(subscription.customer)

    assert Customer.objects.live().filter(pk=subscription.customer_id).exists()
    assert Subscription.objects.live().filter(pk=subscription.pk).exists()
    assert (Invoice.objects.count(), Credential.objects.filter(revoked_at__isnull=False).count()) == (0, 0)


def test_each_subscription_of_many_gets_its_own_final_invoice_lines() -> None:
    customer = make_customer()
    plan = make_plan(amount=Decimal(31))
    subscriptions = [make_subscription(customer=customer, plan=plan, starts_at=MARCH) for _ in range(3)]
    record_events([make_event(one, at=NOW) for one in subscriptions], now=NOW)

    terminate(customer)

    billed = Invoice.objects.filter(customer=customer).values_list("lines__subscription", flat=True)
    assert set(billed) == {one.id for one in subscriptions}
    assert deletion_report(customer).verdict is Verdict.BLOCK

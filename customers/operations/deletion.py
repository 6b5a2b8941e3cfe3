"""Deletion of a customer under the guards of every app, or with all that is open."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models, transaction

from config.kernel.events import publish
from config.kernel.guards import DeletionReport, Verdict, deletion_report
from config.kernel.ids import TypeID
from customers.errors import CustomerDeletionBlocked, CustomerDeletionNeedsConfirmation
from customers.events import CustomerDeleted, CustomerTerminating
from customers.models import Customer, Subscription
from customers.operations.customers import lock_customer
from customers.operations.subscription_steps import write_due_ends
from customers.operations.subscriptions import terminate_subscription


class DeletionMode(models.TextChoices):
    """What becomes of a customer that something stands in the way of deleting."""

    GUARDED = "guarded", "Delete where nothing stands in the way"
    TERMINATE = "terminate", "Terminate what is open, then delete"


@transaction.atomic
def delete_customer(
    customer_id: str, *, confirm: bool, mode: DeletionMode = DeletionMode.GUARDED, now: datetime
) -> Customer:
    """
    Delete the customer: it leaves every list, its e-mail and external id are free again, its invoices stay.

    ``TERMINATE`` first ends what is open: subscriptions with their final invoices, drafts, holds, wallets. What is due
    then stays due and can be paid. The report is computed under the lock that the deletion holds, so nothing can slip
    in between.

    Raises:
        CustomerDeletionBlocked: a guard blocks it in this mode; ``details`` is the report.
        CustomerDeletionNeedsConfirmation: a guard warns, or blocks what is to be terminated, and ``confirm`` is not
            set.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    _refuse(customer, deletion_report(customer), confirm, mode)
    if mode == DeletionMode.TERMINATE:
        _terminate_subscriptions(customer, now)
        publish(CustomerTerminating(customer_id=customer.id, at=now))

    customer.deleted_at = now
    customer.save_changes("deleted_at", now=now)
    publish(CustomerDeleted(customer_id=customer.id, at=now))
    return customer


def keep_customer(customer_id: TypeID) -> None:
    """
    Keep the customer, deleted or not, as it is until the transaction ends, together with others who do the same.

    Whoever writes about a customer without locking it calls this before any other lock. PostgreSQL would take this very
    lock at the commit, for the foreign keys: too late, because a deletion may then wait for what the writer holds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM customers_customer WHERE id = %s FOR KEY SHARE", [customer_id.uuid])


def _refuse(customer: Customer, report: DeletionReport, confirm: bool, mode: DeletionMode) -> None:
    """Raise what keeps the customer from being deleted this way, if there is anything."""
    told = {"customer_id": customer.id, **report.document()}
    blocks = report.outlasts_termination if mode == DeletionMode.TERMINATE else report.verdict is Verdict.BLOCK
    if blocks:
        raise CustomerDeletionBlocked(**told)
    if report.verdict is not Verdict.ALLOW and not confirm:
        raise CustomerDeletionNeedsConfirmation(**told)


def _terminate_subscriptions(customer: Customer, now: datetime) -> None:
    """End every subscription of the locked customer that has not ended; one that has not begun is canceled."""
    write_due_ends(customer.id, now=now)
    live = Subscription.objects.live().filter(customer=customer)
    for subscription_id in list(live.order_by("starts_at", "id").values_list("pk", flat=True)):
        # The end of one may have canceled the one that was to follow it.
        if live.filter(pk=subscription_id).exists():
            terminate_subscription(subscription_id, now=now)

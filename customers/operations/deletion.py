"""Deletion of a customer under the guards of every app."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report
from customers.errors import CustomerDeletionBlocked, CustomerDeletionNeedsConfirmation
from customers.events import CustomerDeleted
from customers.models import Customer
from customers.operations.customers import lock_customer


@transaction.atomic
def delete_customer(customer_id: str, *, confirm: bool, now: datetime) -> Customer:
    """
    Delete the customer: it leaves every list, its e-mail and external id are free again, its invoices stay.

    The report is computed under the lock that the deletion holds, so nothing can slip in between.

    Raises:
        CustomerDeletionBlocked: a guard blocks it; ``details`` is the report.
        CustomerDeletionNeedsConfirmation: a guard warns and ``confirm`` is not set.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    report = deletion_report(customer)
    if report.verdict is Verdict.BLOCK:
        raise CustomerDeletionBlocked(customer_id=customer.id, **report.document())
    if report.verdict is Verdict.WARN and not confirm:
        raise CustomerDeletionNeedsConfirmation(customer_id=customer.id, **report.document())

    customer.deleted_at = now
    customer.save_changes("deleted_at", now=now)
    publish(CustomerDeleted(customer_id=customer.id, at=now))
    return customer

"""Suspension: switch a customer's access off and on again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.events import publish
from config.kernel.history import because
from customers.errors import CustomerNotSuspended, SuspensionEndsInThePast
from customers.events import CustomerReactivated, CustomerSuspended
from customers.models import Customer
from customers.operations.customers import lock_customer

SUSPENSION_FIELDS = ("suspended_at", "suspended_until", "suspension_reason")


@transaction.atomic
def suspend_customer(customer_id: str, *, reason: str = "", until: datetime | None = None, now: datetime) -> Customer:
    """
    Switch the customer's access off from ``now`` until ``until`` (exclusive), or for good.

    A customer that is suspended already keeps the moment it began and gets the new reason and end.

    Raises:
        SuspensionEndsInThePast: ``until`` is not after ``now``.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    if until is not None and until <= now:
        raise SuspensionEndsInThePast(until=until)

    if not customer.is_suspended(now):
        customer.suspended_at = now
    customer.suspended_until = until
    customer.suspension_reason = reason
    customer.save_changes(*SUSPENSION_FIELDS, now=now)
    publish(CustomerSuspended(customer_id=customer.id, at=now, until=until, reason=reason))
    return customer


@transaction.atomic
def reactivate_customer(customer_id: str, *, now: datetime) -> Customer:
    """
    Switch the customer's access on.

    Raises:
        CustomerNotSuspended: it is on.
    """
    customer = lock_customer(customer_id)
    if not customer.is_suspended(now):
        raise CustomerNotSuspended
    return _lift(customer, now)


@transaction.atomic
def expire_suspension(customer_id: str, *, now: datetime) -> bool:
    """Lift the suspension if its end has come, and tell whether it had; running it twice is harmless."""
    customer = Customer.objects.lock(customer_id)
    if customer.suspended_until is None or customer.suspended_until > now:
        return False
    _lift(customer, now)
    return True


def expire_due_suspensions(*, now: datetime) -> int:
    """Lift every suspension that has run out at ``now``, each in its own transaction, and return how many."""
    due = Customer.objects.live().suspension_over(now).order_by("suspended_until", "id")
    with because("The suspension's end has come"):
        return sum(expire_suspension(pk, now=now) for pk in due.values_list("pk", flat=True))


def _lift(customer: Customer, now: datetime) -> Customer:
    customer.suspended_at = None
    customer.suspended_until = None
    customer.suspension_reason = ""
    customer.save_changes(*SUSPENSION_FIELDS, now=now)
    publish(CustomerReactivated(customer_id=customer.id, at=now))
    return customer

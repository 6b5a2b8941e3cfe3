"""Status: whether a customer is a going concern, and the way from any status to any other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.events import publish
from customers.events import CustomerUpdated
from customers.models import Customer, CustomerStatus
from customers.operations.customers import lock_customer, update_customer
from customers.operations.suspension import reactivate_customer, suspend_customer


@transaction.atomic
def deactivate_customer(customer_id: str, *, now: datetime) -> Customer:
    """
    Take no new subscriptions and keys for the customer; what it has goes on. An inactive one stays as it is.

    Raises:
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    return customer if customer.deactivated_at is not None else _mark(customer, now, now=now)


@transaction.atomic
def activate_customer(customer_id: str, *, now: datetime) -> Customer:
    """
    Take new subscriptions and keys again; one that is not inactive stays as it is.

    Raises:
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    return customer if customer.deactivated_at is None else _mark(customer, None, now=now)


@transaction.atomic
def set_status(customer_id: str, *, status: str, now: datetime, **changes: Any) -> Customer:
    """
    Bring the customer to ``status``, and change fields as :func:`update_customer` does: all of it or nothing.

    ``suspended`` switches access off for good, unless it is off already. ``active`` and ``inactive`` lift a suspension.

    Raises:
        DomainError: what :func:`update_customer` refuses.
    """
    customer = update_customer(customer_id, now=now, **changes)
    if status == CustomerStatus.SUSPENDED:
        return customer if customer.is_suspended(now) else suspend_customer(customer_id, now=now)
    if customer.is_suspended(now):
        reactivate_customer(customer_id, now=now)
    turn = activate_customer if status == CustomerStatus.ACTIVE else deactivate_customer
    return turn(customer_id, now=now)


def _mark(customer: Customer, moment: datetime | None, *, now: datetime) -> Customer:
    customer.deactivated_at = moment
    customer.save_changes("deactivated_at", now=now)
    publish(CustomerUpdated(customer_id=customer.id, at=now, fields=("status",)))
    return customer

"""Customers: create and change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.events import publish
from config.kernel.locks import lock_reason
from customers.errors import CustomerFieldLocked, DuplicateEmail, DuplicateExternalId, SystemCustomer
from customers.events import CustomerCreated, CustomerTierChanged, CustomerUpdated
from customers.models import Customer, Tier

#: What stays as it is once something is assigned to the customer.
LOCKED_FIELDS = ("external_id", "currency")


@dataclass(frozen=True, kw_only=True)
class CustomerFields:
    """What an operator or integrator fills in."""

    name: str
    email: str
    external_id: str | None = None
    tier: str = Tier.FREE
    currency: str = "USD"
    timezone: str = "UTC"
    legal_name: str = ""
    billing_email: str = ""
    net_payment_term_days: int = 30
    invoice_grace_days: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def create_customer(fields: CustomerFields, *, with_key: bool = False, now: datetime) -> Customer:
    """
    Create a customer; ``with_key`` asks for a first customer key, whose secret goes to ``issued_secrets``.

    Raises:
        DuplicateEmail, DuplicateExternalId: a live customer has it.
    """
    customer = Customer(**asdict(fields), created_at=now, updated_at=now)
    with _one_live_customer(customer):
        customer.save(force_insert=True)
    publish(CustomerCreated(customer_id=customer.id, at=now, wants_key=with_key))
    return customer


@transaction.atomic
def update_customer(customer_id: str, *, now: datetime, **changes: Any) -> Customer:
    """
    Change the named fields of :class:`CustomerFields`; values it has already are no change.

    Raises:
        CustomerFieldLocked: ``external_id`` or ``currency`` after something was assigned.
        DuplicateEmail, DuplicateExternalId: another live customer has it.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    previous_tier = customer.tier
    changed = customer.assign(changes)
    if not changed:
        return customer
    _refuse_locked(customer, changed)
    with _one_live_customer(customer):
        customer.save_changes(*changed, now=now)
    publish(CustomerUpdated(customer_id=customer.id, at=now, fields=tuple(changed)))
    if "tier" in changed:
        publish(CustomerTierChanged(customer_id=customer.id, at=now, previous=previous_tier, tier=customer.tier))
    return customer


def lock_customer(customer_id: str) -> Customer:
    """
    Lock a live customer that is not the system's own.

    Raises:
        NotFound: unknown or deleted.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = Customer.objects.live().lock(customer_id)
    if customer.is_system:
        raise SystemCustomer
    return customer


def _refuse_locked(customer: Customer, changed: list[str]) -> None:
    """Refuse a change of a locked field once something is assigned."""
    locked = next((name for name in LOCKED_FIELDS if name in changed), None)
    if locked is not None and (reason := lock_reason(customer)) is not None:
        raise CustomerFieldLocked(param=locked, field=locked, reason=reason)


@contextmanager
def _one_live_customer(customer: Customer) -> Iterator[None]:
    """Tell the two unique constraints as refusals."""
    refusals = {
        "customer_one_live_per_email": DuplicateEmail(email=customer.email),
        "customer_one_live_per_external_id": DuplicateExternalId(external_id=customer.external_id),
    }
    with refusing(refusals):
        yield

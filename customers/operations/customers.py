"""Customers: create and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.events import publish
from config.kernel.locks import lock_reason
from config.kernel.metadata import merged_metadata
from customers.domains import normalised_domains
from customers.errors import (
    CircularParent,
    CustomerFieldLocked,
    DuplicateEmail,
    DuplicateExternalId,
    HierarchyTooDeep,
    SystemCustomer,
)
from customers.events import CustomerCreated, CustomerTierChanged, CustomerUpdated
from customers.models import MAX_DEPTH, BillingMode, Customer, PaymentProvider, Tier

#: What stays as it is once something is assigned to the customer.
LOCKED_FIELDS = ("external_id", "currency")


@dataclass(frozen=True, kw_only=True)
class CustomerFields:
    """What an operator or integrator fills in; ``parent`` is an id, a limit that is None is the tier's."""

    name: str
    email: str
    external_id: str | None = None
    parent: str | None = None
    tier: str = Tier.FREE
    daily_requests: int | None = None
    rate_limit: int | None = None
    max_tokens_per_request: int | None = None
    currency: str = "USD"
    timezone: str = "UTC"
    legal_name: str = ""
    tax_id: str = ""
    address_line1: str = ""
    address_line2: str = ""
    address_city: str = ""
    address_state: str = ""
    address_zip: str = ""
    address_country: str = ""
    billing_email: str = ""
    billing_phone: str = ""
    remittance_instructions: str = ""
    payment_provider: str = PaymentProvider.MANUAL
    billing_mode: str = BillingMode.POSTPAID
    net_payment_term_days: int = 30
    invoice_grace_days: int = 0
    associated_domains: Sequence[str] = ()
    storefront_url: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def create_customer(fields: CustomerFields, *, with_key: bool = False, now: datetime) -> Customer:
    """
    Create a customer; ``with_key`` asks for a first customer key, whose secret goes to ``issued_secrets``.

    Raises:
        DuplicateEmail, DuplicateExternalId: a live customer has it.
        HierarchyTooDeep: the parent stands at the bottom of a tree that is as deep as one may be.
        Invalid: an associated domain is no domain name.
        NotFound: the parent is no live customer, or the system's own.
    """
    given = asdict(fields)
    parent = given.pop("parent")
    if parent is not None:
        # The lock keeps the parent from being deleted under its new child.
        given["parent"] = _lock_parent(parent)
    given["associated_domains"] = normalised_domains(fields.associated_domains)
    customer = Customer(**given, created_at=now, updated_at=now)
    with _sound(customer):
        customer.save(force_insert=True)
    publish(CustomerCreated(customer_id=customer.id, at=now, wants_key=with_key))
    return customer


@transaction.atomic
def update_customer(
    customer_id: str, *, now: datetime, metadata_changes: Mapping[str, Any] | None = None, **changes: Any
) -> Customer:
    """
    Change the named fields of :class:`CustomerFields`; values it has already are no change.

    ``metadata_changes`` are laid over the metadata that there is, None removing a key; ``metadata`` replaces it.

    Raises:
        CircularParent, HierarchyTooDeep: the customer cannot stand below that parent.
        CustomerFieldLocked: ``external_id`` or ``currency`` after something was assigned.
        DuplicateEmail, DuplicateExternalId: another live customer has it.
        Invalid: an associated domain is no domain name, or there would be too much metadata.
        NotFound: the customer or its new parent is no live customer, or the parent is the system's own.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = _lock_with_parent(customer_id, changes.get("parent"))
    previous_tier = customer.tier
    changed = customer.assign(_as_kept(customer, changes, metadata_changes))
    if not changed:
        return customer
    _refuse_locked(customer, changed)
    with _sound(customer):
        customer.save_changes(*changed, now=now)
    publish(CustomerUpdated(customer_id=customer.id, at=now, fields=tuple(_as_named(changed))))
    if "tier" in changed:
        publish(CustomerTierChanged(customer_id=customer.id, at=now, previous=previous_tier, tier=customer.tier))
    return customer


def lock_customer(customer_id: str, *, param: str | None = None) -> Customer:
    """
    Lock a live customer that is not the system's own; ``param`` is the field of the input that names it.

    Raises:
        NotFound: unknown or deleted.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = Customer.objects.live().lock(customer_id, param=param)
    if customer.is_system:
        raise SystemCustomer(param=param)
    return customer


def _lock_with_parent(customer_id: str, parent_id: str | None) -> Customer:
    """
    Lock the customer, and where it is to have a parent also that: the parent may not be deleted under it.

    The two are locked in the order of their ids, or two customers that change places would wait for each other.
    """
    if parent_id is not None and str(parent_id) < str(customer_id):
        _lock_parent(parent_id)
    customer = lock_customer(customer_id)
    if parent_id is not None and str(parent_id) > str(customer_id):
        _lock_parent(parent_id)
    return customer


def _lock_parent(parent_id: str) -> Customer:
    return Customer.objects.live().real().lock(parent_id, param="parent")


def _as_kept(customer: Customer, changes: dict[str, Any], metadata_changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the changes by the attributes of the model and in the form that is stored."""
    kept = dict(changes)
    if "parent" in kept:
        kept["parent_id"] = kept.pop("parent")
    if "associated_domains" in kept:
        kept["associated_domains"] = normalised_domains(kept["associated_domains"])
    if metadata_changes is not None:
        kept["metadata"] = merged_metadata(customer.metadata, metadata_changes)
    return kept


def _as_named(attributes: list[str]) -> list[str]:
    """Return the attributes of the model by the names of :class:`CustomerFields`."""
    return ["parent" if name == "parent_id" else name for name in attributes]


def _refuse_locked(customer: Customer, changed: list[str]) -> None:
    """Refuse a change of a locked field once something is assigned."""
    locked = next((name for name in LOCKED_FIELDS if name in changed), None)
    if locked is not None and (reason := lock_reason(customer)) is not None:
        raise CustomerFieldLocked(param=locked, field=locked, reason=reason)


@contextmanager
def _sound(customer: Customer) -> Iterator[None]:
    """Tell what the database promises of customers as refusals: two unique constraints and the trees' soundness."""
    refusals = {
        "customer_one_live_per_email": DuplicateEmail(email=customer.email),
        "customer_one_live_per_external_id": DuplicateExternalId(external_id=customer.external_id),
        "customer_is_not_its_own_parent": CircularParent(),
        "customer_tree_has_no_circle": CircularParent(),
        "customer_tree_is_not_too_deep": HierarchyTooDeep(deepest=MAX_DEPTH),
    }
    with refusing(refusals):
        yield

"""Subscribers: create, change, assign to a customer and delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report
from customers.errors import (
    DuplicateSubscriberEmail,
    DuplicateSubscriberId,
    NoSuggestedCustomer,
    SubscriberCustomerLocked,
    SubscriberDeletionNeedsConfirmation,
)
from customers.events import SubscriberDeleted, SubscriberReassigned
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber
from customers.operations.customers import lock_customer
from customers.queries.suggestions import with_suggestions


@transaction.atomic
def create_subscriber(
    *,
    email: str,
    customer: str = UNCLASSIFIED_ID,
    first_name: str = "",
    last_name: str = "",
    subscriber_id: str | None = None,
    now: datetime,
) -> Subscriber:
    """
    Create a subscriber of ``customer`` (an id); ``subscriber_id`` is our own id where none is given.

    Raises:
        NotFound: unknown customer.
        DuplicateSubscriberEmail, DuplicateSubscriberId: a live subscriber of the customer has it.
    """
    subscriber = Subscriber(
        customer=_lock_owner(customer),
        email=email,
        first_name=first_name,
        last_name=last_name,
        created_at=now,
        updated_at=now,
    )
    subscriber.subscriber_id = subscriber_id or subscriber.id
    with _one_live_subscriber(subscriber):
        subscriber.save(force_insert=True)
    return subscriber


@transaction.atomic
def update_subscriber(pk: str, /, *, customer: str | None = None, now: datetime, **changes: Any) -> Subscriber:
    """
    Change fields of the subscriber ``pk``, or assign it to ``customer`` (an id); values it has are no change.

    An empty ``subscriber_id`` is our own id again.

    Raises:
        NotFound: unknown subscriber or customer.
        SubscriberCustomerLocked: another customer is given, and it belongs to one already.
        DuplicateSubscriberEmail, DuplicateSubscriberId: a live subscriber of the customer has it.
    """
    # The customer first, as where one is deleted, or the two could wait for each other.
    owner = None if customer is None else _lock_owner(customer)
    subscriber = Subscriber.objects.live().lock(pk)
    previous = subscriber.customer_id
    if owner is not None and owner.id != previous:
        if previous != UNCLASSIFIED_ID:
            raise SubscriberCustomerLocked(customer=previous)
        changes["customer_id"] = owner.id
    if "subscriber_id" in changes:
        changes["subscriber_id"] = changes["subscriber_id"] or subscriber.id
    changed = subscriber.assign(changes)
    if changed:
        with _one_live_subscriber(subscriber):
            subscriber.save_changes(*changed, now=now)
    if "customer_id" in changed:
        whose = {"customer_id": subscriber.customer_id, "previous_customer_id": previous}
        publish(SubscriberReassigned(subscriber_id=subscriber.id, **whose, at=now))
    return subscriber


def reassign_subscriber(subscriber_id: str, *, customer: str, now: datetime) -> Subscriber:
    """
    Assign a subscriber of the UNCLASSIFIED customer to ``customer`` (an id).

    Raises:
        NotFound: unknown subscriber or customer.
        SubscriberCustomerLocked: it belongs to another customer already.
        DuplicateSubscriberEmail, DuplicateSubscriberId: a live subscriber of the customer has it.
    """
    return update_subscriber(subscriber_id, customer=customer, now=now)


@transaction.atomic
def assign_suggested_customer(subscriber_id: str, *, now: datetime) -> Subscriber:
    """
    Assign an unclassified subscriber to the only customer that its e-mail domain is associated with.

    Raises:
        NoSuggestedCustomer: there is none, or more than one.
        DuplicateSubscriberEmail, DuplicateSubscriberId: a live subscriber of the customer has it.
    """
    [subscriber] = with_suggestions([Subscriber.objects.live().find(subscriber_id)])
    if subscriber.suggestion is None:
        raise NoSuggestedCustomer(domain=subscriber.email_domain)
    return update_subscriber(subscriber_id, customer=subscriber.suggestion.pk, now=now)


@transaction.atomic
def delete_subscriber(subscriber_id: str, *, confirm: bool, now: datetime) -> Subscriber:
    """
    Delete the subscriber: it leaves every list and its e-mail is free again, its keys are revoked; its usage stays.

    Raises:
        SubscriberDeletionNeedsConfirmation: keys are bound to it and ``confirm`` is not set; ``details`` is the report.
    """
    subscriber = Subscriber.objects.live().lock(subscriber_id)
    report = deletion_report(subscriber)
    if report.verdict is not Verdict.ALLOW and not confirm:
        raise SubscriberDeletionNeedsConfirmation(subscriber_id=subscriber.id, **report.document())
    subscriber.deleted_at = now
    subscriber.save_changes("deleted_at", now=now)
    publish(SubscriberDeleted(customer_id=subscriber.customer_id, subscriber_id=subscriber.id, at=now))
    return subscriber


def _lock_owner(customer_id: str) -> Customer:
    """
    Lock the customer that is to have a subscriber; the UNCLASSIFIED one may, and is never deleted.

    Raises:
        NotFound: unknown or deleted.
    """
    # A lock on the row that all unattributed usage refers to would make its ingestion wait.
    is_unclassified = customer_id == UNCLASSIFIED_ID
    return Customer.objects.find(customer_id) if is_unclassified else lock_customer(customer_id, param="customer")


@contextmanager
def _one_live_subscriber(subscriber: Subscriber) -> Iterator[None]:
    """Tell the two unique constraints as refusals."""
    refusals = {
        "subscriber_one_live_per_email": DuplicateSubscriberEmail(email=subscriber.email),
        "subscriber_one_live_per_subscriber_id": DuplicateSubscriberId(subscriber_id=subscriber.subscriber_id),
    }
    with refusing(refusals):
        yield

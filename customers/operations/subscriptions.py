"""Subscriptions: start, change and terminate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from customers.errors import DuplicateSubscriptionExternalId, PlanChangePending, SubscriptionEnded
from customers.models import BillingTime, Subscription, SubscriptionStatus
from customers.operations.customers import lock_customer
from customers.operations.subscription_steps import (
    cancel,
    lock_plan,
    lock_subscription,
    locked,
    publish_end,
    publish_start,
    publish_update,
    refuse_end,
    refuse_unsellable,
    take_back_change,
    write_due_ends,
)
from customers.queries.successors import pending_successor

LIVE = (SubscriptionStatus.PENDING, SubscriptionStatus.ACTIVE)


@transaction.atomic
def start_subscription(
    *,
    customer: str,
    plan: str,
    external_id: str | None = None,
    name: str = "",
    billing_time: str = BillingTime.CALENDAR,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    bill_from: datetime | None = None,
    now: datetime,
) -> Subscription:
    """
    Subscribe ``customer`` to ``plan`` (ids) from ``starts_at`` (now), which may lie in the past or the future.

    It goes on until ``ends_at``, or until somebody ends it. There is nothing to bill before ``bill_from``; usage is
    kept by the hour, and the hour it falls in is billed whole. The credential that fits the product is issued in the
    same transaction; its secret goes to ``issued_secrets``.

    Raises:
        NotFound: unknown customer or plan.
        CustomerIsSuspended, CustomerIsInactive, PlanNotActive, ProductNotSubscribable, CurrencyMismatch: not now.
        SubscriptionEndsInThePast: ``ends_at`` is not after now and the start.
        Invalid: ``bill_from`` is before the start.
        DuplicateSubscriptionExternalId: another live subscription has it.
    """
    owner = lock_customer(customer, param="customer")
    chosen = lock_plan(plan)
    start = starts_at or now
    refuse_unsellable(owner, chosen, now=now)
    refuse_end(ends_at, starts_at=start, param="ends_at", now=now)
    if bill_from is not None and bill_from < start:
        raise Invalid("bill_from", "A subscription is billed from its start or later")

    write_due_ends(owner.id, now=now)
    subscription = Subscription(
        customer=owner,
        plan=chosen,
        external_id=external_id,
        name=name or chosen.name,
        billing_time=billing_time,
        starts_at=start,
        anchor_at=start,
        bill_from=bill_from,
        ends_at=ends_at,
        created_at=now,
        updated_at=now,
    )
    with _one_live_subscription(subscription):
        subscription.save(force_insert=True)
    publish_start(subscription, now=now)
    return subscription


@transaction.atomic
def update_subscription(subscription_id: str, *, now: datetime, **changes: Any) -> Subscription:
    """
    Change ``name`` (the plan's where empty), ``external_id`` and ``ends_at``; values it has already are no change.

    Raises:
        SubscriptionEnded: it is terminated or canceled.
        SubscriptionEndsInThePast: ``ends_at`` is not after now and the start.
        PlanChangePending: ``ends_at`` is where the next plan begins.
        DuplicateSubscriptionExternalId: another live subscription has the external id.
    """
    subscription = lock_subscription(subscription_id, now=now)
    _refuse_ended(subscription, now)
    if "name" in changes:
        changes["name"] = changes["name"] or subscription.plan.name
    changed = subscription.assign(changes)
    if not changed:
        return subscription
    if "ends_at" in changed:
        if pending_successor(subscription, now) is not None:
            raise PlanChangePending
        refuse_end(subscription.ends_at, starts_at=subscription.starts_at, param="ends_at", now=now)
    with _one_live_subscription(subscription):
        subscription.save_changes(*changed, now=now)
    publish_update(subscription, *changed, now=now)
    return subscription


@transaction.atomic
def terminate_subscription(subscription_id: str, *, at: datetime | None = None, now: datetime) -> Subscription:
    """
    End the subscription now, or plan its end for ``at``; a pending change of its plan is canceled.

    Ended now, its keys are revoked and the final invoice is drawn in the same transaction. One that has not begun is
    canceled; where it was to follow another by a change of plan, that one goes on.

    Raises:
        SubscriptionEnded: it has ended already.
        SubscriptionEndsInThePast: ``at`` is before now, or not after the start.
    """
    subscription = lock_subscription(subscription_id, now=now)
    _refuse_ended(subscription, now)
    is_later = at is not None and at != now
    if is_later:
        refuse_end(at, starts_at=subscription.starts_at, param="at", now=now)

    successor = pending_successor(subscription, now)
    if successor is not None:
        take_back_change(subscription, successor, now=now)
    if is_later:
        _end_later(subscription, at, now)
    elif subscription.status(now) is SubscriptionStatus.ACTIVE:
        subscription.terminated_at = now
        subscription.save_changes("terminated_at", now=now)
        publish_end(subscription, None, now=now)
    else:
        _cancel(subscription, now)
    return subscription


def _end_later(subscription: Subscription, at: datetime | None, now: datetime) -> None:
    if subscription.assign({"ends_at": at}):
        subscription.save_changes("ends_at", now=now)
        publish_update(subscription, "ends_at", now=now)


def _cancel(subscription: Subscription, now: datetime) -> None:
    """Cancel what has not begun; with it the change of plan that was to begin it."""
    if subscription.previous_id:
        previous = locked(Subscription.objects.all()).get(pk=subscription.previous_id)
        take_back_change(previous, subscription, now=now)
    else:
        cancel(subscription, now=now)


def _refuse_ended(subscription: Subscription, now: datetime) -> None:
    status = subscription.status(now)
    if status not in LIVE:
        raise SubscriptionEnded(status=status)


@contextmanager
def _one_live_subscription(subscription: Subscription) -> Iterator[None]:
    """Tell the unique constraint as a refusal."""
    duplicate = DuplicateSubscriptionExternalId(external_id=subscription.external_id)
    with refusing({"subscription_one_live_per_external_id": duplicate}):
        yield

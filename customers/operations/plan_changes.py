"""Changes of plan: a dearer one now, a cheaper one at the end of the period; the next plan is a new subscription."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from catalog.models import RatePlan
from customers.errors import (
    CredentialsDoNotFit,
    NoPendingChange,
    PlanUnchanged,
    SubscriptionEndsFirst,
    SubscriptionNotActive,
)
from customers.models import Subscription, SubscriptionStatus
from customers.operations.subscription_steps import (
    cancel,
    lock_plan,
    lock_subscription,
    publish_end,
    publish_start,
    publish_update,
    refuse_unsellable,
    take_back_change,
)
from customers.queries.periods import whole_period
from customers.queries.successors import pending_successor


@transaction.atomic
def change_plan(subscription_id: str, *, plan: str, now: datetime) -> Subscription:
    """
    Change the subscription to ``plan`` (its id) and return the subscription that runs now.

    A plan whose base fee is as high or higher in a year begins at once: the subscription ends, the one returned goes
    on with its keys, its external id and its anniversary. A cheaper one begins at the end of the running period: the
    subscription returned is the same, with that end. A change that was pending is replaced.

    Raises:
        NotFound: unknown subscription or plan.
        SubscriptionNotActive: it does not run.
        PlanUnchanged: it has the plan already.
        CredentialsDoNotFit: the plan's product takes another kind of credential.
        SubscriptionEndsFirst: it ends before the cheaper plan would begin.
        CustomerIsSuspended, CustomerIsInactive, PlanNotActive, ProductNotSubscribable, CurrencyMismatch: not now.
    """
    subscription = lock_subscription(subscription_id, now=now)
    chosen = lock_plan(plan)
    _refuse_change(subscription, chosen, now)
    pending = pending_successor(subscription, now)
    end = subscription.ends_at if pending is None else pending.ends_at
    if chosen.amount_a_year >= subscription.plan.amount_a_year:
        return _change_now(subscription, pending, chosen, end, now)
    return _change_later(subscription, pending, chosen, end, now)


@transaction.atomic
def cancel_pending_change(subscription_id: str, *, now: datetime) -> Subscription:
    """
    Let the subscription go on with the plan it has.

    Raises:
        NotFound: unknown subscription.
        NoPendingChange: there is nothing to cancel.
    """
    subscription = lock_subscription(subscription_id, now=now)
    pending = pending_successor(subscription, now)
    if pending is None:
        raise NoPendingChange
    take_back_change(subscription, pending, now=now)
    return subscription


def _refuse_change(subscription: Subscription, plan: RatePlan, now: datetime) -> None:
    """Raise the refusal that keeps a locked subscription from changing to ``plan``, if there is one."""
    status = subscription.status(now)
    if status is not SubscriptionStatus.ACTIVE:
        raise SubscriptionNotActive(status=status)
    if plan == subscription.plan:
        raise PlanUnchanged
    refuse_unsellable(subscription.customer, plan, now=now)
    if plan.product.takes_clients != subscription.plan.product.takes_clients:
        raise CredentialsDoNotFit(product_type=plan.product.product_type)


def _change_now(
    subscription: Subscription, pending: Subscription | None, plan: RatePlan, end: datetime | None, now: datetime
) -> Subscription:
    """End ``subscription`` in favour of another that begins now and ends at ``end``."""
    if pending is not None:
        cancel(pending, now=now)
    subscription.terminated_at, subscription.ends_at = now, end
    subscription.save_changes("terminated_at", "ends_at", now=now)
    successor = _successor(subscription, plan, starts_at=now, ends_at=end, now=now)
    successor.external_id = subscription.external_id
    successor.save(force_insert=True)
    publish_end(subscription, successor, now=now)
    publish_start(successor, now=now)
    return successor


def _change_later(
    subscription: Subscription, pending: Subscription | None, plan: RatePlan, end: datetime | None, now: datetime
) -> Subscription:
    """Let another begin when the running period of ``subscription`` ends, in place of ``pending``."""
    change_at = whole_period(subscription, now).end
    if end is not None and end <= change_at:
        raise SubscriptionEndsFirst
    if pending is not None:
        cancel(pending, now=now)
    subscription.ends_at = change_at
    subscription.save_changes("ends_at", now=now)
    successor = _successor(subscription, plan, starts_at=change_at, ends_at=end, now=now)
    # Two live subscriptions cannot share an external id, so it stays where it is until the change.
    successor.save(force_insert=True)
    publish_update(subscription, "ends_at", "pending_change", now=now)
    publish_start(successor, now=now)
    return subscription


def _successor(
    subscription: Subscription, plan: RatePlan, *, starts_at: datetime, ends_at: datetime | None, now: datetime
) -> Subscription:
    """Return the subscription, not stored, that goes on with ``plan`` where ``subscription`` ends."""
    is_billed_later = subscription.billed_from > starts_at
    return Subscription(
        customer=subscription.customer,
        plan=plan,
        previous=subscription,
        # A name that nobody chose is the plan's.
        name=plan.name if subscription.name == subscription.plan.name else subscription.name,
        billing_time=subscription.billing_time,
        starts_at=starts_at,
        anchor_at=subscription.anchor_at,
        bill_from=subscription.bill_from if is_billed_later else None,
        ends_at=ends_at,
        created_at=now,
        updated_at=now,
    )

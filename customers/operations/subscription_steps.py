"""Steps that the operations on subscriptions share: locks, what is sold to whom, and how one ends."""

from __future__ import annotations

from datetime import datetime

from catalog.models import PlanStatus, RatePlan
from config.kernel.events import publish
from config.kernel.ids import TypeID
from customers.errors import (
    CurrencyMismatch,
    CustomerIsInactive,
    CustomerIsSuspended,
    PlanNotActive,
    ProductNotSubscribable,
    SubscriptionEndsInThePast,
)
from customers.events import SubscriptionCanceled, SubscriptionStarted, SubscriptionTerminated, SubscriptionUpdated
from customers.models import Customer, Subscription
from customers.models.subscription import SubscriptionQuerySet
from customers.queries.successors import successor_of


def lock_subscription(subscription_id: str, *, now: datetime) -> Subscription:
    """
    Lock a subscription, with plan and product, after its customer, and write down the customer's ends that are due.

    The customer's lock makes all changes of its subscriptions follow each other, so a line of plan changes is never
    seen half way. It lets rows that refer to the customer in: a billing run that writes an invoice holds a cursor that
    the final invoice waits for.

    Raises:
        NotFound: unknown subscription.
    """
    write_due_ends(lock_owner(subscription_id), now=now)
    return locked(Subscription.objects.select_related("customer", "plan__product")).get(pk=subscription_id)


def lock_owner(subscription_id: str) -> TypeID:
    """
    Lock the customer of a subscription against other changes of its subscriptions, and return its id.

    Raises:
        NotFound: unknown subscription.
    """
    owner = Subscription.objects.find(subscription_id).customer_id
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=owner)
    return owner


def write_due_ends(customer_id: TypeID, *, now: datetime) -> None:
    """Write down the planned ends of a locked customer's subscriptions that have come, earliest first."""
    due = Subscription.objects.end_due(now).filter(customer=customer_id).order_by("ends_at", "id")
    for subscription in locked(due):
        end_as_planned(subscription, now=now)


def end_as_planned(subscription: Subscription, *, now: datetime) -> None:
    """End a locked subscription at its planned end; after a change of plan the next one takes its external id over."""
    end, successor = subscription.ends_at, successor_of(subscription)
    if end is None:
        raise ValueError(f"{subscription.pk} has no planned end")
    subscription.terminated_at = end
    subscription.save_changes("terminated_at", now=now)
    if successor is not None and subscription.external_id is not None and successor.external_id is None:
        successor.external_id = subscription.external_id
        successor.save_changes("external_id", now=now)
        publish_update(successor, "external_id", now=now)
    publish_end(subscription, successor, now=now)


def locked(subscriptions: SubscriptionQuerySet) -> SubscriptionQuerySet:
    """Lock ``subscriptions`` against changes, but not against periods billed and keys issued that refer to them."""
    return subscriptions.select_for_update(of=("self",), no_key=True)


def lock_plan(plan_id: str) -> RatePlan:
    """
    Lock a rate plan and its product: neither is archived or retired under the new subscriber.

    Raises:
        NotFound: unknown plan.
    """
    return (
        RatePlan.objects.select_related("product").select_for_update(of=("self", "product")).find(plan_id, param="plan")
    )


def refuse_unsellable(customer: Customer, plan: RatePlan, *, now: datetime) -> None:
    """Raise the refusal that keeps ``customer`` from subscribing to ``plan`` at ``now``, if there is one."""
    if customer.is_suspended(now):
        raise CustomerIsSuspended
    if customer.deactivated_at is not None:
        raise CustomerIsInactive
    if plan.status != PlanStatus.ACTIVE:
        raise PlanNotActive(status=plan.status)
    if not plan.product.is_subscribable:
        raise ProductNotSubscribable(stage=plan.product.maturity_stage)
    if plan.currency != customer.currency:
        raise CurrencyMismatch(plan=plan.currency, customer=customer.currency)


def refuse_end(end: datetime | None, *, starts_at: datetime, param: str, now: datetime) -> None:
    """
    Refuse a planned end that has gone by or would come before the start; None is no end.

    Raises:
        SubscriptionEndsInThePast: with ``param``, the field that names it.
    """
    if end is not None and end <= max(starts_at, now):
        raise SubscriptionEndsInThePast(param)


def cancel(subscription: Subscription, *, now: datetime) -> None:
    """Cancel a locked subscription that has not begun."""
    subscription.canceled_at = now
    subscription.save_changes("canceled_at", now=now)
    whose = {"customer_id": subscription.customer_id, "subscription_id": subscription.id}
    publish(SubscriptionCanceled(**whose, at=now))


def take_back_change(subscription: Subscription, successor: Subscription, *, now: datetime) -> None:
    """Cancel the pending ``successor`` of a locked subscription, which again ends when the successor was to."""
    cancel(successor, now=now)
    subscription.ends_at = successor.ends_at
    subscription.save_changes("ends_at", now=now)
    publish_update(subscription, "ends_at", "pending_change", now=now)


def publish_start(subscription: Subscription, *, now: datetime) -> None:
    """Tell that a subscription was made."""
    publish(
        SubscriptionStarted(
            customer_id=subscription.customer_id,
            subscription_id=subscription.id,
            at=now,
            product_type=subscription.plan.product.product_type,
            previous_id=subscription.previous_id,
        )
    )


def publish_update(subscription: Subscription, *fields: str, now: datetime) -> None:
    """Tell which fields of a subscription changed."""
    whose = {"customer_id": subscription.customer_id, "subscription_id": subscription.id}
    publish(SubscriptionUpdated(**whose, at=now, fields=fields))


def publish_end(subscription: Subscription, successor: Subscription | None, *, now: datetime) -> None:
    """Tell that a subscription has ended and what goes on with its keys."""
    publish(
        SubscriptionTerminated(
            customer_id=subscription.customer_id,
            subscription_id=subscription.id,
            at=now,
            ended_at=subscription.terminated_at or now,
            successor_id=None if successor is None else successor.id,
        )
    )

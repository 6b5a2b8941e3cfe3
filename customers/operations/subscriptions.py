"""Subscriptions: start and terminate."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from catalog.models import PlanStatus, RatePlan
from config.kernel.constraints import refusing
from config.kernel.events import publish
from customers.errors import (
    CurrencyMismatch,
    CustomerIsSuspended,
    DuplicateSubscriptionExternalId,
    PlanNotActive,
    ProductNotSubscribable,
    SubscriptionEnded,
)
from customers.events import SubscriptionCanceled, SubscriptionStarted, SubscriptionTerminated
from customers.models import BillingTime, Customer, Subscription, SubscriptionStatus
from customers.operations.customers import lock_customer


@transaction.atomic
def start_subscription(
    *,
    customer: str,
    plan: str,
    external_id: str | None = None,
    name: str = "",
    billing_time: str = BillingTime.CALENDAR,
    starts_at: datetime | None = None,
    now: datetime,
) -> Subscription:
    """
    Subscribe ``customer`` to ``plan`` (ids) from ``starts_at`` (now), which may lie in the past or the future.

    The credential that fits the product is issued in the same transaction; its secret goes to ``issued_secrets``.

    Raises:
        NotFound: unknown customer or plan.
        CustomerIsSuspended, PlanNotActive, ProductNotSubscribable, CurrencyMismatch: not now.
        DuplicateSubscriptionExternalId: another live subscription has it.
    """
    owner = lock_customer(customer)
    # The lock keeps the plan from being archived, and its product from being retired, under the new subscriber.
    chosen = RatePlan.objects.select_related("product").select_for_update(of=("self", "product")).find(plan)
    _refuse_unsellable(owner, chosen, now)

    subscription = Subscription(
        customer=owner,
        plan=chosen,
        external_id=external_id,
        name=name or chosen.name,
        billing_time=billing_time,
        starts_at=starts_at or now,
        anchor_at=starts_at or now,
        created_at=now,
        updated_at=now,
    )
    duplicate = DuplicateSubscriptionExternalId(external_id=external_id)
    with refusing({"subscription_one_live_per_external_id": duplicate}):
        subscription.save(force_insert=True)
    publish(
        SubscriptionStarted(
            customer_id=owner.id,
            subscription_id=subscription.id,
            at=now,
            product_type=chosen.product.product_type,
        )
    )
    return subscription


@transaction.atomic
def terminate_subscription(subscription_id: str, *, now: datetime) -> Subscription:
    """
    End the subscription now; one that has not begun is canceled.

    Its keys are revoked and the final invoice is drawn in the same transaction.

    Raises:
        SubscriptionEnded: it has ended already.
    """
    subscription = Subscription.objects.lock(subscription_id)
    status = subscription.status(now)
    if status is SubscriptionStatus.PENDING:
        subscription.canceled_at = now
        subscription.save_changes("canceled_at", now=now)
        publish(SubscriptionCanceled(customer_id=subscription.customer_id, subscription_id=subscription.id, at=now))
    elif status is SubscriptionStatus.ACTIVE:
        subscription.terminated_at = now
        subscription.save_changes("terminated_at", now=now)
        whose = {"customer_id": subscription.customer_id, "subscription_id": subscription.id}
        publish(SubscriptionTerminated(**whose, at=now, ended_at=now))
    else:
        raise SubscriptionEnded(status=status)
    return subscription


def _refuse_unsellable(customer: Customer, plan: RatePlan, now: datetime) -> None:
    """Raise the refusal that keeps ``customer`` from subscribing to ``plan`` at ``now``, if there is one."""
    if customer.is_suspended(now):
        raise CustomerIsSuspended
    if plan.status != PlanStatus.ACTIVE:
        raise PlanNotActive(status=plan.status)
    if not plan.product.is_subscribable:
        raise ProductNotSubscribable(stage=plan.product.maturity_stage)
    if plan.currency != customer.currency:
        raise CurrencyMismatch(plan=plan.currency, customer=customer.currency)

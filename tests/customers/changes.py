"""Subscriptions that change their plan, and how their keys are judged."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalog.models import RatePlan
from config.kernel.secrets import issued_secrets
from credentials.queries.verification import VerificationCode, verify_secret
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from tests.factories import NOW, make_plan, make_subscription

MARCH, APRIL, MAY, JUNE = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5, 6))


def subscribed(amount: str = "100", **fields: Any) -> Subscription:
    """Return a monthly subscription from 1 March on."""
    return make_subscription(plan=make_plan(amount=Decimal(amount)), **{"starts_at": MARCH, **fields})


def plan_for(amount: str, **fields: Any) -> RatePlan:
    return make_plan(amount=Decimal(amount), **fields)


def downgraded(**fields: Any) -> tuple[Subscription, Subscription]:
    """Return a subscription that changes to a cheaper plan on 1 April, and what follows it then."""
    subscription = change_plan(subscribed(**fields).id, plan=plan_for("10").id, now=NOW)
    return subscription, Subscription.objects.get(previous=subscription, canceled_at=None)


def stored(subscription: Subscription) -> Subscription:
    return Subscription.objects.get(pk=subscription.pk)


def with_key(**fields: Any) -> tuple[Subscription, str]:
    """Return a subscription and its key."""
    with issued_secrets() as issued:
        subscription = subscribed(**fields)
    return subscription, issued[0].shown_once["key"]


def let_in(key: str, now: datetime) -> tuple[VerificationCode, str | None]:
    """Return how the key is judged, and as whose."""
    verification = verify_secret(key, now=now)
    assert verification.credential is not None
    return verification.code, verification.credential.subscription_id

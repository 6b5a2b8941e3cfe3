"""Planned ends of subscriptions: written down when they have come."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import DatabaseError, transaction

from config.kernel.errors import DomainError
from config.kernel.history import because
from customers.models import Subscription
from customers.operations.subscription_steps import lock_owner, write_due_ends

logger = structlog.get_logger(__name__)


@transaction.atomic
def end_subscription(subscription_id: str, *, now: datetime) -> bool:
    """
    Write the subscription's end down if it has come, and tell whether it had; running it twice is harmless.

    Its keys are revoked, or move to the subscription that follows by a change of plan, and the final invoice is drawn.

    Raises:
        NotFound: unknown subscription.
    """
    owner = lock_owner(subscription_id)
    is_due = Subscription.objects.end_due(now).filter(pk=subscription_id).exists()
    # All that is due of the customer: keys move along a line of plan changes from one end to the next.
    write_due_ends(owner, now=now)
    return is_due


def end_due_subscriptions(*, now: datetime) -> int:
    """
    Write down every planned end that has come at ``now``, each in its own transaction, and return how many.

    One that cannot be written down keeps the others from nothing: it is logged and stays due.
    """
    due = Subscription.objects.end_due(now).order_by("ends_at", "id")
    return sum(_ends(pk, now) for pk in due.values_list("pk", flat=True))


def _ends(subscription_id: str, now: datetime) -> bool:
    try:
        with because("The planned end has come"):
            return end_subscription(subscription_id, now=now)
    except (DomainError, DatabaseError) as error:
        logger.error("subscription could not be ended", subscription=str(subscription_id), reason=str(error))
        return False

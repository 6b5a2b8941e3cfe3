"""Changes of plan: which subscription follows which."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from config.kernel.ids import TypeID
from customers.models import Subscription, SubscriptionStatus

#: Some subscriptions with all that came before and after them.
LINES = """
    WITH RECURSIVE line (id, previous_id) AS (
        SELECT id, previous_id FROM customers_subscription WHERE id = ANY(%s)
        UNION
        SELECT other.id, other.previous_id
        FROM line JOIN customers_subscription other ON other.previous_id = line.id OR other.id = line.previous_id
    )
    SELECT id FROM line
"""


#: What came before one subscription.
PREDECESSORS = """
    WITH RECURSIVE line (id) AS (
        SELECT previous_id FROM customers_subscription WHERE id = %s
        UNION
        SELECT earlier.previous_id FROM line JOIN customers_subscription earlier ON earlier.id = line.id
    )
    SELECT id FROM line WHERE id IS NOT NULL
"""


def successor_of(subscription: Subscription) -> Subscription | None:
    """Return what follows ``subscription`` by a change of plan, begun or not; prefetched ``successors`` are used."""
    return next((one for one in subscription.successors.all() if one.canceled_at is None), None)


def pending_successor(subscription: Subscription, now: datetime) -> Subscription | None:
    """Return the subscription that a pending change of plan will begin; None without one."""
    successor = successor_of(subscription)
    return successor if successor is not None and successor.starts_at > now else None


def running_in_line(subscription: Subscription, now: datetime) -> Subscription:
    """
    Return the one that runs at ``now`` of ``subscription`` and those that follow it; itself where none does.

    The clock changes a plan, and only later does a worker write that down; whoever asks in between is told the truth.
    """
    found: Subscription | None = subscription
    while found is not None and found.status(now) is SubscriptionStatus.TERMINATED:
        found = successor_of(found)
    return found if found is not None and found.status(now) is SubscriptionStatus.ACTIVE else subscription


def predecessors_of(subscription: Subscription) -> list[TypeID]:
    """Return the ids of what came before ``subscription`` by changes of plan."""
    if not subscription.previous_id:
        return []
    with connection.cursor() as cursor:
        cursor.execute(PREDECESSORS, [TypeID(subscription.pk).uuid])
        return [TypeID.from_uuid(row[0], "sub") for row in cursor.fetchall()]


def with_their_lines(ids: Collection[str]) -> set[TypeID]:
    """Return the ids of the subscriptions ``ids`` and of all that came before and after them by changes of plan."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(LINES, [[TypeID(one).uuid for one in ids]])
        return {TypeID.from_uuid(row[0], "sub") for row in cursor.fetchall()}

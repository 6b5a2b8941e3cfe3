"""Purges: the usage of deleted customers is removed for good, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from billing.models import LateUsage, MetricHour, UsageEvent, UsageHour, UsagePurge
from billing.operations.billing import bill_customer
from catalog.models import PRICED_BY_EVENT, Metric
from config.kernel.errors import DomainError
from config.kernel.ids import TypeID
from customers.models import Subscription
from customers.queries.successors import with_their_lines

logger = structlog.get_logger(__name__)

#: How many rows go in one transaction.
CHUNK = 5000

#: How long usage that was on its way when its customer was deleted may take to arrive; no request lasts that long.
SETTLES_AFTER = timedelta(hours=1)


@dataclass(kw_only=True)
class PurgeRun:
    """What a run did; ``failed`` names each customer whose usage could not be removed yet with the reason."""

    customers: int = 0
    events: int = 0
    finished: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def request_purge(customer_id: TypeID, *, now: datetime) -> UsagePurge:
    """Have the usage of a customer that is deleted at ``now`` removed."""
    return UsagePurge.objects.create(customer_id=customer_id, requested_at=now)


def purge_usage(*, now: datetime) -> PurgeRun:
    """
    Remove the usage of every deleted customer; it can be killed and repeated, and goes on where it was.

    Events go at once, save those of subscriptions whose charges price or count each event. These events, and what all
    were rolled up to, are needed to bill what was still on its way. So they go, and the purge is finished, an hour
    after the deletion. A customer that fails keeps the others from nothing and is named.
    """
    run = PurgeRun()
    for purge in UsagePurge.objects.unfinished().order_by("requested_at", "customer"):
        run.customers += 1
        try:
            events = UsageEvent.objects.filter(customer=purge.customer_id)
            run.events += _remove(events.exclude(subscription__in=_billed_by_event(purge.pk)), purge.pk)
            if purge.requested_at + SETTLES_AFTER <= now:
                bill_customer(purge.pk, waits=True, now=now)
                run.events += _remove(events, purge.pk)
                run.finished += _finish(purge.pk, now)
        except (DomainError, DatabaseError) as error:
            logger.error("usage could not be purged", customer=str(purge.pk), reason=str(error))
            run.failed[str(purge.pk)] = str(error)
    return run


def _billed_by_event(customer_id: TypeID) -> list[TypeID]:
    """
    Return the subscriptions of a customer whose events are what is billed, because charges price or count each of them.

    What came before a subscription by changes of plan is among them: its units may be carried on.
    """
    priced = Q(plan__charges__model__in=PRICED_BY_EVENT)
    counted = Q(plan__charges__metric__in=Metric.objects.counted_by_event())
    own = Subscription.objects.filter(priced | counted, customer=customer_id)
    return list(with_their_lines(list(own.order_by().values_list("pk", flat=True).distinct())))


def _finish(customer_id: TypeID, now: datetime) -> bool:
    """Remove all that is left of what was billed; tell whether nothing is."""
    subscriptions = Subscription.objects.filter(customer=customer_id).values("pk")
    left: list[QuerySet[Any]] = [
        MetricHour.objects.filter(subscription__in=subscriptions),
        UsageHour.objects.filter(customer=customer_id),
        LateUsage.objects.filter(subscription__in=subscriptions),
    ]
    for rows in left:
        _remove(rows, customer_id)
    with transaction.atomic():
        purge = UsagePurge.objects.lock(customer_id)
        left.append(UsageEvent.objects.filter(customer=customer_id))
        if purge.finished_at is not None or any(rows.exists() for rows in left):
            return False
        purge.finished_at = now
        purge.save(update_fields=["finished_at"])
    return True


def _remove(rows: QuerySet[Any], customer_id: TypeID) -> int:
    """Remove ``rows`` in chunks and return how many there were."""
    removed = 0
    while chunk := _remove_chunk(rows, customer_id):
        removed += chunk
    return removed


@transaction.atomic
def _remove_chunk(rows: QuerySet[Any], customer_id: TypeID) -> int:
    """Remove one chunk of ``rows`` and return how many went; events are counted in the purge."""
    # The lock makes two runs at once share the work instead of waiting for each other's rows.
    purge = UsagePurge.objects.lock(customer_id)
    chunk = rows.order_by().values("pk")[:CHUNK]
    count: int = rows.model._base_manager.filter(pk__in=chunk).delete()[0]
    if rows.model is UsageEvent:
        purge.events += count
        purge.save(update_fields=["events"])
    return count

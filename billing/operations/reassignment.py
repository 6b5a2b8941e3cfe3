"""Reassignment: usage of nobody known moves to the customer it turns out to be of, in open periods only."""

from __future__ import annotations

from datetime import datetime
from decimal import localcontext
from typing import Any

from django.db import transaction
from django.db.models import Q

from billing.errors import NothingSuggested
from billing.models import UnclassifiedUsage, UsageEvent, UsageReassignment
from billing.operations.usage_moves import Reassignment, UsageMove
from billing.queries.unclassified import SUBSCRIBER_NAMED, with_suggestions
from config.kernel.errors import Invalid
from config.kernel.history import current_actor
from config.kernel.ids import TypeID
from config.kernel.money import EXACT
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber
from customers.operations.deletion import keep_customer

#: How many events one call moves unless it is told otherwise; that takes some seconds.
AT_ONCE = 20_000


@transaction.atomic
def reassign_usage(
    *,
    customer: str,
    named: str | None = None,
    subscriber: str | None = None,
    limit: int | None = AT_ONCE,
    now: datetime,
) -> Reassignment:
    """
    Move UNCLASSIFIED events to ``customer``: those that named ``named``, those of ``subscriber``, or that are both.

    Each goes where it would have gone had it named the customer: to the only subscription that ran when it happened.
    It stays where that period is on a finalized invoice, or where a charged metric cannot count it. At most ``limit``
    events move, in one transaction with the caller's; the same call again goes on.

    Raises:
        Invalid: neither is given.
        NotFound: no such customer, or it is deleted or the system's own; no such subscriber.
    """
    if named is None and subscriber is None:
        raise Invalid("named", "Say what the events named, or whose they are")
    chosen, what = Q(), {"named": named or ""}
    if named is not None:
        chosen &= Q(named=named)
    if subscriber is not None:
        known = Subscriber.objects.find(subscriber, param="subscriber")
        chosen &= Q(subscriber=known)
        what["subscriber_id"] = known.id
    return _reassign(chosen, customer=customer, what=what, limit=limit, now=now)


@transaction.atomic
def reassign_group(group_id: str, *, customer: str, now: datetime) -> Reassignment:
    """
    Move the UNCLASSIFIED events that named the same and are of the same subscriber as ``group_id``, one of them.

    The rules, and how many move at most, are those of :func:`reassign_usage`.

    Raises:
        NotFound: no such UNCLASSIFIED event; no such customer, or it is deleted or the system's own.
    """
    group = UnclassifiedUsage.objects.unclassified().find(group_id)
    chosen = Q(named=group.named, subscriber=group.subscriber_id)
    what = {"named": group.named, "subscriber_id": group.subscriber_id}
    return _reassign(chosen, customer=customer, what=what, limit=AT_ONCE, now=now)


@transaction.atomic
def reassign_group_as_suggested(group_id: str, *, now: datetime) -> Reassignment:
    """
    Move a group of UNCLASSIFIED events to the customer that is suggested for it.

    Raises:
        NotFound: no such UNCLASSIFIED event.
        NothingSuggested: no customer is, or there is more than one.
    """
    groups = UnclassifiedUsage.objects.unclassified().select_related("subscriber__customer")
    [group] = with_suggestions([groups.find(group_id)])
    if group.suggestion is None:
        raise NothingSuggested
    return reassign_group(group_id, customer=group.suggestion.pk, now=now)


@transaction.atomic
def reassign_usage_of_subscriber(subscriber_id: TypeID, *, now: datetime) -> Reassignment:
    """
    Move all UNCLASSIFIED usage of a subscriber to the customer that it belongs to by now.

    Also what named its e-mail address before there was such a subscriber.
    """
    subscriber = Subscriber.objects.find(subscriber_id)
    by_email = Q(named=f"{SUBSCRIBER_NAMED}{subscriber.email.lower()}", subscriber__isnull=True)
    return _reassign(
        Q(subscriber=subscriber) | by_email,
        customer=subscriber.customer_id,
        what={"subscriber_id": subscriber.id},
        limit=None,
        now=now,
    )


def _reassign(chosen: Q, *, customer: str, what: dict[str, Any], limit: int | None, now: datetime) -> Reassignment:
    """Move the UNCLASSIFIED events that are ``chosen`` and write down ``what`` that was, who did it and why."""
    customers = Customer.objects.live().real()
    keep_customer(customers.find(customer, param="customer").id)
    # Found once more, because until it was kept it could be deleted.
    owner = customers.find(customer, param="customer")
    # The columns hold 30 digits, two more than Python's usual context.
    with localcontext(EXACT):
        move = UsageMove(owner, UsageEvent.objects.filter(chosen, customer=UNCLASSIFIED_ID))
        result = move.run(limit)
    move.periods.refresh_drafts(now=now)
    if result.moved:
        actor = current_actor()
        UsageReassignment.objects.create(
            customer=owner,
            moved=result.moved,
            kept=result.kept,
            actor=actor.label,
            reason=actor.reason,
            created_at=now,
            **what,
        )
    return result

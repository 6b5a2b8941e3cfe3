"""Usage of nobody known, in groups: what the events named, how many there are, and whose they probably are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from billing.models import UnclassifiedUsage, UsageEvent
from billing.models.unclassified import UnclassifiedUsageQuerySet
from config.kernel.ids import TypeID, TypeIDField
from customers.models import UNCLASSIFIED_ID
from customers.queries.suggestions import only_customers_with

#: What ``named`` begins with where an event named a subscriber.
SUBSCRIBER_NAMED = "subscriber "

#: Stands for no subscriber where two are compared, because null equals nothing.
NOBODY = Value(TypeID("subr_00000000000000000000000000"), output_field=TypeIDField("subr"))


def unclassified_usage() -> UnclassifiedUsageQuerySet:
    """
    Return the groups of UNCLASSIFIED events, those with the newest event first.

    Each has ``events``, how many there are, and ``first_at`` and ``last_at``, when they happened.
    """
    events = UsageEvent.objects.filter(customer=UNCLASSIFIED_ID)
    arrived_first = events.order_by("named", "subscriber_id", "received_at", "id").distinct("named", "subscriber_id")
    groups = UnclassifiedUsage.objects.unclassified().filter(pk__in=arrived_first.values("pk"))
    return (
        groups.select_related("subscriber__customer")
        .annotate(
            events=Subquery(_of_group(Count("id"))),
            first_at=Subquery(_of_group(Min("timestamp"))),
            last_at=Subquery(_of_group(Max("timestamp"))),
        )
        .order_by("-last_at", "id")
    )


def _of_group(aggregate: Any) -> QuerySet[UsageEvent, Any]:
    """Return a figure of the group that the outer event stands for."""
    events = UsageEvent.objects.filter(customer=UNCLASSIFIED_ID, named=OuterRef("named"))
    same = events.alias(whose=_whose("subscriber")).filter(whose=_whose(OuterRef("subscriber")))
    return same.order_by().values("customer").annotate(figure=aggregate).values("figure")


def _whose(subscriber: str | OuterRef) -> Coalesce:
    """Return a subscriber's id, or nobody's, which equals itself."""
    return Coalesce(subscriber, NOBODY, output_field=TypeIDField("subr"))


def with_suggestions(groups: Iterable[Any]) -> list[Any]:
    """
    Return ``groups``, each with the customer that its usage probably belongs to as ``suggestion``, else None.

    That is whose subscriber it is by now, or the only live customer that is associated with the domain of the e-mail
    address which was named; one query, however many.
    """
    found = list(groups)
    owners = only_customers_with({domain for one in found if (domain := _domain_of(one))})
    for one in found:
        one.suggestion = _owner_of(one) or owners.get(_domain_of(one))
    return found


def _owner_of(group: Any) -> Any:
    """Return the live customer that the subscriber of a group was assigned to, None without one."""
    owner = None if group.subscriber is None else group.subscriber.customer
    return None if owner is None or owner.is_system or owner.deleted_at is not None else owner


def _domain_of(group: Any) -> str:
    """Return the domain of the e-mail address that tells whose a group is, in lower case; empty without one."""
    if group.subscriber is not None:
        return str(group.subscriber.email_domain)
    named = group.named.removeprefix(SUBSCRIBER_NAMED) if group.named.startswith(SUBSCRIBER_NAMED) else ""
    return str(named.rpartition("@")[2].lower()) if "@" in named else ""

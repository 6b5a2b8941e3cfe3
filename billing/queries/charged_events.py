"""Reading the single events that a subscription's charges price one by one, in the order they happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from billing.models import UsageEvent
from billing.tallies import ChargedEvent, Tallies
from catalog.models import Charge
from config.kernel.time import HOUR, hour_start
from customers.models import Subscription

#: How many events are in memory at a time.
CHUNK = 2000

TICK = timedelta(microseconds=1)


def events_of(
    subscription: Subscription, charges: Sequence[Charge], start: datetime, end: datetime
) -> Iterator[ChargedEvent]:
    """
    Yield the events of a period [``start``, ``end``) that ``charges`` of ``subscription`` price, by time, then by id.

    Nothing is read for a plan without such charges. Else it takes one query, by index over the customer's events of the
    period; memory is bounded by a chunk, time grows with the events: 100,000 take about two seconds. Every rating of
    the period reads them anew, because an event that comes late may change what is free of those after it.
    """
    yield from events_in(subscription, Tallies(charges).event_types, start, end)


def events_in(
    subscription: Subscription, types: Sequence[str], start: datetime, end: datetime
) -> Iterator[ChargedEvent]:
    """Yield the events of ``types`` in a period [``start``, ``end``), by time, then by id; none, none is read."""
    if not types:
        return
    first, last = bounds(subscription, start, end)
    events = UsageEvent.objects.filter(
        customer=subscription.customer_id,
        subscription=subscription,
        type__in=types,
        timestamp__gte=first,
        timestamp__lt=last,
    )
    yield from in_order(events, subscription.customer.timezone)


def in_order(events: QuerySet[UsageEvent], timezone: str, *, most: int | None = None) -> Iterator[ChargedEvent]:
    """Yield ``events``, ``most`` of them where that is given, by time, then by id; hours are those of ``timezone``."""
    zone = ZoneInfo(timezone)
    columns = ("timestamp", "type", "subscription", "credential", "subscriber", "properties_text")
    rows = with_exact_properties(events).order_by("timestamp", "id").values_list(*columns)[:most]
    for timestamp, event_type, subscription, credential, subscriber, properties in rows.iterator(chunk_size=CHUNK):
        yield ChargedEvent(
            at=timestamp,
            hour=hour_start(timestamp, zone),
            type=event_type,
            properties=json.loads(properties, parse_float=Decimal),
            subscription=subscription,
            credential=credential,
            subscriber=subscriber,
        )


def bounds(subscription: Subscription, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """
    Return from when on and until when events belong to the period [``start``, ``end``), as hours of units do.

    Periods meet at moments that both know. Where a subscription begins or ends within an hour, the whole hour is its
    own: usage before and after is attributed to others, save what was sent moments ahead of a termination.
    """
    zone = ZoneInfo(subscription.customer.timezone)
    first = hour_start(start, zone) if start == subscription.billed_from else start
    last = hour_start(end - TICK, zone) + HOUR if end == subscription.end else end
    return first, last


def with_exact_properties(events: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
    """Return ``events`` with their properties as text, because Django would read numbers as floats."""
    return events.annotate(properties_text=Cast("properties", TextField()))

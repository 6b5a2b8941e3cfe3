"""Moving events: out of the roll-ups of UNCLASSIFIED and into those of a customer, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from billing.attribution import Attribution, unclassified
from billing.ingestion import InvalidEvent, NewEvent, ReferenceKind
from billing.models import UsageEvent
from billing.operations.open_periods import OpenPeriods
from billing.operations.usage_rows import upsert_metric_hours, upsert_usage_hours
from billing.queries.attribution import Attributor
from billing.queries.charged_events import with_exact_properties
from billing.queries.unclassified import SUBSCRIBER_NAMED
from billing.rollups import RollUp, UsageAddition, check_units
from config.kernel.ids import TypeID
from customers.models import Customer, Subscriber

#: How many events are in memory at a time.
CHUNK = 1000

COLUMNS = ("id", "transaction_id", "content", "type", "timestamp", "subscriber", "named", "properties_text")

#: How many of the events that cannot be counted are named; the rest are counted.
NAMED = 20

MOVE_EVENTS = """
    UPDATE billing_usageevent AS event
    SET customer_id = %s, subscription_id = moved.subscription_id, subscriber_id = moved.subscriber_id
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS moved (id, subscription_id, subscriber_id)
    WHERE event.id = moved.id
"""

DELETE_EMPTY_HOURS = "DELETE FROM billing_usagehour WHERE id = ANY(%s::uuid[]) AND events = 0"


@dataclass(kw_only=True)
class Reassignment:
    """What became of the events that were looked at."""

    moved: int = 0
    #: Left where they are, because their period is on a finalized invoice.
    billed: int = 0
    #: Left where they are, because a charged metric cannot count them; the first of them by transaction id.
    uncountable: int = 0
    uncountable_named: list[str] = field(default_factory=list)
    #: Whether every event was looked at; if not, the same call again goes on.
    is_complete: bool = True

    @property
    def kept(self) -> int:
        """How many stay where they are."""
        return self.billed + self.uncountable


class UsageMove:
    """
    One move, with locks in the order of ingestion: turnstiles and cursors, late marks, hours; sorted where many.

    Events are read and moved in chunks, but their hours are written at the end, all at once: a second round would lock
    rows out of order, and two that do so may wait for each other.
    """

    def __init__(self, owner: Customer, events: QuerySet[UsageEvent]) -> None:
        self.owner, self.events = owner, events
        self.periods = OpenPeriods.lock(owner.id)
        self.out, self.into = RollUp(), RollUp()
        self.result = Reassignment()

    def run(self, limit: int | None) -> Reassignment:
        """Move the events, earliest first and at most ``limit`` of them, and return what became of each."""
        for rows in self._chunks():
            self._move_chunk(rows, limit)
            if not self.result.is_complete:
                break
        self.periods.mark_late()
        self._write_hours()
        return self.result

    def _chunks(self) -> Iterator[list[dict[str, Any]]]:
        """Lock and yield the events chunk by chunk; those that another move holds at this moment are that one's."""
        rows = with_exact_properties(self.events).order_by("timestamp", "id").select_for_update(skip_locked=True)
        after = Q()
        while chunk := list(rows.filter(after).values(*COLUMNS)[:CHUNK]):
            yield chunk
            moment, pk = chunk[-1]["timestamp"], chunk[-1]["id"]
            after = Q(timestamp__gt=moment) | Q(timestamp=moment, id__gt=pk)

    def _move_chunk(self, rows: list[dict[str, Any]], limit: int | None) -> None:
        """Move the events of a chunk until ``limit`` is reached."""
        subscribers = Subscriber.objects.in_bulk({row["subscriber"] for row in rows} - {None})
        events = [self._as_sent(row, subscribers.get(row["subscriber"])) for row in rows]
        attributor = Attributor.for_events(events)
        moving: list[tuple[UUID, Attribution]] = []
        for row, event in zip(rows, events, strict=True):
            if self.result.moved == limit:
                self.result.is_complete = False
                break
            attribution = attributor.of(event)
            if self._takes(event, attribution):
                self.out.add(event, unclassified(row["named"], row["subscriber"]))
                self.into.add(event, attribution)
                self.periods.take(event, attribution, attributor)
                self.result.moved += 1
                moving.append((row["id"], attribution))
        self._write_events(moving)

    def _takes(self, event: NewEvent, attribution: Attribution) -> bool:
        """Tell whether an event moves, and count why where it does not."""
        if self.periods.is_final(attribution, event.timestamp):
            self.result.billed += 1
            return False
        try:
            check_units(event, attribution)
        except InvalidEvent:
            self.result.uncountable += 1
            if len(self.result.uncountable_named) < NAMED:
                self.result.uncountable_named.append(event.transaction_id)
            return False
        return True

    def _as_sent(self, row: dict[str, Any], subscriber: Subscriber | None) -> NewEvent:
        """Return the event as if it had named the customer, and within it the same subscriber."""
        named: str | None
        if subscriber is not None:
            named = subscriber.id if subscriber.customer_id == self.owner.id else subscriber.email
        else:
            named = row["named"].removeprefix(SUBSCRIBER_NAMED) if row["named"].startswith(SUBSCRIBER_NAMED) else None
        return NewEvent(
            transaction_id=row["transaction_id"],
            type=row["type"],
            timestamp=row["timestamp"],
            kind=ReferenceKind.CUSTOMER,
            reference=self.owner.id,
            subscriber=named,
            properties=json.loads(row["properties_text"], parse_float=Decimal),
            content=row["content"],
        )

    def _write_events(self, moving: list[tuple[UUID, Attribution]]) -> None:
        """Give the events of a chunk to those they belong to."""
        columns: list[list[Any]] = [[], [], []]
        for pk, attribution in moving:
            _, subscription, _, subscriber = attribution.owners
            for column, value in zip(columns, (pk, _uuid(subscription), _uuid(subscriber)), strict=True):
                column.append(value)
        with connection.cursor() as cursor:
            cursor.execute(MOVE_EVENTS, [self.owner.id.uuid, *columns])

    def _write_hours(self) -> None:
        """Take the events out of their old hours and add them to the new ones, in the one order of all writers."""
        left = {key: _taken(row) for key, row in self.out.usage.items()}
        with connection.cursor() as cursor:
            upsert_usage_hours(cursor, {**left, **self.into.usage})
            upsert_metric_hours(cursor, self.into.metrics)
            cursor.execute(DELETE_EMPTY_HOURS, [sorted(left)])


def _taken(row: UsageAddition) -> UsageAddition:
    """Return what takes away what ``row`` added."""
    return replace(
        row,
        events=-row.events,
        tokens=-row.tokens,
        events_with_tokens=-row.events_with_tokens,
        latency_ms=-row.latency_ms,
        events_with_latency=-row.events_with_latency,
    )


def _uuid(identifier: TypeID | None) -> UUID | None:
    return None if identifier is None else identifier.uuid

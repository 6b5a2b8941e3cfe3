"""Usage: take events in; key, event, roll-up and late mark are one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import localcontext
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.db import connection, transaction

from billing.attribution import Attribution
from billing.ingestion import MAX_TRANSACTION_ID, InvalidEvent, NewEvent, parse_event
from billing.operations.usage_rows import (
    AttributionOutdated,
    insert_events,
    mark_late,
    upsert_metric_hours,
    upsert_usage_hours,
)
from billing.queries.attribution import Attributor
from billing.rollups import RollUp, check_units
from config.kernel.money import EXACT


class EventStatus(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class EventOutcome:
    """
    What became of one event of a batch; ``error`` when it was rejected, ``attribution`` otherwise.

    ``transaction_id`` is None only where a rejected event has none that can be read.
    """

    transaction_id: str | None
    status: EventStatus
    attribution: Attribution | None = None
    error: InvalidEvent | None = None


class EventParser(Protocol):
    """A function from what was sent to an event; it raises ``InvalidEvent``."""

    def __call__(self, data: object, *, now: datetime) -> NewEvent:
        """Return the event that ``data`` describes."""


def receive_events(items: Sequence[object], *, parse: EventParser = parse_event, now: datetime) -> list[EventOutcome]:
    """Take in what was sent as events and return what became of each, in order; a malformed one is rejected alone."""
    outcomes: dict[int, EventOutcome] = {}
    events: dict[int, NewEvent] = {}
    for position, item in enumerate(items):
        try:
            events[position] = parse(item, now=now)
        except InvalidEvent as error:
            outcomes[position] = EventOutcome(
                transaction_id=_readable_id(item), status=EventStatus.REJECTED, error=error
            )
    if events:
        outcomes.update(zip(events, record_events(list(events.values()), now=now), strict=True))
    return [outcomes[position] for position in range(len(items))]


def _readable_id(item: object) -> str | None:
    """Return what a malformed event calls itself (a CloudEvent: ``id``), so that its sender recognises it."""
    if not isinstance(item, Mapping):
        return None
    said = item.get("transaction_id", item.get("id"))
    return said if isinstance(said, str) and len(said) <= MAX_TRANSACTION_ID else None


def record_events(events: Sequence[NewEvent], *, now: datetime) -> list[EventOutcome]:
    """
    Take ``events`` in and return what became of each, in their order; one bad event never loses its neighbours.

    A transaction id counts once, for good: the same content again is a duplicate, another content a rejection with
    the code ``transaction_id_conflict``.
    """
    while True:
        # Begun anew, because cursors that are held already would be in the way of those that are to be locked instead.
        with suppress(AttributionOutdated):
            return _record(events, now)


@transaction.atomic
def _record(events: Sequence[NewEvent], now: datetime) -> list[EventOutcome]:
    """
    Take ``events`` in, unless what they were attributed by is no longer true.

    Raises:
        AttributionOutdated: it is not; nothing was written, and nothing is locked any more.
    """
    attributor = Attributor.for_events(events)
    batch = _Batch([(event, attributor.of(event)) for event in events])
    batch.reject_uncountable()
    with connection.cursor() as cursor:
        mark_late(cursor, batch.candidates(), attributor)
        known = insert_events(cursor, batch.candidates(), now)
        # The columns hold 30 digits, two more than Python's usual context.
        with localcontext(EXACT):
            roll_up = batch.settle(known)
        upsert_usage_hours(cursor, roll_up.usage)
        upsert_metric_hours(cursor, roll_up.metrics)
    return batch.outcomes()


class _Batch:
    """The events of one call with what is known of each so far."""

    def __init__(self, events: Sequence[tuple[NewEvent, Attribution]]) -> None:
        self.events = events
        self.results: dict[int, EventOutcome] = {}

    def reject_uncountable(self) -> None:
        """Reject the events that a charged metric cannot count."""
        for position, (event, attribution) in enumerate(self.events):
            try:
                check_units(event, attribution)
            except InvalidEvent as error:
                self._reject(position, error)

    def candidates(self) -> dict[UUID, tuple[NewEvent, Attribution]]:
        """Return the first event under each transaction id that is not rejected."""
        first: dict[UUID, tuple[NewEvent, Attribution]] = {}
        for position, (event, attribution) in enumerate(self.events):
            if position not in self.results:
                first.setdefault(event.key, (event, attribution))
        return first

    def settle(self, known: dict[UUID, UUID]) -> RollUp:
        """
        Decide every event and roll up the accepted ones.

        ``known`` is the content under each transaction id that was there before this batch.
        """
        roll_up = RollUp()
        taken = dict(known)
        for position, (event, attribution) in enumerate(self.events):
            if position in self.results:
                continue
            content = taken.get(event.key)
            if content is None:
                taken[event.key] = event.content
                roll_up.add(event, attribution)
                self._settle(position, EventStatus.ACCEPTED)
            elif content == event.content:
                self._settle(position, EventStatus.DUPLICATE)
            else:
                sentence = "Another event was sent under this transaction id"
                self._reject(position, InvalidEvent("transaction_id_conflict", "transaction_id", sentence))
        return roll_up

    def outcomes(self) -> list[EventOutcome]:
        """Return what became of each event, in the order they came."""
        return [self.results[position] for position in range(len(self.events))]

    def _settle(self, position: int, status: EventStatus) -> None:
        event, attribution = self.events[position]
        self.results[position] = EventOutcome(
            transaction_id=event.transaction_id, status=status, attribution=attribution
        )

    def _reject(self, position: int, error: InvalidEvent) -> None:
        event, _ = self.events[position]
        self.results[position] = EventOutcome(
            transaction_id=event.transaction_id, status=EventStatus.REJECTED, error=error
        )

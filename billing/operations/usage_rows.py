"""The statements that write usage: arrays in, rows in one round trip; ids sorted, so that batches never deadlock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from billing.attribution import Attribution
from billing.ingestion import NewEvent
from billing.operations.turnstiles import pass_turnstiles
from billing.queries.attribution import Attributor
from billing.rollups import MetricAddition, UsageAddition
from config.kernel.digests import exact_json
from config.kernel.ids import TypeID
from config.kernel.time import hour_start

Attributed = Mapping[UUID, tuple[NewEvent, Attribution]]


class AttributionOutdated(Exception):
    """What events were attributed by has changed before it was locked; they are attributed once more."""


INSERT_EVENTS = """
    INSERT INTO billing_usageevent
        (id, transaction_id, content, type, "timestamp", customer_id, subscription_id, credential_id, subscriber_id,
         named, properties, received_at)
    SELECT event.*, %s
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::uuid[],
                %s::uuid[], %s::text[], %s::jsonb[]) AS event
    ORDER BY 1
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""

UPSERT_USAGE_HOURS = """
    INSERT INTO billing_usagehour AS kept
        (id, customer_id, subscription_id, credential_id, subscriber_id, hour, type, model, events, tokens,
         events_with_tokens, latency_ms, events_with_latency)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[],
                         %s::text[], %s::bigint[], %s::numeric[], %s::bigint[], %s::numeric[], %s::bigint[])
    ORDER BY 1
    ON CONFLICT (id) DO UPDATE SET
        events = kept.events + EXCLUDED.events,
        tokens = kept.tokens + EXCLUDED.tokens,
        events_with_tokens = kept.events_with_tokens + EXCLUDED.events_with_tokens,
        latency_ms = kept.latency_ms + EXCLUDED.latency_ms,
        events_with_latency = kept.events_with_latency + EXCLUDED.events_with_latency
"""

UPSERT_METRIC_HOURS = """
    INSERT INTO billing_metrichour AS kept
        (id, customer_id, subscription_id, credential_id, subscriber_id, hour, metric_id, model, dimensions, events,
         total, maximum)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::uuid[],
                         %s::text[], %s::jsonb[], %s::bigint[], %s::numeric[], %s::numeric[])
    ORDER BY 1
    ON CONFLICT (id) DO UPDATE SET
        events = kept.events + EXCLUDED.events,
        total = kept.total + EXCLUDED.total,
        maximum = GREATEST(kept.maximum, EXCLUDED.maximum)
"""

# The shared lock keeps a billing run from closing a period between this look and the commit of the events.
LOCK_CURSORS = """
    SELECT subscription_id, billed_until FROM billing_billingcursor
    WHERE subscription_id = ANY(%s::uuid[]) ORDER BY subscription_id FOR SHARE
"""

MARK_LATE = """
    INSERT INTO billing_lateusage (subscription_id, hour)
    SELECT * FROM unnest(%s::uuid[], %s::timestamptz[]) ORDER BY 1, 2
    ON CONFLICT DO NOTHING
"""


def insert_events(cursor: CursorWrapper, events: Attributed, now: datetime) -> dict[UUID, UUID]:
    """Insert the events whose transaction id is new and return the content kept under the ids that were not."""
    rows = [
        (
            key,
            event.transaction_id,
            event.content,
            event.type,
            event.timestamp,
            *_owners(attribution),
            attribution.named,
            exact_json(event.properties).decode(),
        )
        for key, (event, attribution) in events.items()
    ]
    cursor.execute(INSERT_EVENTS, [now, *_columns(rows, 11)])
    inserted = {row[0] for row in cursor.fetchall()}
    known = [key for key in events if key not in inserted]
    if not known:
        return {}
    cursor.execute("SELECT id, content FROM billing_usageevent WHERE id = ANY(%s)", [known])
    return dict(cursor.fetchall())


def upsert_usage_hours(cursor: CursorWrapper, additions: Mapping[UUID, UsageAddition]) -> None:
    """Add to the hourly rows of requests, tokens and latency."""
    rows = [
        (
            key,
            *_owners(row.attribution),
            row.hour,
            row.type,
            row.model,
            row.events,
            row.tokens,
            row.events_with_tokens,
            row.latency_ms,
            row.events_with_latency,
        )
        for key, row in additions.items()
    ]
    if rows:
        cursor.execute(UPSERT_USAGE_HOURS, _columns(rows, 13))


def upsert_metric_hours(cursor: CursorWrapper, additions: Mapping[UUID, MetricAddition]) -> None:
    """Add to the hourly rows of units."""
    rows = [
        (
            key,
            *_owners(row.attribution),
            row.hour,
            row.metric.id.uuid,
            row.model,
            exact_json(row.dimensions).decode(),
            row.events,
            row.total,
            row.maximum,
        )
        for key, row in additions.items()
    ]
    if rows:
        cursor.execute(UPSERT_METRIC_HOURS, _columns(rows, 12))


def mark_late(cursor: CursorWrapper, events: Attributed, attributor: Attributor) -> None:
    """
    Note the hours in which usage comes that the invoices of its period do not hold.

    Holds a shared lock on the cursors of the subscriptions until the transaction ends. A mark too many, for a
    duplicate say, costs the billing run one look and nothing else.

    Raises:
        AttributionOutdated: a subscription ended, or its customer was deleted, after ``attributor`` had read it.
    """
    hours = {
        (subscription.uuid, hour)
        for event, attribution in events.values()
        for subscription, hour in hours_changed(event, attribution, attributor)
    }
    if not hours:
        return
    subscriptions = {subscription for subscription, _ in hours}
    billed_until = lock_cursors(cursor, subscriptions)
    # Whoever ends a subscription takes its cursor for itself; so what is true now stays true.
    if not attributor.holds_for(subscriptions):
        raise AttributionOutdated
    write_late_marks(cursor, hours, billed_until)


def hours_changed(
    event: NewEvent, attribution: Attribution, attributor: Attributor
) -> Iterator[tuple[TypeID, datetime]]:
    """Yield the subscription and hour that an event is of, and the first hours of those that carry it on."""
    if attribution.subscription is None:
        return
    yield attribution.subscription, hour_start(event.timestamp, attribution.zone)
    for follower in attributor.carried_to(event, attribution):
        yield follower, hour_start(attributor.by_id[follower].starts_at, attribution.zone)


def lock_cursors(cursor: CursorWrapper, subscriptions: Collection[UUID]) -> dict[UUID, datetime]:
    """Keep billing runs away from ``subscriptions`` and return until when each is billed; nothing is held before."""
    pass_turnstiles(cursor, subscriptions)
    cursor.execute(LOCK_CURSORS, [list(subscriptions)])
    return dict(cursor.fetchall())


def write_late_marks(
    cursor: CursorWrapper, hours: Iterable[tuple[UUID, datetime]], billed_until: Mapping[UUID, datetime]
) -> None:
    """Note those of ``hours``, each with its subscription, that are billed already."""
    late = [one for one in hours if one[0] in billed_until and one[1] < billed_until[one[0]]]
    if late:
        cursor.execute(MARK_LATE, _columns(late, 2))


def _owners(attribution: Attribution) -> tuple[UUID | None, ...]:
    return tuple(None if owner is None else owner.uuid for owner in attribution.owners)


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into one array a column, as ``unnest`` takes them."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]

"""Reading what metrics count by the event: the events of a period, and what the periods before have left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from billing.held_time import HeldTime
from billing.levels import Levels
from billing.queries.charged_events import bounds, events_in
from billing.tallies import ChargedEvent
from catalog.models import Aggregation, Charge, Metric
from config.kernel.ids import TypeID
from customers.models import Subscription
from customers.periods import Period, first_instant_of_day
from customers.queries.periods import whole_period
from customers.queries.successors import predecessors_of, successor_of

#: The events of a metric before a period: the subscription's own, and all of those it followed by changes of plan. What
#: the metric cannot count is no number: a plan that did not charge it has taken such events all the same.
BEFORE = r"""
    WITH event AS (
        SELECT id, "timestamp", COALESCE(properties ->> 'operation_type', 'add') AS operation,
               properties -> %(property)s AS value,
               ARRAY(SELECT properties -> name FROM unnest(%(dimensions)s::text[]) WITH ORDINALITY AS one (name, place)
                     ORDER BY place) AS dimensions,
               CASE WHEN jsonb_typeof(properties -> %(property)s) = 'number'
                      OR jsonb_typeof(properties -> %(property)s) = 'string'
                     AND properties ->> %(property)s ~ '^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$'
                    THEN (properties ->> %(property)s)::numeric END AS number
        FROM billing_usageevent
        WHERE subscription_id = ANY(%(line)s) AND type = %(type)s
          AND (subscription_id <> %(subscription)s OR "timestamp" < %(first)s)
    ), counted AS (
        SELECT * FROM event WHERE abs(number) < 1e12 AND number = round(number, 12)
    )
"""

#: What came and went, as one number for each combination of dimensions.
SUM = """
    SELECT dimensions::text[], sum(number)::text, max("timestamp"), 'add' FROM counted
    GROUP BY dimensions ORDER BY dimensions
"""

#: The last number of all.
LATEST = """
    SELECT DISTINCT ON (dimensions) dimensions::text[], number::text, "timestamp", 'add' FROM counted
    ORDER BY dimensions, "timestamp" DESC, id DESC
"""

#: What happened to each value last.
VALUES = """
    SELECT DISTINCT ON (dimensions, value) dimensions::text[], value::text, "timestamp", operation FROM event
    WHERE jsonb_typeof(value) IN ('string', 'number', 'boolean') AND operation IN ('add', 'remove')
    ORDER BY dimensions, value, "timestamp" DESC, id DESC
"""

#: The aggregations of which a sum is left.
SUMS = (Aggregation.SUM, Aggregation.WEIGHTED_SUM)

REMAINDERS = {
    Aggregation.SUM: SUM,
    Aggregation.WEIGHTED_SUM: SUM,
    Aggregation.LATEST: LATEST,
    Aggregation.UNIQUE_COUNT: VALUES,
}


class Remainder(NamedTuple):
    """What is left of earlier events: a number or a value, with its dimensions (each JSON, None where missing)."""

    dimensions: list[str | None]
    value: str
    at: datetime
    operation: str

    def dimensions_of(self, metric: Metric) -> dict[str, Any]:
        """Return the dimensions that are there, by their names."""
        found = zip(metric.dimensions, self.dimensions, strict=True)
        return {name: _value(text) for name, text in found if text is not None}

    def event_of(self, metric: Metric) -> ChargedEvent:
        """Return the event that alone would have left this."""
        own = {metric.property: _value(self.value), "operation_type": self.operation}
        properties = {**self.dimensions_of(metric), **own}
        return ChargedEvent(at=self.at, hour=self.at, type=metric.event_type, properties=properties)


def counted_levels(subscription: Subscription, charges: Sequence[Charge], period: Period) -> Levels:
    """
    Return what the events of a period come to under those of ``charges`` whose metrics are counted by the event.

    Nothing is read for a plan without such charges. Else it takes a query over the period's events, and one for each
    recurring metric over all that came before, by index over the subscription and the type of event. The database adds
    these up, so that only what is left is in memory: a number, or the values that are there. The time grows with the
    events since the subscription began: a million of one type take a few seconds. Nothing of it is kept, so that usage
    which comes late or is moved counts in every period after it.
    """
    levels = begun_levels(subscription, charges, period)
    for event in events_in(subscription, levels.event_types, period.start, period.end):
        levels.take(event)
    return levels


def begun_levels(subscription: Subscription, charges: Sequence[Charge], period: Period) -> Levels:
    """Return the levels of ``charges`` with what the periods before ``period`` have left."""
    counted = [charge for charge in charges if charge.metric.is_counted_by_event()]
    levels = Levels(counted, held_time(subscription, period, by_days=any(charge.prorated for charge in counted)))
    recurring = [metric for metric in levels.metrics.values() if metric.recurring]
    predecessors = predecessors_of(subscription) if recurring else []
    first, _ = bounds(subscription, period.start, period.end)
    for metric in recurring:
        left = left_before(subscription, predecessors, metric, first)
        if metric.aggregation in SUMS:
            # A sum may be larger than what one event can carry.
            levels.carry(metric, [(one.dimensions_of(metric), Decimal(one.value)) for one in left], period.start)
        else:
            for one in left:
                levels.take(one.event_of(metric))
    return levels


def held_time(subscription: Subscription, period: Period, *, by_days: bool) -> HeldTime:
    """
    Return the time that counts in ``period`` of ``subscription`` (with customer and plan).

    As with the base fee the day of a termination counts, and that of a change of plan belongs to the plan that follows,
    which is looked up where ``by_days`` asks for it.
    """
    timezone = subscription.customer.timezone
    whole = whole_period(subscription, period.start + (period.end - period.start) / 2)
    inside = period.clip(whole.start, whole.end)
    days = inside
    if by_days and inside is not None and period.end == subscription.end and successor_of(subscription) is not None:
        days = inside.clip(None, first_instant_of_day(period.end, timezone))
    return HeldTime(period=inside, whole=whole, days=days, timezone=timezone)


def left_before(
    subscription: Subscription, predecessors: Sequence[TypeID], metric: Metric, first: datetime
) -> list[Remainder]:
    """Return what the events before ``first`` have left, in the order of their times."""
    own = TypeID(subscription.pk).uuid
    known: dict[str, Any] = {
        "type": metric.event_type,
        "property": metric.property,
        "dimensions": metric.dimensions,
        "subscription": own,
        "line": [own, *(one.uuid for one in predecessors)],
        "first": first,
    }
    with connection.cursor() as cursor:
        cursor.execute(BEFORE + REMAINDERS[Aggregation(metric.aggregation)], known)
        rows = [Remainder(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: row.at)


def _value(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)

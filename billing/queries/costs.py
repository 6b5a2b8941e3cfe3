"""What usage cost hour by hour, over many subscriptions at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from billing.models import MetricHour
from billing.queries.charged_events import events_in, events_of
from billing.queries.levels import begun_levels
from billing.queries.rating import units_in
from billing.rating import HourCost, HourOfUnits, event_costs, hourly_costs, level_costs
from billing.tallies import ChargedEvent
from catalog.models import Charge
from config.kernel.time import hour_start
from customers.models import Subscription
from customers.periods import Period
from customers.queries.periods import periods_of

#: How many hourly rows are fetched at a time; only those of one period are kept.
CHUNK = 5000


def costs_between(
    subscriptions: QuerySet[Subscription], start: datetime, end: datetime, *, now: datetime
) -> Iterator[HourCost]:
    """
    Yield what each hourly row of ``subscriptions`` in [``start``, ``end``) cost, unrounded.

    Tiers are walked from the beginning of each period, so that an hour costs the same whatever is asked for. Three
    queries, however many subscriptions, and some more a period for those whose charges price or count each event. What
    is carried into a period costs nothing before the period has begun at ``now``.
    """
    walks = _walks(subscriptions, start, end)
    rows = MetricHour.objects.filter(_hours_read(walks.values()), hour__lt=end).order_by("subscription", "hour", "id")
    units = (units_in(row) for row in rows.iterator(chunk_size=CHUNK))
    for (subscription, position), of_period in groupby(units, key=lambda row: _place(walks, row)):
        if position >= 0:
            costs = hourly_costs(walks[subscription].charges, list(of_period))
            yield from (cost for cost in costs if start <= cost.row.hour < end)
    for walk in walks.values():
        yield from _event_costs(walk, start, end)
        yield from _level_costs(walk, start, end, now)


def _event_costs(walk: _Walk, start: datetime, end: datetime) -> Iterator[HourCost]:
    """Yield what single events in [``start``, ``end``) cost; those before them in their period count too."""
    for period in walk.periods:
        events = events_of(walk.subscription, walk.charges, period.start, period.end)
        until = takewhile(lambda event: event.hour < end, events)
        yield from (cost for cost in event_costs(walk.charges, until) if cost.row.hour >= start)


def _level_costs(walk: _Walk, start: datetime, end: datetime, now: datetime) -> Iterator[HourCost]:
    """Yield what is counted by the event in [``start``, ``end``), and what the periods begin with."""
    if not any(charge.metric.is_counted_by_event() for charge in walk.charges):
        return
    for period, hour in zip(walk.periods, walk.hours, strict=True):
        if period.start > now:
            continue
        levels = begun_levels(walk.subscription, walk.charges, period)
        begin = ChargedEvent(at=period.start, hour=hour, type="", properties={}, subscription=walk.subscription.id)
        events = events_in(walk.subscription, levels.event_types, period.start, period.end)
        until = takewhile(lambda event: event.hour < end, events)
        yield from (cost for cost in level_costs(levels, begin, until) if start <= cost.row.hour < end)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """The periods of one subscription that share time with what is asked for, and the charges of its plan."""

    subscription: Subscription
    charges: Sequence[Charge]
    periods: list[Period]
    #: The hours in which the periods begin.
    hours: list[datetime]


def _walks(subscriptions: QuerySet[Subscription], start: datetime, end: datetime) -> dict[str, _Walk]:
    found = list(subscriptions.filter(canceled_at__isnull=True).select_related("customer", "plan"))
    charges: dict[str, list[Charge]] = defaultdict(list)
    of_plans = Charge.objects.filter(plan__in={one.plan_id for one in found}).select_related("metric")
    for charge in of_plans.order_by("position"):
        charges[charge.plan_id].append(charge)
    walks = {}
    for one in found:
        periods = list(periods_of(one, start, end))
        hours = [hour_start(period.start, ZoneInfo(one.customer.timezone)) for period in periods]
        if periods:
            walks[str(one.pk)] = _Walk(subscription=one, charges=charges[one.plan_id], periods=periods, hours=hours)
    return walks


def _hours_read(walks: Iterable[_Walk]) -> Q:
    """Return the condition for the rows since the first period of each subscription began; few such moments differ."""
    since: dict[datetime, list[str]] = defaultdict(list)
    for walk in walks:
        since[walk.hours[0]].append(walk.subscription.pk)
    wanted = Q(pk__in=[])
    for hour, ids in since.items():
        wanted |= Q(subscription__in=ids, hour__gte=hour)
    return wanted


def _place(walks: dict[str, _Walk], row: HourOfUnits) -> tuple[str, int]:
    """Return the subscription of ``row`` and the place of its period among those asked for; -1 for one in none."""
    walk = walks[str(row.subscription)]
    position = bisect_right(walk.hours, row.hour) - 1
    is_inside = row.hour < walk.periods[position].end
    return str(row.subscription), position if is_inside else -1

"""Counters: units that are counted by the event, because they are told apart, replaced, held or carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.held_time import HeldTime
from billing.rollups import REMOVE, units_of, value_of
from billing.tallies import ChargedEvent
from catalog.models import Aggregation, Metric

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Change:
    """By how much a level rises, or falls, and when; ``from_next_day`` where its day counts already."""

    units: Decimal
    at: datetime
    from_next_day: bool = False


@dataclass(slots=True)
class Values:
    """The different values that are there, each with its dimensions: added, and not removed since."""

    held: HeldTime
    present: set[tuple[object, ...]] = field(default_factory=set)
    #: The last day on which each value was there that is no more.
    left_on: dict[tuple[object, ...], date | None] = field(default_factory=dict)

    def change(self, key: tuple[object, ...], at: datetime, *, is_removal: bool) -> Change | None:
        """Return what an event does; None for nothing: the value is there already, or is not there to be removed."""
        if is_removal is (key not in self.present):
            return None
        day = self.held.day_of(at)
        if is_removal:
            self.present.remove(key)
            self.left_on[key] = day
            return Change(units=Decimal(-1), at=at, from_next_day=True)
        self.present.add(key)
        # A value that comes back counts on that day already, before it went.
        return Change(units=Decimal(1), at=at, from_next_day=day is not None and self.left_on.get(key) == day)


class Counter:
    """The level of one metric in a period for the changes so far, which are added in the order they happened."""

    def __init__(self, metric: Metric, held: HeldTime) -> None:
        self.metric, self.held = metric, held
        self.values = Values(held)
        self.level = ZERO
        #: The level times the microseconds that it is held.
        self.weighted = ZERO

    def change_by(self, event: ChargedEvent, dimensions: Mapping[str, str]) -> Change | None:
        """
        Return what ``event``, which has these ``dimensions`` of the metric, does to the level; None for nothing.

        Raises:
            InvalidEvent: the metric cannot count it.
        """
        metric, properties = self.metric, event.properties
        if metric.aggregation == Aggregation.UNIQUE_COUNT:
            value = value_of(metric, properties)
            if value is None:
                return None
            key: tuple[Any, ...] = (value, *sorted(dimensions.items()))
            return self.values.change(key, event.at, is_removal=properties.get("operation_type") == REMOVE)
        units = units_of(metric, properties)
        if units is None:
            return None
        by = units - self.level if metric.aggregation == Aggregation.LATEST else units
        return Change(units=by, at=event.at)

    def add(self, change: Change) -> None:
        """Let the level rise or fall."""
        self.level += change.units
        self.weighted += change.units * self.held.time_left(change.at)

    def days_of(self, change: Change) -> int:
        """Return for how many days of the period a change holds."""
        return self.held.days_left(change.at, after=change.from_next_day)

    @property
    def quantity(self) -> Decimal:
        """The units that the period comes to if nothing changes until it ends, not rounded as the metric says."""
        if self.metric.aggregation == Aggregation.WEIGHTED_SUM:
            return self.weighted / self.held.whole_time
        return self.level

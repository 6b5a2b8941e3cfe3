"""Levels: what charges come to whose metrics are counted from the events themselves, with what periods before left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from billing.counters import ZERO, Change, Counter
from billing.held_time import HeldTime
from billing.rollups import dimensions_of
from billing.tallies import ChargedEvent, EventCost
from catalog.matching import charge_for
from catalog.models import Charge, Metric
from catalog.pricing import ProratedPrice, ProratedTally, Rating, UnitPrice, parse_price, rate
from config.kernel.money import EXACT


class Level(Counter):
    """The units of one charge and what they come to."""

    def __init__(self, charge: Charge, held: HeldTime) -> None:
        super().__init__(charge.metric, held)
        self.charge = charge
        price = parse_price(charge.model, charge.properties)
        if not isinstance(price, UnitPrice):
            raise ValueError(f"{charge.model} prices events one by one, but {charge.metric.code} makes a level of them")
        self.price = price
        self.prorated: ProratedTally | None = None
        if charge.prorated and isinstance(price, ProratedPrice):
            self.prorated = ProratedTally(price, held.whole_days)

    def add(self, change: Change) -> None:
        """Let the level rise or fall."""
        super().add(change)
        if self.prorated is not None:
            self.prorated.add(change.units, self.days_of(change))

    @property
    def units(self) -> Decimal:
        """What is priced, if nothing changes until the period ends."""
        return self.metric.rounded(self.quantity) if self.prorated is None else self.prorated.units

    @property
    def rating(self) -> Rating:
        """What the units come to."""
        return rate(self.price, self.units) if self.prorated is None else self.prorated.rating()


class Levels:
    """
    The levels of one plan's charges whose metrics are counted by the event, in one period.

    What happened before the period is taken first, for recurring metrics; then the events of the period are, in the
    order they happened. At any time the units are those that the period comes to if nothing changes any more.
    """

    def __init__(self, charges: Sequence[Charge], held: HeldTime) -> None:
        """Begin with nothing; ``charges`` are all of the plan's."""
        self._levels: dict[str, Level] = {}
        self._claimants: dict[str, list[Charge]] = defaultdict(list)
        self.metrics: dict[str, Metric] = {}
        for charge in charges:
            if charge.metric.is_counted_by_event():
                self._levels[charge.id] = Level(charge, held)
                self._claimants[charge.metric_id].append(charge)
                self.metrics[charge.metric_id] = charge.metric

    @property
    def event_types(self) -> list[str]:
        """The types of the events that are counted; none, where no metric of the plan needs them."""
        return sorted({metric.event_type for metric in self.metrics.values()})

    def carry(self, metric: Metric, sums: Iterable[tuple[Mapping[str, Any], Decimal]], at: datetime) -> None:
        """Begin with the ``sums`` of earlier periods, each with its dimensions, all of which came ``at`` or before."""
        totals: dict[str, Decimal] = defaultdict(Decimal)
        with localcontext(EXACT):
            for properties, units in sums:
                if (level := self._level_of(metric, dimensions_of(metric, properties))) is not None:
                    totals[level.charge.id] += units
            # All at once: what came for one combination of dimensions and went for another was never there.
            for charge, units in totals.items():
                self._levels[charge].add(Change(units=units, at=at))

    def take(self, event: ChargedEvent) -> None:
        """Count ``event``, which is of the period or before it."""
        with localcontext(EXACT):
            for level, _, change in self._changes(event):
                level.add(change)

    def add(self, event: ChargedEvent) -> list[EventCost]:
        """Count ``event`` of the period and return what it adds to each charge, in units and in money."""
        costs: list[EventCost] = []
        with localcontext(EXACT):
            for level, dimensions, change in self._changes(event):
                units, paid = level.units, level.rating.amount
                level.add(change)
                added, amount = level.units - units, level.rating.amount - paid
                costs.append(EventCost(charge=level.charge, dimensions=dimensions, units=added, amount=amount))
        return costs

    def carried(self) -> list[EventCost]:
        """Return what the period begins with in each charge, and what that costs beyond no units at all."""
        with localcontext(EXACT):
            return [
                EventCost(
                    charge=level.charge,
                    dimensions={},
                    units=level.units,
                    amount=level.rating.amount - rate(level.price, ZERO).amount,
                )
                for level in self._levels.values()
                if level.level
            ]

    def rated(self, charge: Charge) -> tuple[Decimal, Rating]:
        """Return the units of ``charge``, whose metric is counted by the event, and what they come to."""
        level = self._levels[charge.id]
        with localcontext(EXACT):
            return level.units, level.rating

    def _changes(self, event: ChargedEvent) -> Iterator[tuple[Level, dict[str, str], Change]]:
        """Yield each level that ``event`` changes, with its dimensions."""
        for metric in self.metrics.values():
            if metric.event_type != event.type:
                continue
            dimensions = dimensions_of(metric, event.properties)
            level = self._level_of(metric, dimensions)
            change = None if level is None else level.change_by(event, dimensions)
            if level is not None and change is not None:
                yield level, dimensions, change

    def _level_of(self, metric: Metric, dimensions: Mapping[str, str]) -> Level | None:
        charge = charge_for(self._claimants[metric.id], dimensions)
        return None if charge is None else self._levels[charge.id]

"""A month of what metrics count by the event: values told apart, levels held and carried over from months before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from billing.counters import Change, Counter
from billing.errors import TooManyEvents
from billing.held_time import HeldTime
from billing.ingestion import InvalidEvent
from billing.models import UsageEvent
from billing.queries.charged_events import in_order
from billing.queries.levels import SUMS, Remainder, left_before
from billing.rollups import dimensions_of
from billing.tallies import ChargedEvent
from catalog.models import Metric
from catalog.models.metric import DECIMALS
from catalog.queries.prices import HeldUnits
from customers.models import Customer, Subscription
from customers.periods import Period
from customers.queries.successors import predecessors_of

#: How many events are counted one by one in one answer.
MAX_COUNTED = 100_000

FINEST = Decimal(1).scaleb(-DECIMALS)

#: The values of a metric's dimensions, as sorted pairs.
Dimensions = tuple[tuple[str, str], ...]


@dataclass(kw_only=True)
class MonthLevel:
    """The counter of one metric for one combination of dimensions, and the changes of its level."""

    counter: Counter
    changes: list[HeldUnits] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Let the level rise or fall."""
        self.counter.add(change)
        held = self.counter.held
        days = self.counter.days_of(change)
        self.changes.append(HeldUnits(at=change.at, units=change.units, days=days, of_days=held.whole_days))

    @property
    def units(self) -> Decimal:
        """The level at the end of the month, or for a WEIGHTED_SUM by the time that it was held, with 12 decimals."""
        return self.counter.quantity.quantize(FINEST, rounding=ROUND_HALF_UP)


@dataclass(kw_only=True)
class MonthLevels:
    """What a customer used in a month of ``metrics``, over all its subscriptions as if they were one."""

    customer: Customer
    period: Period
    subscriptions: Sequence[Subscription]
    metrics: Collection[Metric]
    levels: dict[tuple[str, Dimensions], MonthLevel] = field(default_factory=dict)

    def count(self) -> None:
        """
        Count what the months before have left, then the events of the month in the order they happened.

        A query over the events, one over what came before for each subscription that was running and each recurring
        metric, and one more for each that followed another.

        Raises:
            TooManyEvents: more than :data:`MAX_COUNTED` events would have to be read.
        """
        if not self.metrics:
            return
        for metric in self.metrics:
            if metric.recurring:
                self._carry(metric)
        for event in self._events():
            for metric in self.metrics:
                if metric.event_type == event.type:
                    self._take(metric, event)

    def _carry(self, metric: Metric) -> None:
        """Begin with what is left of earlier events of the subscriptions that were running when the month began."""
        left = sorted(self._left(metric), key=lambda one: one.at)
        for one in left:
            if metric.aggregation in SUMS:
                dimensions = dimensions_of(metric, one.dimensions_of(metric))
                self._level(metric, dimensions).add(Change(units=Decimal(one.value), at=self.period.start))
            else:
                self._take(metric, one.event_of(metric))

    def _left(self, metric: Metric) -> Iterator[Remainder]:
        start = self.period.start
        for one in self.subscriptions:
            if one.billed_from <= start and (one.end is None or one.end > start):
                yield from left_before(one, predecessors_of(one), metric, start)

    def _take(self, metric: Metric, event: ChargedEvent) -> None:
        dimensions = dimensions_of(metric, event.properties)
        level = self._level(metric, dimensions)
        try:
            change = level.counter.change_by(event, dimensions)
        except InvalidEvent:
            # Where no plan charged the metric, nobody refused what it cannot count.
            return
        if change is not None:
            level.add(change)

    def _level(self, metric: Metric, dimensions: Mapping[str, str]) -> MonthLevel:
        key = (metric.pk, tuple(sorted(dimensions.items())))
        if key not in self.levels:
            held = HeldTime(period=self.period, whole=self.period, days=self.period, timezone=self.customer.timezone)
            self.levels[key] = MonthLevel(counter=Counter(metric, held))
        return self.levels[key]

    def _events(self) -> Iterator[ChargedEvent]:
        """Yield the events of the month that the metrics count, in the order they happened."""
        events = UsageEvent.objects.filter(
            customer=self.customer,
            type__in={metric.event_type for metric in self.metrics},
            timestamp__gte=self.period.start,
            timestamp__lt=self.period.end,
        )
        for number, event in enumerate(in_order(events, self.customer.timezone, most=MAX_COUNTED + 1)):
            if number == MAX_COUNTED:
                raise TooManyEvents(limit=MAX_COUNTED, month=month_name(self.period))
            yield event


def month_name(period: Period) -> str:
    """Return what a calendar month, wherever it is one, is called."""
    return f"{period.start + timedelta(days=15):%B %Y}"

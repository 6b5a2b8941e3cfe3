"""What a customer used in a month, as quantities that any plan can price: by metric and dimensions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from django.db.models import Q

from billing.errors import TooManyEvents
from billing.ingestion import InvalidEvent, model_of, quantity
from billing.models import MetricHour, UsageEvent
from billing.queries.activity import calendar_period
from billing.queries.charged_events import with_exact_properties
from billing.queries.month_levels import MonthLevel, MonthLevels, month_name
from billing.queries.rating import units_in
from billing.rating import HourOfUnits, units_after
from billing.rollups import dimensions_of, units_of
from catalog.matching import charge_for
from catalog.models import Aggregation, Charge, Metric, RatePlan
from catalog.queries.charges import charges_of
from catalog.queries.plan_prices import priced_property
from catalog.queries.prices import UnitsUsed
from config.kernel.errors import Invalid
from config.kernel.money import EXACT, ZERO
from customers.models import BudgetPeriod, Customer, Subscription
from customers.periods import Period

#: How many events are priced one by one in one answer; as many as a plan's own price takes.
MAX_EVENTS = 10_000
CHUNK = 2000
MICROSECOND = timedelta(microseconds=1)


class Used(NamedTuple):
    """What quantities are told apart by: the metric, and its dimensions as sorted pairs."""

    metric: str
    dimensions: tuple[tuple[str, str], ...]


def month_of(customer: Customer, month: date | None, *, now: datetime) -> Period:
    """
    Return the month that the day ``month`` lies in on the customer's calendar, without one the month before ``now``.

    Raises:
        Invalid: the month has not begun.
    """
    running = calendar_period(BudgetPeriod.MONTH, customer.timezone, now)
    if month is None:
        return calendar_period(BudgetPeriod.MONTH, customer.timezone, running.start - MICROSECOND)
    # Noon in UTC of the 15th is the same month everywhere.
    middle = datetime(month.year, month.month, 15, 12, tzinfo=UTC)
    found = calendar_period(BudgetPeriod.MONTH, customer.timezone, middle)
    if found.start > now:
        raise Invalid("month", f"{month:%B %Y} has not begun")
    return found


def usage_of_month(customer: Customer, period: Period, plans: Sequence[RatePlan]) -> list[UnitsUsed]:
    """
    Return what ``customer`` used in ``period`` over all its subscriptions, so that each of ``plans`` can price it.

    Units come from the hourly roll-ups. Events are read where a charge of ``plans`` prices each of them (what they
    carry is then that for the first such plan), where a metric of ``plans`` was not counted, because no charge of the
    subscription was on it, and where a metric is counted by the event, as for a bill (:class:`MonthLevels`). Usage that
    ``plans`` do not charge is there too. Quantities have 12 decimals; where they are of several values of a dimension
    and the latest counts, they are in the order of their times. A handful of queries; time grows with the rows of the
    month.

    Raises:
        TooManyEvents: more than :data:`MAX_EVENTS` events would have to be read, or of metrics that are counted by the
            event more than :data:`~billing.queries.month_levels.MAX_COUNTED`.
    """
    reading = _Reading(customer=customer, period=period, charges=[charges_of(plan.pk) for plan in plans])
    with localcontext(EXACT):
        reading.count_hours()
        reading.count_events()
        reading.count_levels()
        return list(reading.quantities())


@dataclass(kw_only=True)
class _Reading:
    """The quantities so far."""

    customer: Customer
    period: Period
    #: Of each plan.
    charges: Sequence[Sequence[Charge]]
    units: dict[Used, Decimal] = field(default_factory=dict)
    amounts: dict[Used, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    levels: dict[Used, MonthLevel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up the metrics of the plans, and which subscriptions each metric was counted for."""
        charged: dict[str, Metric] = {one.metric_id: one.metric for plan in self.charges for one in plan}
        self.metrics = {pk: metric for pk, metric in charged.items() if not metric.is_counted_by_event()}
        self.by_event = {pk: metric for pk, metric in charged.items() if metric.is_counted_by_event()}
        self.subscriptions = Subscription.objects.filter(customer=self.customer, canceled_at__isnull=True)
        self.counted_for: dict[str, set[str | None]] = defaultdict(set)
        pairs = self.subscriptions.order_by().values_list("plan__charges__metric", "pk")
        for metric, subscription in pairs:
            self.counted_for[metric].add(subscription)

    def count_hours(self) -> None:
        """Add the hourly units of every metric that was counted, also of those that the plans do not charge."""
        used_metrics = Metric.objects.in_bulk()
        rows = MetricHour.objects.filter(
            subscription__in=self.subscriptions.values("pk"), hour__gte=self.period.start, hour__lt=self.period.end
        )
        for row in map(units_in, rows.order_by("hour", "id").iterator(chunk_size=CHUNK)):
            metric = used_metrics[row.metric]
            if metric.is_counted_by_event():
                self.by_event[metric.pk] = metric
                continue
            used = Used(row.metric, tuple(sorted(row.dimensions.items())))
            self.units[used] = units_after(metric.aggregation, self.units.get(used, ZERO), [row])

    def count_events(self) -> None:
        """Add what only the events themselves tell."""
        of_type: dict[str, list[Metric]] = defaultdict(list)
        for metric in self.metrics.values():
            of_type[metric.event_type].append(metric)
        for subscription, event_type, properties in self._events():
            for metric in of_type[event_type]:
                self._count_event(metric, properties, is_counted=subscription in self.counted_for[metric.pk])

    def count_levels(self) -> None:
        """Count the metrics that need the events themselves, as a bill does."""
        counted = MonthLevels(
            customer=self.customer,
            period=self.period,
            subscriptions=list(self.subscriptions),
            metrics=self.by_event.values(),
        )
        counted.count()
        self.levels = {Used(*key): level for key, level in counted.levels.items() if level.changes}

    def quantities(self) -> Iterator[UnitsUsed]:
        """Yield what was used: units for charges that take these, what events carry for those that price each."""
        for used in sorted({*self.units, *self.amounts}):
            dimensions = dict(used.dimensions)
            properties = self._properties_priced(used.metric, dimensions)
            yield UnitsUsed(
                metric=used.metric,
                dimensions=dimensions,
                units=self.units.get(used, ZERO) if None in properties else None,
                event_amounts=self.amounts[used] if any(properties) else None,
            )
        for used, level in sorted(self.levels.items(), key=_place):
            yield UnitsUsed(metric=used.metric, dimensions=dict(used.dimensions), units=level.units, held=level.changes)

    def _is_priced_by_event(self, metric: Metric) -> bool:
        return any(
            priced_property(charge) is not None
            for plan in self.charges
            for charge in plan
            if charge.metric_id == metric.pk
        )

    def _events(self) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
        """Yield subscription, type and properties of the events that are needed, in the order they happened."""
        wanted = Q(pk__in=[])
        for metric in self.metrics.values():
            of_metric = Q(type=metric.event_type)
            if not self._is_priced_by_event(metric):
                of_metric &= ~Q(subscription__in=self.counted_for[metric.pk])
            wanted |= of_metric
        events = UsageEvent.objects.filter(
            wanted, customer=self.customer, timestamp__gte=self.period.start, timestamp__lt=self.period.end
        )
        columns = ("subscription", "type", "properties_text")
        rows = with_exact_properties(events).order_by("timestamp", "id").values_list(*columns)[: MAX_EVENTS + 1]
        for number, (subscription, event_type, properties) in enumerate(rows.iterator(chunk_size=CHUNK)):
            if number == MAX_EVENTS:
                raise TooManyEvents(limit=MAX_EVENTS, month=month_name(self.period))
            yield subscription, event_type, json.loads(properties, parse_float=Decimal)

    def _count_event(self, metric: Metric, properties: Mapping[str, Any], *, is_counted: bool) -> None:
        try:
            units = units_of(metric, properties)
        except InvalidEvent:
            # Where nobody counted the metric, nobody refused what it cannot count.
            return
        if units is None:
            return
        dimensions = dimensions_of(metric, properties)
        used = Used(metric.pk, tuple(sorted(dimensions.items())))
        if not is_counted:
            row = _row_of(metric, self.period.start, model_of(properties), dimensions, units)
            self.units[used] = units_after(metric.aggregation, self.units.get(used, ZERO), [row])
        named = next(filter(None, self._properties_priced(metric.pk, dimensions)), None)
        if named is not None:
            carried = units if named == metric.property else quantity(properties.get(named))
            self.amounts[used] += [] if carried is None else [carried]

    def _properties_priced(self, metric: str, dimensions: Mapping[str, str]) -> list[str | None]:
        """Return the property that each plan takes event amounts from; None where units suffice, or nothing is due."""
        return [
            priced_property(charge_for([one for one in plan if one.metric_id == metric], dimensions))
            for plan in self.charges
        ]


def _place(item: tuple[Used, MonthLevel]) -> tuple[object, ...]:
    """Return where a quantity stands: by metric, the latest last where that counts, else by dimensions."""
    used, level = item
    is_latest = level.counter.metric.aggregation == Aggregation.LATEST
    return used.metric, [level.changes[-1].at] if is_latest else [], used.dimensions


def _row_of(metric: Metric, hour: datetime, model: str, dimensions: dict[str, str], units: Decimal) -> HourOfUnits:
    """Return the row of units that one event would be."""
    return HourOfUnits(
        hour=hour, metric=metric.pk, credential=None, model=model, dimensions=dimensions, events=1, total=units,
        maximum=units,
    )  # fmt: skip

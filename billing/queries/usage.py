"""Usage: what a customer used and what it cost, by bucket of time and by model, team, agent and so on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from billing.models import MetricHour, UsageHour
from billing.queries.breakdowns import Breakdown, Labels, Whose
from billing.queries.costs import CHUNK, costs_between
from billing.queries.rating import units_in
from billing.rating import HourCost, HourOfUnits, units_after
from catalog.models import Metric
from config.kernel.money import EXACT
from customers.models import Customer, Subscription
from customers.periods import Period, day_start

ZERO = Decimal(0)


class Grouping(StrEnum):
    """How long a bucket is, on the customer's clock."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(kw_only=True)
class UsageCount:
    """
    Requests, tokens and cost of something; ``tokens`` is None where no event carried any.

    Of a metric ``requests`` are the events that fed it, and ``units`` are counted; ``units`` is None of all else.
    """

    requests: int = 0
    tokens: Decimal | None = None
    units: Decimal | None = None
    cost: Decimal = ZERO

    def add(self, other: UsageCount) -> None:
        """Add another count of requests, tokens and cost."""
        self.requests += other.requests
        if other.tokens is not None:
            self.tokens = (self.tokens or ZERO) + other.tokens
        self.cost += other.cost

    def count(self, row: UsageHour) -> None:
        """Add an hour of usage."""
        self.requests += row.events
        if row.events_with_tokens:
            self.tokens = (self.tokens or ZERO) + row.tokens

    def count_units(self, row: HourOfUnits, metric: Metric) -> None:
        """Add an hour of the events that fed a metric, and its units where these suffice for them."""
        self.requests += row.events
        if not metric.is_counted_by_event():
            self.units = units_after(metric.aggregation, self.units or ZERO, [row])


@dataclass(kw_only=True)
class UsageBucket:
    """One bucket: when it begins, its totals, and its parts by the label of what they are broken down by."""

    start: datetime
    total: UsageCount = field(default_factory=UsageCount)
    parts: dict[str, UsageCount] = field(default_factory=lambda: defaultdict(UsageCount))


@dataclass(frozen=True, kw_only=True)
class UsageSeries:
    """The usage of a customer in [``start``, ``end``): its totals and its buckets, newest first."""

    start: datetime
    end: datetime
    total: UsageCount
    average_latency_ms: Decimal | None
    buckets: list[UsageBucket]


def usage_series(
    customer: Customer,
    *,
    first: date,
    last: date,
    grouping: Grouping,
    breakdown: Breakdown = Breakdown.MODEL,
    only: Mapping[Breakdown, str] | None = None,
    now: datetime,
) -> UsageSeries:
    """
    Return the usage of ``customer`` from day ``first`` to day ``last`` (inclusive) on its own clock.

    ``only`` keeps what has these labels. Costs are what usage was rated at, also where a minimum or the maximum spend
    of a plan makes the invoice another; they are unrounded. Those of the parts add up to their bucket's, those of
    the buckets to the total's, and those of the parts of a filter to what is not filtered: an hour's cost is what all
    usage came to, shared by units. By metric, and of one metric, requests are the events that fed it, which know no
    tokens and no latency; units are what a bucket added to those of its period, where the metric is counted by the
    event. What such a metric carries into a period is in the hour it begins in, if it has begun at ``now``.
    """
    span = Period(day_start(first, customer.timezone), day_start(last + timedelta(days=1), customer.timezone))
    # A price and a quantity have 12 decimals each; with fewer digits the parts would not add up to the whole.
    with localcontext(EXACT):
        return _Counting(customer, span, grouping, breakdown, only or {}, now=now).series()


def total_parts(series: UsageSeries) -> dict[str, UsageCount]:
    """Return the parts of all buckets together, without units, of which maxima do not add up."""
    parts: dict[str, UsageCount] = defaultdict(UsageCount)
    with localcontext(EXACT):
        for bucket in series.buckets:
            for label, count in bucket.parts.items():
                parts[label].add(count)
    return dict(parts)


class _Counting:
    """One series while it is being counted."""

    def __init__(
        self,
        customer: Customer,
        span: Period,
        grouping: Grouping,
        breakdown: Breakdown,
        only: Mapping[Breakdown, str],
        *,
        now: datetime,
    ) -> None:
        self.customer, self.span, self.breakdown, self.only, self.now = customer, span, breakdown, only, now
        self.labels = Labels.read(customer, frozenset({breakdown, *only}))
        self.bucket_of = _bucketing(grouping, ZoneInfo(customer.timezone))
        self.buckets: dict[datetime, UsageBucket] = {}
        self.total = UsageCount()
        self.latency, self.measured = ZERO, 0

    def series(self) -> UsageSeries:
        """Count everything and return it."""
        if Breakdown.METRIC not in self.only:
            self._count_requests()
        if Breakdown.METRIC in (self.breakdown, *self.only):
            self._count_units()
        self._count_costs()
        return UsageSeries(
            start=self.span.start,
            end=self.span.end,
            total=self.total,
            average_latency_ms=self.latency / self.measured if self.measured else None,
            buckets=sorted(self.buckets.values(), key=lambda bucket: bucket.start, reverse=True),
        )

    def _count_requests(self) -> None:
        hours = UsageHour.objects.filter(customer=self.customer, hour__gte=self.span.start, hour__lt=self.span.end)
        for row in hours.iterator(chunk_size=CHUNK):
            whose = Whose.hour(row)
            if not self._is_asked_for(whose):
                continue
            for count in self._counts(row.hour, whose, parts=self.breakdown is not Breakdown.METRIC):
                count.count(row)
            self.latency += row.latency_ms
            self.measured += row.events_with_latency

    def _count_units(self) -> None:
        """Count the events that fed a metric; as requests of the whole only where nothing else is asked for."""
        metrics = {str(metric.pk): metric for metric in Metric.objects.all()}
        rows = MetricHour.objects.filter(
            subscription__in=self._subscriptions(), hour__gte=self.span.start, hour__lt=self.span.end
        )
        for row in map(units_in, rows.iterator(chunk_size=CHUNK)):
            whose = Whose.units(row)
            if not self._is_asked_for(whose):
                continue
            if Breakdown.METRIC in self.only:
                for count in self._counts(row.hour, whose):
                    count.count_units(row, metrics[row.metric])
            else:
                bucket = self._bucket(row.hour)
                bucket.parts[self.labels.of(whose, self.breakdown)].count_units(row, metrics[row.metric])

    def _count_costs(self) -> None:
        for cost in costs_between(self._subscriptions(), self.span.start, self.span.end, now=self.now):
            whose = Whose.units(cost.row)
            if self._is_asked_for(whose):
                for count in self._counts(cost.row.hour, whose):
                    count.cost += cost.amount
                if cost.charge.metric.is_counted_by_event():
                    self._add_units(cost, whose)

    def _add_units(self, cost: HourCost, whose: Whose) -> None:
        """Add the units that an event added to its period, where units of metrics are asked for."""
        if Breakdown.METRIC in self.only:
            for count in self._counts(cost.row.hour, whose):
                count.units = (count.units or ZERO) + cost.row.total
        elif self.breakdown is Breakdown.METRIC:
            part = self._bucket(cost.row.hour).parts[self.labels.of(whose, self.breakdown)]
            part.units = (part.units or ZERO) + cost.row.total

    def _counts(self, hour: datetime, whose: Whose, *, parts: bool = True) -> Iterator[UsageCount]:
        """Yield all that a row is counted in: the total, its bucket's, and its part of the bucket."""
        bucket = self._bucket(hour)
        yield self.total
        yield bucket.total
        if parts:
            yield bucket.parts[self.labels.of(whose, self.breakdown)]

    def _bucket(self, hour: datetime) -> UsageBucket:
        start = self.bucket_of(hour)
        return self.buckets.setdefault(start, UsageBucket(start=start))

    def _is_asked_for(self, whose: Whose) -> bool:
        return all(self.labels.of(whose, by) == label for by, label in self.only.items())

    def _subscriptions(self) -> QuerySet[Subscription]:
        return Subscription.objects.filter(customer=self.customer, canceled_at__isnull=True)


def _bucketing(grouping: Grouping, zone: ZoneInfo) -> Callable[[datetime], datetime]:
    """Return the function from an hour to the start of its bucket."""
    if grouping is Grouping.HOUR:
        return lambda hour: hour.astimezone(UTC)

    def start_of(hour: datetime) -> datetime:
        day = hour.astimezone(zone).date()
        if grouping is Grouping.WEEK:
            day -= timedelta(days=day.weekday())
        elif grouping is Grouping.MONTH:
            day = day.replace(day=1)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    return start_of

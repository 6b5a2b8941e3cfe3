"""Usage: what a customer used and what it cost, by bucket of time and by model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.models import UsageHour
from billing.queries.rating import charges_of, hours_of
from billing.rating import HourCost, hourly_costs
from config.kernel.money import EXACT
from customers.models import Customer, Subscription
from customers.periods import day_start
from customers.queries.periods import periods_of

ZERO = Decimal(0)


class Grouping(StrEnum):
    """How long a bucket is, on the customer's clock."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(kw_only=True)
class UsageCount:
    """Requests, tokens and cost of something; ``tokens`` is None where no event carried any."""

    requests: int = 0
    tokens: Decimal | None = None
    cost: Decimal = ZERO

    def count(self, row: UsageHour) -> None:
        """Add an hour of usage."""
        self.requests += row.events
        if row.events_with_tokens:
            self.tokens = (self.tokens or ZERO) + row.tokens


@dataclass(kw_only=True)
class UsageBucket:
    """One bucket: when it begins, its totals, and the same by model."""

    start: datetime
    total: UsageCount = field(default_factory=UsageCount)
    by_model: dict[str, UsageCount] = field(default_factory=lambda: defaultdict(UsageCount))


@dataclass(frozen=True, kw_only=True)
class UsageSeries:
    """The usage of a customer in [``start``, ``end``): its totals and its buckets, newest first."""

    start: datetime
    end: datetime
    total: UsageCount
    average_latency_ms: Decimal | None
    buckets: list[UsageBucket]


def usage_series(customer: Customer, *, first: date, last: date, grouping: Grouping) -> UsageSeries:
    """
    Return the usage of ``customer`` from day ``first`` to day ``last`` (inclusive) on its own clock.

    Costs are unrounded; those of the models add up to their bucket's, those of the buckets to the total's.
    """
    # A price and a quantity have 12 decimals each; with fewer digits the parts would not add up to the whole.
    with localcontext(EXACT):
        return _series(customer, first, last, grouping)


def _series(customer: Customer, first: date, last: date, grouping: Grouping) -> UsageSeries:
    start, end = day_start(first, customer.timezone), day_start(last + timedelta(days=1), customer.timezone)
    bucket_of = _bucketing(grouping, ZoneInfo(customer.timezone))
    buckets: dict[datetime, UsageBucket] = {}
    total = UsageCount()
    latency, measured = ZERO, 0
    for row in UsageHour.objects.filter(customer=customer, hour__gte=start, hour__lt=end):
        bucket = _bucket(buckets, bucket_of(row.hour))
        for count in (total, bucket.total, bucket.by_model[row.model]):
            count.count(row)
        latency += row.latency_ms
        measured += row.events_with_latency
    for cost in _costs(customer, start, end):
        bucket = _bucket(buckets, bucket_of(cost.row.hour))
        for count in (total, bucket.total, bucket.by_model[cost.row.model]):
            count.cost += cost.amount
    return UsageSeries(
        start=start,
        end=end,
        total=total,
        average_latency_ms=latency / measured if measured else None,
        buckets=sorted(buckets.values(), key=lambda bucket: bucket.start, reverse=True),
    )


def _bucket(buckets: dict[datetime, UsageBucket], start: datetime) -> UsageBucket:
    return buckets.setdefault(start, UsageBucket(start=start))


def _costs(customer: Customer, start: datetime, end: datetime) -> Iterator[HourCost]:
    """Yield what each hour in [``start``, ``end``) cost; tiers are walked from the beginning of each period."""
    subscriptions = Subscription.objects.filter(customer=customer, canceled_at__isnull=True)
    for subscription in subscriptions.select_related("customer", "plan"):
        charges = charges_of(subscription)
        for period in periods_of(subscription, start, end):
            rows = hours_of(subscription, period.start, min(period.end, end))
            yield from _within(hourly_costs(charges, rows), start, end)


def _within(costs: Iterable[HourCost], start: datetime, end: datetime) -> Iterator[HourCost]:
    return (cost for cost in costs if start <= cost.row.hour < end)


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

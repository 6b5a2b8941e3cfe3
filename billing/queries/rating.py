"""Reading what rating needs: the hourly units of a subscription, and what its plan charges for them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from billing.models import MetricHour
from billing.queries.charged_events import events_of
from billing.queries.levels import counted_levels
from billing.rating import HourOfUnits, RatedCharge, rate_charges
from catalog.queries.charges import charges_of
from config.kernel.time import hour_start
from customers.models import Subscription
from customers.periods import Period


def hours_of(subscription: Subscription, start: datetime, end: datetime) -> list[HourOfUnits]:
    """
    Return the hourly units of ``subscription`` in [``start``, ``end``), earliest first.

    Periods begin at local midnights, which no hour straddles, but for a subscription's first, which begins when it
    does: the hour that it began in holds nothing else, because usage before is not its own. Where a change of time zone
    has moved the midnights into hours, such an hour belongs to the period that it begins in.
    """
    is_first = start <= subscription.billed_from
    first = hour_start(start, ZoneInfo(subscription.customer.timezone)) if is_first else start
    rows = MetricHour.objects.filter(subscription=subscription, hour__gte=first, hour__lt=end)
    return [units_in(row) for row in rows.order_by("hour", "id")]


def units_in(row: MetricHour) -> HourOfUnits:
    """Return the units that a row of the roll-up holds."""
    return HourOfUnits(
        hour=row.hour,
        metric=row.metric_id,
        subscription=row.subscription_id,
        credential=row.credential_id,
        subscriber=row.subscriber_id,
        model=row.model,
        dimensions=row.dimensions,
        events=row.events,
        total=row.total,
        maximum=row.maximum,
    )


def rate_period(subscription: Subscription, period: Period) -> list[RatedCharge]:
    """
    Return what the usage of ``subscription`` in ``period`` comes to, charge by charge, unrounded.

    Two queries, and one more where charges price each event; :func:`events_of` says what that costs. Metrics that are
    counted by the event take some more: :func:`~billing.queries.levels.counted_levels`.
    """
    charges = charges_of(subscription.plan_id)
    return rate_charges(
        charges,
        hours_of(subscription, period.start, period.end),
        events_of(subscription, charges, period.start, period.end),
        counted_levels(subscription, charges, period),
    )

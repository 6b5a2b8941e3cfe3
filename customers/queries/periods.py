"""The billing periods of a subscription, in its customer's timezone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from catalog.models import Interval
from customers.models import BillingTime, Subscription
from customers.periods import Period, Schedule, period_at, periods_between


def schedule_of(subscription: Subscription) -> Schedule:
    """Return what the periods of ``subscription`` (with customer and plan) are computed from."""
    return Schedule(
        interval=Interval(subscription.plan.interval),
        billing_time=BillingTime(subscription.billing_time),
        anchor=subscription.anchor_at,
        timezone=subscription.customer.timezone,
    )


def whole_period(subscription: Subscription, moment: datetime) -> Period:
    """Return the whole period around ``moment``, also where the subscription runs through a part of it only."""
    return period_at(schedule_of(subscription), moment)


def current_period(subscription: Subscription, now: datetime) -> Period | None:
    """Return the part of the period around ``now`` in which the subscription runs; None when it does not."""
    return whole_period(subscription, now).clip(subscription.starts_at, subscription.end)


def periods_of(subscription: Subscription, start: datetime, end: datetime) -> Iterator[Period]:
    """Yield the periods that share time with [``start``, ``end``), clipped to the subscription's own bounds."""
    for whole in periods_between(schedule_of(subscription), start, end):
        period = whole.clip(subscription.starts_at, subscription.end)
        if period is not None:
            yield period

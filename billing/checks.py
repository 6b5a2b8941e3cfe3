"""What this app knows of flaws of the catalog: usage that arrives and that nothing counts or charges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Sum

from billing.models import MetricHour, UsageHour
from catalog.flaws import Flaw, Severity
from catalog.matching import charge_for
from catalog.models import Charge, Metric, RatePlan

#: How far back usage is looked at, and how many kinds of it at most, those with the most events first.
LOOKED_AT = timedelta(days=30)
KINDS = 1000


def event_types_are_counted(now: datetime) -> Iterator[Flaw]:
    """Yield the types of the events of late that no metric counts; one pass over the hourly roll-ups of requests."""
    hours = UsageHour.objects.filter(hour__gte=now - LOOKED_AT).order_by()
    uncounted = hours.exclude(type__in=Metric.objects.order_by().values("event_type"))
    for row in uncounted.values("type").annotate(total=Sum("events")).order_by("-total", "type")[:KINDS]:
        yield Flaw(
            code="event_type_not_counted",
            severity=Severity.WARNING,
            about=None,
            message=f"{row['total']:,} event(s) of the type “{row['type']}” came in the last {LOOKED_AT.days} days, "
            "and no metric counts them.",
            advice="Make a metric with this event type, and charge it in a plan.",
        )


def usage_is_charged(now: datetime) -> Iterator[Flaw]:
    """
    Yield the usage of late that was counted under a plan and that no charge of the plan claims, so that it was free.

    One pass over the hourly roll-ups of the subscriptions whose plan limits every charge on a metric.
    """
    charges: dict[tuple[str, str], list[Charge]] = defaultdict(list)
    for charge in Charge.objects.select_related("metric").order_by("position"):
        charges[charge.plan_id, charge.metric_id].append(charge)
    limited = {key: found for key, found in charges.items() if all(charge.match for charge in found)}
    rows = MetricHour.objects.filter(
        subscription__plan__in={plan for plan, _ in limited},
        metric__in={metric for _, metric in limited},
        hour__gte=now - LOOKED_AT,
    )
    free: dict[tuple[str, str, str], int] = defaultdict(int)
    kinds = rows.order_by().values("subscription__plan", "metric", "dimensions").annotate(total=Sum("events"))
    for row in kinds.iterator():
        key = (row["subscription__plan"], row["metric"])
        if key in limited and charge_for(limited[key], row["dimensions"]) is None:
            values = ", ".join(f"{name} = {value}" for name, value in sorted(row["dimensions"].items()))
            free[(*key, values or "no value")] += row["total"]
    yield from _free_flaws(free, limited)


def _free_flaws(free: dict[tuple[str, str, str], int], charges: dict[tuple[str, str], list[Charge]]) -> Iterator[Flaw]:
    plans = RatePlan.objects.in_bulk([plan for plan, _, _ in free])
    for (plan, metric, values), total in sorted(free.items(), key=lambda one: (-one[1], one[0]))[:KINDS]:
        yield Flaw(
            code="usage_priced_at_nothing",
            severity=Severity.ERROR,
            about=plans[plan],
            message=f"{total:,} event(s) of {charges[plan, metric][0].metric.name} with {values} cost nothing in the "
            f"last {LOOKED_AT.days} days, because no charge of the plan takes them.",
            advice="Make a new version with a charge without a limit, which takes whatever the others leave.",
        )

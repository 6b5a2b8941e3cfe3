"""The dashboard's figures: what the desk looks at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDay

from billing.models import Invoice, UsageEvent, UsageHour
from customers.models import UNCLASSIFIED_ID, Customer, Subscription

#: How many days of usage the chart shows.
CHART_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class CurrencyFigure:
    """Money of all customers in one currency."""

    currency: str
    outstanding: Decimal
    overdue: Decimal
    invoices: int


@dataclass(frozen=True, kw_only=True)
class DayOfUsage:
    """Requests of one day (UTC)."""

    day: date
    requests: int


@dataclass(frozen=True, kw_only=True)
class NamedUsage:
    """Events of nobody known that named the same."""

    named: str
    events: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything on the dashboard."""

    customers: int
    suspended: int
    subscriptions: int
    requests: int
    tokens: Decimal
    unclassified: int
    #: What the unclassified usage named most; None without any.
    named_most: NamedUsage | None
    drafts: int
    open_invoices: int
    money: list[CurrencyFigure]
    days: list[DayOfUsage]


def dashboard_figures(*, now: datetime) -> Figures:
    """Return the figures at ``now``; usage is that of the last 30 days, from the hourly roll-ups."""
    since = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=CHART_DAYS - 1)
    hours = UsageHour.objects.filter(hour__gte=since)
    sums = hours.aggregate(
        requests=Sum("events"),
        tokens=Sum("tokens"),
        unclassified=Sum("events", filter=Q(customer=UNCLASSIFIED_ID)),
    )
    customers = Customer.objects.live().real()
    money = _money(now)
    return Figures(
        customers=customers.count(),
        suspended=customers.suspended(now).count(),
        subscriptions=Subscription.objects.active(now).count(),
        requests=sums["requests"] or 0,
        tokens=sums["tokens"] or Decimal(0),
        unclassified=sums["unclassified"] or 0,
        named_most=next(iter(named_most(since=since, limit=1)), None),
        drafts=Invoice.objects.drafts().count(),
        open_invoices=sum(one.invoices for one in money),
        money=money,
        days=_days(since, now),
    )


def named_most(*, since: datetime, limit: int) -> list[NamedUsage]:
    """Return what the UNCLASSIFIED events from ``since`` on named most often, at most ``limit`` of them."""
    events = UsageEvent.objects.filter(customer=UNCLASSIFIED_ID, timestamp__gte=since).order_by()
    counted = events.values("named").annotate(events=Count("*")).order_by("-events", "named")
    return [NamedUsage(named=row["named"], events=row["events"]) for row in counted[:limit]]


def _money(now: datetime) -> list[CurrencyFigure]:
    due = F("total") - F("amount_paid")
    rows = (
        Invoice.objects.open()
        .values("currency")
        .annotate(outstanding=Sum(due), overdue=Sum(due, filter=Q(due_at__lte=now)), invoices=Count("id"))
    )
    return [
        CurrencyFigure(
            currency=row["currency"],
            outstanding=row["outstanding"],
            overdue=row["overdue"] or Decimal(0),
            invoices=row["invoices"],
        )
        for row in rows.order_by("currency")
    ]


def _days(since: datetime, now: datetime) -> list[DayOfUsage]:
    """Return every day from ``since`` to ``now``, also those without usage."""
    rows = UsageHour.objects.filter(hour__gte=since).annotate(day=TruncDay("hour", tzinfo=UTC))
    counted = {row["day"].date(): row["requests"] for row in rows.values("day").annotate(requests=Sum("events"))}
    days = [since.date() + timedelta(days=n) for n in range((now.astimezone(UTC).date() - since.date()).days + 1)]
    return [DayOfUsage(day=day, requests=counted.get(day, 0)) for day in days]

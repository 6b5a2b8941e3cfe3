"""What a customer uses: the running period of each subscription, charge by charge, and the days before today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from billing.lines import describe
from billing.models import CustomerUsage
from billing.queries.current_usage import CurrentUsage, current_usage
from billing.queries.usage import Grouping, usage_series
from config.kernel.admin import ReadOnlyModelAdmin, display, register
from config.kernel.money import display_money, plain

#: How many days the page shows, today included.
DAYS = 30


@display(description="running periods")
def running_periods(customer: CustomerUsage) -> str:
    """Show what each subscription comes to so far, charge by charge."""
    running = current_usage(customer, now=timezone.now())
    return render_to_string("billing/current_usage.html", {"running": [_period(one, customer) for one in running]})


@display(description=f"last {DAYS} days")
def days(customer: CustomerUsage) -> str:
    """Show requests, tokens and cost of each day with usage, on the customer's clock, newest first."""
    today = timezone.now().astimezone(ZoneInfo(customer.timezone)).date()
    series = usage_series(customer, first=today - timedelta(days=DAYS - 1), last=today, grouping=Grouping.DAY)
    rows = [
        [
            f"{bucket.start:%Y-%m-%d}",
            f"{bucket.total.requests:,}",
            "–" if bucket.total.tokens is None else f"{plain(bucket.total.tokens):,}",
            display_money(bucket.total.cost, customer.currency),
            ", ".join(f"{model or 'unknown'}: {count.requests:,}" for model, count in sorted(bucket.by_model.items())),
        ]
        for bucket in series.buckets
    ]
    table = {"headers": ["Day", "Requests", "Tokens", "Cost", "Requests by model"], "rows": rows}
    total = display_money(series.total.cost, customer.currency)
    return render_to_string("billing/usage_days.html", {"table": table, "total": total, "rows": rows})


def _period(running: CurrentUsage, customer: CustomerUsage) -> dict[str, Any]:
    """Return one subscription's running period as the page prints it."""
    zone = ZoneInfo(customer.timezone)
    last = running.period.end - timedelta(microseconds=1)
    rows = [
        [
            describe(one.charge),
            f"{one.events:,}",
            f"{plain(one.units):,}",
            display_money(one.rating.amount, customer.currency),
        ]
        for one in running.charges
    ]
    return {
        "subscription": running.subscription,
        "first": running.period.start.astimezone(zone).date(),
        "last": last.astimezone(zone).date(),
        "amount": display_money(running.amount, customer.currency),
        "table": {"headers": ["Charge", "Events", "Units", "Amount"], "rows": rows},
    }


@register(CustomerUsage)
class CustomerUsageAdmin(ReadOnlyModelAdmin):
    """What customers use."""

    list_display = ("name", "email", "tier", "currency", "timezone")
    search_fields = ("name", "email")
    search_help_text = "Name, e-mail or external id."
    readonly_fields: ClassVar[Any] = (running_periods, days)
    fieldsets: ClassVar[Any] = (
        ("Current usage", {"fields": (running_periods,)}),
        ("Usage by day", {"fields": (days,)}),
    )
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every live customer, the bucket for unclassified usage included."""
        return super().get_queryset(request).live()  # type: ignore[attr-defined,no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the list of customers does."""
        return queryset.searched(search_term), False  # type: ignore[attr-defined]

"""What a customer uses: the running period of each subscription, charge by charge, and the days before today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from billing.lines import describe
from billing.models import CustomerUsage
from billing.queries.breakdowns import Breakdown, names_of
from billing.queries.current_usage import CurrentUsage, current_usage
from billing.queries.dashboard import named_most
from billing.queries.usage import Grouping, UsageCount, total_parts, usage_series
from config.kernel.admin import ReadOnlyModelAdmin, display, register
from config.kernel.money import display_money, plain

#: How many days the page shows, today included.
DAYS = 30

#: How many of the names that nobody is known by the page shows.
NAMES = 20

#: What the page can break usage down by.
CHOICES = (Breakdown.MODEL, Breakdown.TEAM, Breakdown.AGENT, Breakdown.SUBSCRIBER, Breakdown.CREDENTIAL)


@display(description="running periods")
def running_periods(customer: CustomerUsage) -> str:
    """Show what each subscription comes to so far, charge by charge."""
    running = current_usage(customer, now=timezone.now())
    return render_to_string("billing/current_usage.html", {"running": [_period(one, customer) for one in running]})


@display(description=f"last {DAYS} days")
def days(customer: CustomerUsage) -> str:
    """Show what was used by model, team, agent and so on, and each day with usage on the customer's clock."""
    by = getattr(customer, "breakdown", Breakdown.MODEL)
    now = timezone.now()
    today = now.astimezone(ZoneInfo(customer.timezone)).date()
    first = today - timedelta(days=DAYS - 1)
    series = usage_series(customer, first=first, last=today, grouping=Grouping.DAY, breakdown=by, now=now)
    parts = total_parts(series)
    names = names_of(by, parts)
    context = {
        "total": display_money(series.total.cost, customer.currency),
        "choices": [{"by": one, "is_chosen": one is by} for one in CHOICES],
        "parts": _table(by.capitalize(), ((names[label], parts[label]) for label in sorted(parts)), customer),
        "days": _table("Day", ((f"{one.start:%Y-%m-%d}", one.total) for one in series.buckets), customer),
        "rows": series.buckets,
    }
    return render_to_string("billing/usage_days.html", context)


@display(description=f"named most, last {DAYS} days")
def names(customer: CustomerUsage) -> str:
    """Show what the usage of nobody known named most, and the way to give it to those it is of."""
    found = named_most(since=timezone.now() - timedelta(days=DAYS), limit=NAMES)
    rows = [[one.named, f"{one.events:,}"] for one in found]
    table = {"headers": ["Named", "Requests"], "rows": rows}
    address = reverse("admin:billing_unclassifiedusage_changelist")
    return render_to_string("billing/unclassified_names.html", {"table": table, "rows": rows, "address": address})


def _table(title: str, counts: Iterable[tuple[str, UsageCount]], customer: CustomerUsage) -> dict[str, Any]:
    """Return a table of what each of ``counts`` is called, and its requests, tokens and cost."""
    rows = [
        [
            name,
            f"{count.requests:,}",
            "–" if count.tokens is None else f"{plain(count.tokens):,}",
            display_money(count.cost, customer.currency),
        ]
        for name, count in counts
    ]
    return {"headers": [title, "Requests", "Tokens", "Cost"], "rows": rows}


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
    readonly_fields: ClassVar[Any] = (running_periods, names, days)
    fieldsets: ClassVar[Any] = (
        ("Current usage", {"fields": (running_periods,)}),
        ("Usage of nobody known", {"fields": (names,)}),
        ("Usage by day", {"fields": (days,)}),
    )
    ordering = ("name", "id")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets: nobody has running periods, and only nobody's usage names nobody."""
        left_out = running_periods if obj is not None and obj.is_system else names
        return [one for one in super().get_fieldsets(request, obj) if left_out not in one[1]["fields"]]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the customer with what its usage is to be broken down by."""
        customer = super().get_object(request, object_id, from_field)
        if customer is not None and request.GET.get("by") in list(CHOICES):
            customer.breakdown = Breakdown(request.GET["by"])
        return customer

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every live customer, the bucket for unclassified usage included."""
        return super().get_queryset(request).live()  # type: ignore[attr-defined,no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the list of customers does."""
        return queryset.searched(search_term), False  # type: ignore[attr-defined]

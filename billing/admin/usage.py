"""Usage events as they came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing.models import UsageEvent
from billing.queries.dashboard import CHART_DAYS, named_most
from config.kernel.admin import (
    AutocompleteFilter,
    DropdownFilter,
    RangeDateTimeFilter,
    ReadOnlyModelAdmin,
    register,
)
from config.kernel.digests import digest_of
from customers.models import UNCLASSIFIED_ID

#: How many of the names that nobody is known by can be chosen from.
NAMES = 10


class NamedFilter(DropdownFilter):
    """Usage of nobody known by what it named: what was named most of late."""

    title = "named, of nobody known"
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what was named most, and what was chosen."""
        found = named_most(since=timezone.now() - timedelta(days=CHART_DAYS), limit=NAMES)
        names = {one.named: f"{one.named} ({one.events:,})" for one in found}
        chosen = request.GET.get(self.parameter_name)
        if chosen:
            names.setdefault(chosen, chosen)
        return list(names.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the events that named it."""
        value = self.value()
        return queryset if not value else queryset.filter(customer=UNCLASSIFIED_ID, named=value)


@register(UsageEvent)
class UsageEventAdmin(ReadOnlyModelAdmin):
    """What was used, newest first."""

    list_display = (
        "timestamp", "type", "customer", "subscription", "credential", "subscriber", "named", "transaction_id"
    )  # fmt: skip
    list_filter = (
        ("customer", AutocompleteFilter), ("subscription", AutocompleteFilter), ("subscriber", AutocompleteFilter),
        NamedFilter, ("timestamp", RangeDateTimeFilter),
    )  # fmt: skip
    search_fields = ("transaction_id__exact",)
    search_help_text = "A whole transaction id, or all of what an event of nobody known named."
    fields = readonly_fields = (*list_display, "received_at", "properties")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the events with whose they are."""
        return super().get_queryset(request).select_related("customer", "subscription", "credential", "subscriber")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by what events are kept by, which needs no look at all of them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(pk=digest_of(term)) | Q(customer=UNCLASSIFIED_ID, named=term)), False

"""Usage events as they came."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import UsageEvent
from config.kernel.admin import AutocompleteFilter, RangeDateTimeFilter, ReadOnlyModelAdmin, register


@register(UsageEvent)
class UsageEventAdmin(ReadOnlyModelAdmin):
    """What was used, newest first."""

    list_display = ("timestamp", "type", "customer", "subscription", "credential", "transaction_id")
    list_filter = (
        ("customer", AutocompleteFilter), ("subscription", AutocompleteFilter), ("timestamp", RangeDateTimeFilter)
    )  # fmt: skip
    search_fields = ("transaction_id__exact",)
    search_help_text = "A whole transaction id."
    fields = readonly_fields = (*list_display, "received_at", "properties")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the events with whose they are."""
        return super().get_queryset(request).select_related("customer", "subscription", "credential")

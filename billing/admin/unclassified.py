"""Usage of nobody known: what came in, whose it probably is, and who moved what to whom."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from billing.models import UnclassifiedUsage, UsageEvent, UsageReassignment
from billing.operations.reassignment import reassign_group, reassign_group_as_suggested
from billing.operations.usage_moves import Reassignment
from billing.queries.unclassified import unclassified_usage, with_suggestions
from config.kernel.admin import (
    ActionForm,
    AutocompleteFilter,
    RangeDateTimeFilter,
    ReadOnlyModelAdmin,
    action,
    display,
    link_to,
    register,
    site,
)
from customers.models import Customer

#: How many of a group's events its page shows, the latest first.
SHOWN = 20


class ReassignForm(ActionForm):
    """Asks whose usage it is; the customer that is suggested for all of it stands there already."""

    customer = forms.ModelChoiceField(
        queryset=Customer.objects.live().real(),
        widget=AutocompleteSelect(UsageEvent._meta.get_field("customer"), site),
        help_text="It is charged for the usage as if the events had named it when they were sent.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suggested = {one.suggestion for one in with_suggestions(self.objects)}
        if len(suggested) == 1:
            self.initial["customer"] = suggested.pop()


class UnclassifiedList(ChangeList):
    """A page of groups, each with the customer it probably belongs to, looked up at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the suggestions for those on it."""
        super().get_results(request)
        self.result_list: Any = with_suggestions(self.result_list)


@display(description="subscriber")
def subscriber(group: Any) -> str:
    """Link to the subscriber, where it is known; assigning it to a customer moves the usage too."""
    return link_to(group.subscriber)


@display(description="events", ordering="events")
def events(group: Any) -> str:
    """Show how many events there are."""
    return f"{group.events:,}"


@display(description="first seen (UTC)", ordering="first_at")
def first_seen(group: Any) -> str:
    """Show when the earliest of the events happened."""
    return f"{group.first_at:%Y-%m-%d %H:%M}"


@display(description="last seen (UTC)", ordering="last_at")
def last_seen(group: Any) -> str:
    """Show when the latest of the events happened."""
    return f"{group.last_at:%Y-%m-%d %H:%M}"


@display(description="suggestion")
def suggestion(group: Any) -> str:
    """Link to the customer that the usage probably belongs to."""
    return link_to(group.suggestion)


@display(description=f"latest events, at most {SHOWN}")
def latest_events(group: UnclassifiedUsage) -> str:
    """Show some of the events, to judge by whose they are."""
    same = UnclassifiedUsage.objects.unclassified().filter(named=group.named, subscriber=group.subscriber_id)
    rows = [
        [f"{event.timestamp:%Y-%m-%d %H:%M:%S}", event.type, event.transaction_id]
        for event in same.defer("properties").order_by("-timestamp", "-id")[:SHOWN]
    ]
    table = {"headers": ["Time (UTC)", "Type", "Transaction id"], "rows": rows}
    return render_to_string("billing/unclassified_events.html", {"table": table})


def outcome_of(found: Reassignment) -> str:
    """Return the sentence that tells an operator what became of the events."""
    told = [f"{found.moved:,} moved"]
    if found.billed:
        told.append(f"{found.billed:,} kept, because their period is on a finalized invoice")
    if found.uncountable:
        named = ", ".join(found.uncountable_named)
        told.append(f"{found.uncountable:,} kept, because a charged metric cannot count them ({named})")
    if not found.is_complete:
        told.append("there are more: reassign again")
    return f"Events: {'; '.join(told)}."


@register(UnclassifiedUsage)
class UnclassifiedUsageAdmin(ReadOnlyModelAdmin):
    """Usage whose customer is not known, by what it named."""

    list_display = ("named", subscriber, events, first_seen, last_seen, suggestion)
    search_fields = ("named", "subscriber__email")
    search_help_text = "What the events named, or their subscriber's e-mail"
    readonly_fields: ClassVar[Any] = (*list_display, latest_events)
    fields: ClassVar[Any] = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the groups with their figures."""
        return unclassified_usage()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Put those with the latest event first."""
        return ("-last_at", "id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Look the suggestions up with each page."""
        return UnclassifiedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a group with the customer it probably belongs to."""
        group = super().get_object(request, object_id, from_field)
        return None if group is None else with_suggestions([group])[0]

    @action("Reassign", permissions=["change"], form=ReassignForm, bulk=True, icon="move_up")
    def reassign(self, request: HttpRequest, group_id: str, cleaned: dict[str, Any]) -> str:
        """Move the events to a customer; what lies in a period that is on a finalized invoice stays here."""
        found = reassign_group(group_id, customer=cleaned["customer"].pk, now=timezone.now())
        return outcome_of(found)

    @action("Reassign to suggested customers", permissions=["change"], detail=False, bulk=True, icon="auto_awesome")
    def reassign_as_suggested(self, request: HttpRequest, group_id: str, cleaned: dict[str, Any]) -> str:
        """Move the events of each to the customer that is suggested for it; without a suggestion they stay here."""
        return outcome_of(reassign_group_as_suggested(group_id, now=timezone.now()))


@register(UsageReassignment)
class UsageReassignmentAdmin(ReadOnlyModelAdmin):
    """Who moved which usage to whom, and why."""

    list_display = ("created_at", "customer", "named", "subscriber", "moved", "kept", "actor", "reason")
    list_filter = (("customer", AutocompleteFilter), ("created_at", RangeDateTimeFilter))
    list_select_related = ("customer", "subscriber")
    fields = readonly_fields = list_display

"""Subscriptions in the admin: started and terminated, never edited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    DropdownFilter,
    LinkedRows,
    ModelAdmin,
    action,
    badge,
    display,
    page_link,
    register,
)
from config.kernel.admin.columns import NOTHING, Colour
from customers.admin.forms import SubscriptionForm
from customers.models import Subscription, SubscriptionStatus
from customers.operations.subscriptions import start_subscription, terminate_subscription
from customers.queries.periods import current_period

STATUS_COLOURS: dict[str, Colour] = {
    SubscriptionStatus.PENDING: "info",
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.TERMINATED: "danger",
    SubscriptionStatus.CANCELED: "warning",
}


@display(description="status")
def status_now(subscription: Subscription) -> str:
    """Show the status now."""
    status = subscription.status(timezone.now())
    return badge(status.label, STATUS_COLOURS[status])


@display(description="current period")
def period_now(subscription: Subscription) -> str:
    """Print the first and last day of the billing period that runs, as the customer counts days."""
    now = timezone.now()
    period = current_period(subscription, now) if is_live(subscription) else None
    if period is None:
        return NOTHING
    zone = ZoneInfo(subscription.customer.timezone)
    last = period.end - timedelta(microseconds=1)
    days = f"{period.start.astimezone(zone):%Y-%m-%d} to {last.astimezone(zone):%Y-%m-%d}"
    return days if zone.key == "UTC" else f"{days} ({zone.key.replace('_', ' ')})"


def is_live(subscription: Subscription) -> bool:
    """Tell whether the subscription has not ended."""
    return subscription.terminated_at is None and subscription.canceled_at is None


class SubscriptionStatusFilter(DropdownFilter):
    """Subscriptions by their status now."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses."""
        return [(str(value), str(label)) for value, label in SubscriptionStatus.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the subscriptions with the status asked for."""
        now = timezone.now()
        match self.value():
            case SubscriptionStatus.PENDING:
                return queryset.live().filter(starts_at__gt=now)
            case SubscriptionStatus.ACTIVE:
                return queryset.active(now)
            case SubscriptionStatus.TERMINATED:
                return queryset.filter(terminated_at__isnull=False)
            case SubscriptionStatus.CANCELED:
                return queryset.filter(canceled_at__isnull=False)
        return queryset


class SubscriptionInline(LinkedRows):
    """The customer's subscriptions."""

    model = Subscription
    verbose_name_plural = "subscriptions"
    fields: ClassVar[Any] = (page_link, "plan", status_now, "starts_at", "terminated_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the subscriptions with their plans."""
        return super().get_queryset(request).select_related("plan")


@register(Subscription)
class SubscriptionAdmin(ModelAdmin):
    """Who uses which plan."""

    form = SubscriptionForm
    list_display = ("__str__", "customer", "plan", status_now, "starts_at", period_now)
    list_filter = (
        SubscriptionStatusFilter,
        ("customer", AutocompleteFilter),
        ("plan", AutocompleteFilter),
        ("plan__product", AutocompleteFilter),
        ("billing_time", ChoicesFilter),
    )
    list_select_related = ("customer", "plan")
    search_fields = ("name", "external_id", "customer__name")
    autocomplete_fields = ("customer",)
    fields: ClassVar[Any] = (
        "customer", "plan", "name", "external_id", status_now, "starts_at", "billing_time", period_now, "terminated_at",
        "canceled_at", "created_at",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new subscription has not got yet."""
        return self.fields if obj else SubscriptionForm.Meta.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new subscription has not got yet."""
        return self.inlines if obj else ()

    def create(self, request: HttpRequest, form: Any) -> Subscription:
        """Subscribe the customer."""
        asked = form.cleaned_data
        asked = {**asked, "customer": asked["customer"].pk, "plan": asked["plan"].pk}
        return start_subscription(**asked, now=timezone.now())

    @action(
        "Terminate", permissions=["change"], when=is_live, danger=True, icon="cancel",
        description="Ends the subscription now: its keys are revoked at once and the final invoice is drawn. "
        "One that has not begun is canceled. This cannot be undone.",
    )  # fmt: skip
    def terminate(self, request: HttpRequest, subscription_id: str, cleaned: dict[str, Any]) -> str:
        """End the subscription."""
        subscription = terminate_subscription(subscription_id, now=timezone.now())
        return f"{subscription} is {subscription.status(timezone.now())}."

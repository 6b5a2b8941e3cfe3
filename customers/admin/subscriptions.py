"""Subscriptions in the admin: started, renamed, changed to another plan and terminated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.messages import SUCCESS
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    LinkedRows,
    ModelAdmin,
    StatusFilter,
    action,
    badge,
    change_url,
    display,
    page_link,
    register,
)
from config.kernel.admin.columns import NOTHING, Colour, link_to
from customers.admin.subscription_forms import PlanChangeForm, SubscriptionForm, TerminationForm
from customers.models import Subscription, SubscriptionStatus
from customers.operations.plan_changes import cancel_pending_change, change_plan
from customers.operations.subscriptions import LIVE, start_subscription, terminate_subscription, update_subscription
from customers.queries.periods import current_period
from customers.queries.successors import pending_successor

STATUS_COLOURS: dict[str, Colour] = {
    SubscriptionStatus.PENDING: "info",
    SubscriptionStatus.ACTIVE: "success",
    SubscriptionStatus.TERMINATED: "danger",
    SubscriptionStatus.CANCELED: "warning",
}

#: What can change once a subscription is made.
EDITABLE = ("name", "external_id", "ends_at")


@display(description="status")
def status_now(subscription: Subscription) -> str:
    """Show the status now."""
    status = subscription.status(timezone.now())
    return badge(status.label, STATUS_COLOURS[status])


@display(description="current period")
def period_now(subscription: Subscription) -> str:
    """Print the first and last day of the billing period that runs, as the customer counts days."""
    period = current_period(subscription, timezone.now()) if is_active(subscription) else None
    if period is None:
        return NOTHING
    zone = ZoneInfo(subscription.customer.timezone)
    last = period.end - timedelta(microseconds=1)
    days = f"{period.start.astimezone(zone):%Y-%m-%d} to {last.astimezone(zone):%Y-%m-%d}"
    return days if zone.key == "UTC" else f"{days} ({zone.key.replace('_', ' ')})"


@display(description="pending change")
def pending_change(subscription: Subscription) -> str:
    """Name the plan that follows, with a link to the subscription that waits for its turn, and when that is."""
    successor = pending_successor(subscription, timezone.now())
    if successor is None:
        return NOTHING
    return format_html("{} on {}", link_to(successor, successor.plan), day_of(successor, successor.starts_at))


@display(description="changed from")
def changed_from(subscription: Subscription) -> str:
    """Link to the subscription whose plan was changed to this one's."""
    previous = subscription.previous
    return NOTHING if previous is None else link_to(previous, f"{previous} ({previous.plan})")


def day_of(subscription: Subscription, moment: datetime) -> str:
    """Print the day that ``moment`` lies in, as the customer counts days."""
    return f"{moment.astimezone(ZoneInfo(subscription.customer.timezone)):%Y-%m-%d}"


def is_live(subscription: Subscription) -> bool:
    """Tell whether the subscription has not ended."""
    return subscription.status(timezone.now()) in LIVE


def is_active(subscription: Subscription) -> bool:
    """Tell whether the subscription runs."""
    return subscription.status(timezone.now()) is SubscriptionStatus.ACTIVE


def has_pending_change(subscription: Subscription) -> bool:
    """Tell whether another plan follows."""
    return pending_successor(subscription, timezone.now()) is not None


def editable_of(subscription: Subscription) -> list[str]:
    """Return the fields that can be edited; where the end is a change of plan, it goes with that change."""
    return [name for name in EDITABLE if name != "ends_at" or not has_pending_change(subscription)]


def notice_of(subscription: Subscription | None) -> str:
    """Return what stands above the subscription's page; empty where there is nothing to say."""
    if subscription is None:
        return ""
    successor = pending_successor(subscription, timezone.now())
    if successor is not None:
        return f"Changes to {successor.plan} on {day_of(subscription, successor.starts_at)}."
    if subscription.ends_at is not None and is_live(subscription):
        return f"Ends on {subscription.ends_at:%Y-%m-%d %H:%M} UTC."
    return ""


class SubscriptionStatusFilter(StatusFilter):
    """Subscriptions by their status now."""

    statuses = SubscriptionStatus


class SubscriptionInline(LinkedRows):
    """The customer's subscriptions."""

    model = Subscription
    verbose_name_plural = "subscriptions"
    fields: ClassVar[Any] = (page_link, "plan", status_now, "starts_at", "ends_at", "terminated_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the subscriptions with their plans."""
        return super().get_queryset(request).select_related("plan")


@register(Subscription)
class SubscriptionAdmin(ModelAdmin):
    """Who uses which plan."""

    form = SubscriptionForm
    list_display = ("__str__", "customer", "plan", status_now, "starts_at", period_now, pending_change)
    list_filter = (
        SubscriptionStatusFilter,
        ("customer", AutocompleteFilter),
        ("plan", AutocompleteFilter),
        ("plan__product", AutocompleteFilter),
        ("billing_time", ChoicesFilter),
    )
    list_select_related = ("customer", "plan")
    search_fields = ("name", "external_id", "customer__name")
    search_help_text = "Name, external id or customer"
    autocomplete_fields = ("customer",)
    change_form_outer_before_template = "kernel/notice.html"
    actions_menu = True
    fields: ClassVar[Any] = (
        "customer", "plan", "name", "external_id", status_now, "starts_at", "bill_from", "ends_at", "billing_time",
        period_now, pending_change, changed_from, "terminated_at", "canceled_at", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read what follows each along with it."""
        successors = Subscription.objects.select_related("plan", "customer")
        related = ("customer", "plan", "previous__plan")
        found = super().get_queryset(request).select_related(*related)
        return found.prefetch_related(Prefetch("successors", successors))

    def suggested_as(self, obj: Any) -> str:
        """Name the customer too: others may have one of that plan."""
        return f"{obj} ({obj.customer})"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a new subscription has not got yet."""
        return self.fields if obj else SubscriptionForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show what stays as it was agreed."""
        shown = super().get_readonly_fields(request, obj)
        if obj is None:
            return shown
        return [*shown, *(name for name in SubscriptionForm.Meta.fields if name not in editable_of(obj))]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Give no hints beside what cannot be changed any more."""
        if obj is not None:
            hints = SubscriptionForm.Meta.help_texts
            kwargs["help_texts"] = {name: hints[name] for name in editable_of(obj)}
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new subscription has not got yet."""
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show one that has ended without a form."""
        return (obj is None or is_live(obj)) and super().has_change_permission(request, obj)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Say above the page what is to come."""
        notice = notice_of(context["original"])
        return super().render_change_form(request, {**context, "notice": notice}, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Subscription:
        """Subscribe the customer."""
        asked = form.cleaned_data
        asked = {**asked, "customer": asked["customer"].pk, "plan": asked["plan"].pk}
        return start_subscription(**asked, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Subscription:
        """Change what can change."""
        asked = {name: value for name, value in form.cleaned_data.items() if name in EDITABLE}
        return update_subscription(obj_id, **asked, now=timezone.now())

    @action(
        "Change plan", permissions=["change"], form=PlanChangeForm, reason="optional", when=is_active,
        icon="swap_horiz",
        description="The keys, the external id and the billing day go on. A change that is pending is replaced.",
    )  # fmt: skip
    def change_plan(
        self, request: HttpRequest, subscription_id: str, cleaned: dict[str, Any]
    ) -> str | HttpResponseRedirect:
        """Change to another plan, and go on to the subscription that runs from now on."""
        plan = cleaned["plan"]
        running = change_plan(subscription_id, plan=plan.pk, now=timezone.now())
        if running.pk != subscription_id:
            self.message_user(request, f"Changed to {plan}: this subscription goes on for the one before.", SUCCESS)
            return HttpResponseRedirect(change_url(running))
        return f"Changes to {plan} on {day_of(running, running.ends_at or timezone.now())}."

    @action(
        "Cancel pending change", permissions=["change"], reason="optional", when=has_pending_change, icon="undo",
        description="The subscription goes on with the plan it has.",
    )  # fmt: skip
    def cancel_change(self, request: HttpRequest, subscription_id: str, cleaned: dict[str, Any]) -> str:
        """Keep the plan."""
        return f"{cancel_pending_change(subscription_id, now=timezone.now())} keeps its plan."

    @action(
        "Terminate", permissions=["change"], form=TerminationForm, when=is_live, danger=True, icon="cancel",
        description="Ends the subscription now: its keys are revoked at once and the final invoice is drawn; or plans "
        "its end. One that has not begun is canceled, and so is a pending change of plan. An end that has come cannot "
        "be undone.",
    )  # fmt: skip
    def terminate(self, request: HttpRequest, subscription_id: str, cleaned: dict[str, Any]) -> str:
        """End the subscription."""
        subscription = terminate_subscription(subscription_id, at=cleaned["at"], now=timezone.now())
        if is_live(subscription):
            return f"{subscription} ends on {subscription.ends_at:%Y-%m-%d %H:%M} UTC."
        return f"{subscription} is {subscription.status(timezone.now())}."

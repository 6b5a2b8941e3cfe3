"""Customers in the admin: who buys, whether their access is on, and what they are subscribed to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from config.kernel.admin import (
    ChoicesFilter,
    DropdownFilter,
    ModelAdmin,
    action,
    badge,
    display,
    register,
)
from config.kernel.admin.columns import NOTHING, Colour
from customers.admin.forms import AssignPlanForm, CustomerForm, SuspensionForm
from customers.admin.metadata import line_of
from customers.admin.subscriptions import SubscriptionInline
from customers.models import Customer, CustomerStatus, Subscription
from customers.operations.customers import LOCKED_FIELDS, CustomerFields, create_customer, update_customer
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import start_subscription
from customers.operations.suspension import reactivate_customer, suspend_customer

STATUS_COLOURS: dict[str, Colour] = {
    CustomerStatus.ACTIVE: "success",
    CustomerStatus.INACTIVE: "warning",
    CustomerStatus.SUSPENDED: "danger",
}
WHY_LOCKED = "Locked, because the customer has subscriptions."
WHY_SYSTEM = "The bucket for usage whose customer is not known. It stays as it is."


class CustomerStatusFilter(DropdownFilter):
    """Customers whose access is on, or off, now."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses."""
        return [(str(value), str(label)) for value, label in CustomerStatus.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the customers with the status asked for."""
        return queryset.with_status(self.value(), timezone.now()) if self.value() in CustomerStatus.values else queryset


@display(description="status")
def status_now(customer: Customer) -> str:
    """Show whether access is on now."""
    status = customer.status(timezone.now())
    return badge(status.label, STATUS_COLOURS[status])


@display(description="metadata")
def metadata_lines(customer: Customer) -> str:
    """Print the metadata, a line an entry."""
    lines = ((line_of(key, value),) for key, value in customer.metadata.items())
    return format_html_join("", "<p>{}</p>", lines) or NOTHING


def is_suspended(customer: Customer) -> bool:
    """Tell whether access is off now."""
    return customer.is_suspended(timezone.now())


def is_ordinary(customer: Customer) -> bool:
    """Tell whether this is a customer and not the bucket."""
    return not customer.is_system


@register(Customer)
class CustomerAdmin(ModelAdmin):
    """Who buys."""

    form = CustomerForm
    list_display = ("name", "email", "tier", status_now, "currency", "external_id", "created_at")
    list_filter = (("tier", ChoicesFilter), CustomerStatusFilter)
    search_fields = ("name", "email", "external_id")
    search_help_text = "Name, e-mail or external id"
    inlines: ClassVar[Any] = [SubscriptionInline]
    change_form_outer_before_template = "kernel/notice.html"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "email", "external_id", "tier")}),
        ("Billing", {"fields": ("currency", "timezone", "legal_name", "billing_email", "net_payment_term_days",
                                "invoice_grace_days")}),
        ("Integration", {"fields": ("metadata",)}),
    )  # fmt: skip
    add_fieldsets: ClassVar[Any] = (*fieldsets[:2], ("Integration", {"fields": ("metadata", "with_key")}))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Print the metadata as lines also where they only can be read."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [*fieldsets[:-1], ("Integration", {"fields": (metadata_lines,)})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the deleted ones out."""
        return Customer.objects.live()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the API does."""
        return queryset.searched(search_term), False  # type: ignore[attr-defined]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new customer has not got yet."""
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Lock what stays as it is once something is assigned."""
        locked = LOCKED_FIELDS if has_subscriptions(obj) else ()
        return [*super().get_readonly_fields(request, obj), metadata_lines, *locked]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Say why the locked fields are locked."""
        if has_subscriptions(obj) and self.has_change_permission(request, obj):
            kwargs["help_texts"] = {**CustomerForm.Meta.help_texts, **dict.fromkeys(LOCKED_FIELDS, WHY_LOCKED)}
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show the bucket without a form."""
        return (obj is None or is_ordinary(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the bucket."""
        return (obj is None or is_ordinary(obj)) and super().has_delete_permission(request, obj)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Say above the page what an operator must not overlook."""
        customer = context["original"]
        return super().render_change_form(request, {**context, "notice": notice_of(customer)}, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Customer:
        """Create a customer, with a first key where one was asked for."""
        asked = dict(form.cleaned_data)
        with_key = asked.pop("with_key")
        return create_customer(CustomerFields(**asked), with_key=with_key, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Customer:
        """Change what an operator describes."""
        asked = {name: value for name, value in form.cleaned_data.items() if name != "with_key"}
        return update_customer(obj_id, now=timezone.now(), **asked)

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the customer under the guards."""
        delete_customer(obj_id, confirm=cleaned["confirm"], now=timezone.now())

    @action(
        "Assign plan", permissions=["customers.add_subscription"], form=AssignPlanForm, reason="optional",
        when=is_ordinary, icon="add_shopping_cart",
    )  # fmt: skip
    def assign_plan(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """Subscribe the customer to a plan; its key or client secret is shown once on the next page."""
        asked = {name: value for name, value in cleaned.items() if name not in {"plan", "reason"}}
        plan = cleaned["plan"]
        start_subscription(customer=customer_id, plan=plan.pk, **asked, now=timezone.now())
        return f"Subscribed to {plan}."

    @action(
        "Suspend", permissions=["change"], form=SuspensionForm, when=is_ordinary, bulk=True, danger=True, icon="block"
    )
    def suspend(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """Switch access off: keys stop working and there are no new ones; usage that still arrives is billed."""
        customer = suspend_customer(customer_id, reason=cleaned["reason"], until=cleaned["until"], now=timezone.now())
        return f"{customer} is suspended."

    @action("Reactivate", permissions=["change"], when=is_suspended, bulk=True, icon="lock_open")
    def reactivate(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """Switch access on again: the keys work as before."""
        return f"{reactivate_customer(customer_id, now=timezone.now())} is active again."


def has_subscriptions(customer: Customer | None) -> bool:
    """Tell whether something is assigned that locks fields."""
    return customer is not None and Subscription.objects.filter(customer=customer).exists()


def notice_of(customer: Customer | None) -> str:
    """Return what stands above the customer's page; empty where there is nothing to say."""
    if customer is None:
        return ""
    if customer.is_system:
        return WHY_SYSTEM
    if not is_suspended(customer):
        return ""
    since = f"Suspended since {customer.suspended_at:%Y-%m-%d %H:%M} UTC"
    until = f"until {customer.suspended_until:%Y-%m-%d %H:%M} UTC" if customer.suspended_until else "until reactivated"
    return f"{since}, {until}. Reason: {customer.suspension_reason or 'none given'}"

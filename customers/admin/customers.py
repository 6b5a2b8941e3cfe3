"""Customers in the admin: who buys, whether their access is on, and what they are subscribed to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    ChoicesFilter,
    ModelAdmin,
    StatusFilter,
    action,
    display,
    metadata_lines,
    register,
)
from config.kernel.locks import lock_reason
from customers.admin.deletion import CustomerDeletionForm
from customers.admin.forms import AssignPlanForm, CustomerForm, SuspensionForm
from customers.admin.hierarchy import (
    ParentSelect,
    WithinFilter,
    parent_link,
    possible_parents,
    status_now,
    tree,
    way_down_to,
)
from customers.admin.sheets import SheetActions
from customers.admin.subscribers import SubscriberInline
from customers.admin.subscriptions import SubscriptionInline
from customers.admin.suspensions import is_suspended, suspension_notice
from customers.admin.teams import TeamInline
from customers.models import Customer, CustomerStatus
from customers.operations.customers import LOCKED_FIELDS, CustomerFields, create_customer, update_customer
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.status import activate_customer, deactivate_customer
from customers.operations.subscriptions import start_subscription
from customers.operations.suspension import reactivate_customer, suspend_customer

WHY_LOCKED = "Locked, because the customer has {reason}."
WHY_INACTIVE = "Inactive since {since:%Y-%m-%d %H:%M} UTC: no new subscriptions and keys; what there is goes on."
WHY_SYSTEM = "The bucket for usage whose customer is not known. It stays as it is."


class CustomerStatusFilter(StatusFilter):
    """Customers whose access is on, or off, now."""

    statuses = CustomerStatus


@display(description="metadata")
def metadata_shown(customer: Customer) -> str:
    """Print the metadata, a line an entry."""
    return metadata_lines(customer.metadata)


def is_ordinary(customer: Customer) -> bool:
    """Tell whether this is a customer and not the bucket."""
    return not customer.is_system


def is_active(customer: Customer) -> bool:
    """Tell whether this is a customer that has not been deactivated."""
    return is_ordinary(customer) and customer.deactivated_at is None


def is_inactive(customer: Customer) -> bool:
    """Tell whether the customer has been deactivated."""
    return customer.deactivated_at is not None


@display(description="id")
def public_id(customer: Customer) -> str:
    """Show the id, by which the API knows the customer."""
    return str(customer.pk)


GENERAL: tuple[str, dict[str, Any]] = (
    "General", {"fields": (("name", "email"), ("external_id", "tier"), "parent")}
)  # fmt: skip
STANDING: tuple[str, dict[str, Any]] = ("Standing", {"fields": ((status_now, public_id), tree)})
STANDING_OF_BUCKET: tuple[str, dict[str, Any]] = ("Standing", {"fields": ((status_now, public_id),)})
#: The parts of the page that are the same on every customer's.
DESCRIPTION: tuple[Any, ...] = (
    ("Currency and calendar", {"fields": (("currency", "timezone"),)}),
    ("Limits", {"fields": ("daily_requests", "rate_limit", "max_tokens_per_request")}),
    ("Billing identity", {"fields": (("legal_name", "tax_id"), ("billing_email", "billing_phone"))}),
    ("Address", {"fields": (("address_line1", "address_line2"), ("address_zip", "address_city"),
                            ("address_state", "address_country"))}),
    ("Payment", {"fields": (("billing_mode", "payment_provider"), ("net_payment_term_days", "invoice_grace_days"),
                            "remittance_instructions")}),
)  # fmt: skip
INTEGRATION = "Integration"
INTEGRATED = ("associated_domains", "storefront_url")


@register(Customer)
class CustomerAdmin(SheetActions, ModelAdmin):
    """Who buys."""

    form = CustomerForm
    deletion_form = CustomerDeletionForm
    list_display = ("name", "email", "tier", status_now, parent_link, "currency", "external_id", "created_at")
    list_filter = (("tier", ChoicesFilter), CustomerStatusFilter, WithinFilter)
    list_select_related = ("parent",)
    # What has an index; any other column would have all customers read and sorted for a page.
    sortable_by = ("name", "created_at")
    autocomplete_fields = ("parent",)
    actions_menu = True
    search_fields = ("name", "email", "external_id")
    search_help_text = "Name, e-mail or external id"
    inlines: ClassVar[Any] = [SubscriptionInline, TeamInline, SubscriberInline]
    change_form_outer_before_template = "customers/above.html"
    fieldsets: ClassVar[Any] = (GENERAL, STANDING, *DESCRIPTION, (INTEGRATION, {"fields": (*INTEGRATED, "metadata")}))
    add_fieldsets: ClassVar[Any] = (
        GENERAL,
        *DESCRIPTION,
        (INTEGRATION, {"fields": (*INTEGRATED, "metadata", "with_key")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Print the metadata as lines where they only can be read; the bucket has no place in a tree."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        shown = (INTEGRATION, {"fields": (*INTEGRATED, metadata_shown)})
        return [GENERAL, STANDING_OF_BUCKET if obj.is_system else STANDING, *DESCRIPTION, shown]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the deleted ones out."""
        return Customer.objects.live()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the API does; where a parent is chosen, among those that can be one."""
        found = queryset.searched(search_term)  # type: ignore[attr-defined]
        is_choice = (request.GET.get("model_name"), request.GET.get("field_name")) == ("customer", "parent")
        return possible_parents(found, request) if is_choice else found, False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer as parent what can be one."""
        if db_field.name == "parent" and request.resolver_match is not None:
            customer_id = request.resolver_match.kwargs.get("object_id")
            kwargs["widget"] = ParentSelect(
                db_field, self.admin_site, customer_id=None if customer_id is None else unquote(customer_id)
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new customer has not got yet."""
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Lock what stays as it is once something is assigned."""
        locked = LOCKED_FIELDS if obj is not None and lock_reason(obj) is not None else ()
        return [*super().get_readonly_fields(request, obj), metadata_shown, *locked]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Say why the locked fields are locked."""
        reason = None if obj is None else lock_reason(obj)
        if reason is not None:
            why = dict.fromkeys(LOCKED_FIELDS, WHY_LOCKED.format(reason=reason))
            kwargs["help_texts"] = {**CustomerForm.Meta.help_texts, **why}
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
        above = {"notice": notice_of(customer), "way_down": way_down_to(customer)}
        return super().render_change_form(request, {**context, **above}, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Customer:
        """Create a customer, with a first key where one was asked for."""
        asked = asked_in(form)
        with_key = asked.pop("with_key")
        return create_customer(CustomerFields(**asked), with_key=with_key, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Customer:
        """Change what an operator describes."""
        asked = {name: value for name, value in asked_in(form).items() if name != "with_key"}
        return update_customer(obj_id, now=timezone.now(), **asked)

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the customer under the guards, or with all that is open."""
        mode = DeletionMode(cleaned.get("mode", DeletionMode.GUARDED))
        delete_customer(obj_id, confirm=cleaned["confirm"], mode=mode, now=timezone.now())

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

    @action("Deactivate", permissions=["change"], when=is_active, bulk=True, icon="pause_circle")
    def deactivate(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """No new subscriptions and keys from now on; what the customer has goes on and is billed."""
        return f"{deactivate_customer(customer_id, now=timezone.now())} is inactive."

    @action("Activate", permissions=["change"], when=is_inactive, bulk=True, icon="play_circle")
    def activate(self, request: HttpRequest, customer_id: str, cleaned: dict[str, Any]) -> str:
        """The customer can get new subscriptions and keys again."""
        return f"{activate_customer(customer_id, now=timezone.now())} is active."


def asked_in(form: Any) -> dict[str, Any]:
    """Return what was filled in as the operations take it: the parent by its id."""
    asked = dict(form.cleaned_data)
    if "parent" in asked:
        asked["parent"] = None if asked["parent"] is None else asked["parent"].pk
    return asked


def notice_of(customer: Customer | None) -> str:
    """Return what stands above the customer's page; empty where there is nothing to say."""
    if customer is None:
        return ""
    if customer.is_system:
        return WHY_SYSTEM
    inactive = WHY_INACTIVE.format(since=customer.deactivated_at) if is_inactive(customer) else ""
    return " ".join(filter(None, (suspension_notice(customer), inactive)))

"""Coupons in the admin: a value that is fixed once they exist, described anew and terminated."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from catalog.admin.choices import MetricsField, PlansField
from catalog.models import Coupon, CouponFrequency, CouponKind, CouponLimit, CouponStatus
from catalog.operations.coupons import CouponValue, create_coupon, delete_coupon, terminate_coupon, update_coupon
from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    Colour,
    ModelAdmin,
    RecordForm,
    StatusFilter,
    action,
    badge,
    display,
    link_to,
    register,
)
from config.kernel.money import display_money, plain

STATUS_COLOURS: dict[str, Colour] = {CouponStatus.ACTIVE: "success", CouponStatus.EXPIRED: "warning"}

#: The fields that make sense only while another one has a value; the page shows them only then.
ONLY_WHERE = {
    "amount": ("kind", CouponKind.FIXED_AMOUNT),
    "currency": ("kind", CouponKind.FIXED_AMOUNT),
    "rate_percent": ("kind", CouponKind.PERCENTAGE),
    "periods": ("frequency", CouponFrequency.RECURRING),
    "plans": ("limited_to", CouponLimit.PLANS),
    "metrics": ("limited_to", CouponLimit.METRICS),
}

#: What can change once a coupon exists.
EDITABLE = ("name", "description", "expires_at")
WHY_FIXED = "Fixed once the coupon exists, because customers were promised it; make a new coupon for another value."


class CouponForm(RecordForm):
    """A coupon as an operator describes it."""

    plans = PlansField(label="Rate plans", help_text="The discount is taken off the lines of these plans only.")
    metrics = MetricsField(help_text="The discount is taken off the usage of these metrics only.")

    class Meta:
        model = Coupon
        fields = (
            "code", "name", "description", "kind", "amount", "currency", "rate_percent", "frequency", "periods",
            "is_reusable", "limited_to", "expires_at", "plans", "metrics",
        )  # fmt: skip
        help_texts: ClassVar = {
            "code": "What customers and integrations call the coupon: lower-case letters, digits, “.”, “_” and “-”. "
            "Must be unique.",
            "name": "What customers read on their invoices.",
            "amount": "What is taken off before taxes, never more than there is.",
            "currency": "The ISO 4217 code, for example EUR. Only customers in this currency can have it.",
            "rate_percent": "Above 0, up to 100.",
            "frequency": "How long it lasts for a customer. A fixed amount that is used once may be used up over "
            "several invoices; a recurring one is taken off whole each time.",
            "periods": "How many invoices in a row it is taken off.",
            "is_reusable": "A customer may have it more than once.",
            "expires_at": "In UTC. From then on no customer can get it; those who have it keep it. Empty for never.",
        }

    def clean(self) -> dict[str, Any]:
        """Ask for the fields that are shown for what was chosen, and forget what was typed into the others."""
        cleaned = self.cleaned_data
        for name in self.fields.keys() & ONLY_WHERE.keys():
            field, word = ONLY_WHERE[name]
            if cleaned.get(field) != word:
                self.errors.pop(name, None)
                cleaned[name] = [] if name in {"plans", "metrics"} else None
            elif cleaned.get(name) in (None, []) and name not in self.errors:
                self.add_error(name, "This field is required.")
        return cleaned


class CouponStatusFilter(StatusFilter):
    """Coupons by their status now."""

    statuses = CouponStatus


@display(description="status")
def status_now(coupon: Coupon) -> str:
    """Show the status now."""
    status = coupon.status(timezone.now())
    return badge(status.label, STATUS_COLOURS.get(status))


@display(description="discount")
def discount(coupon: Coupon) -> str:
    """Print what is taken off."""
    if coupon.amount is not None and coupon.currency is not None:
        return display_money(coupon.amount, coupon.currency)
    return f"{plain(coupon.rate_percent):f}%" if coupon.rate_percent is not None else ""


@display(description="lasts", ordering="frequency")
def duration(coupon: Coupon) -> str:
    """Print how long it lasts for a customer."""
    if coupon.periods is None:
        return CouponFrequency(coupon.frequency).label
    return "1 billing period" if coupon.periods == 1 else f"{coupon.periods} billing periods"


@display(description="taken off")
def limits(coupon: Coupon) -> str:
    """Link to the plans or metrics it is limited to."""
    rows = [*coupon.plans.all(), *coupon.metrics.all()]
    return format_html_join(", ", "{}", ((link_to(row),) for row in rows)) or CouponLimit.NOTHING.label


def is_open(coupon: Coupon) -> bool:
    """Tell whether the coupon has not been terminated."""
    return coupon.terminated_at is None


@register(Coupon)
class CouponAdmin(ModelAdmin):
    """What is taken off invoices."""

    form = CouponForm
    list_display = ("name", "code", discount, duration, "limited_to", "expires_at", status_now, "created_at")
    list_filter = (
        CouponStatusFilter,
        ("kind", ChoicesFilter),
        ("frequency", ChoicesFilter),
        ("plans__product", AutocompleteFilter),
        ("metrics", AutocompleteFilter),
    )
    search_fields = ("name", "code")
    linked_history = ("plan_limits", "metric_limits")
    conditional_fields: ClassVar[Any] = {
        name: f"{field} == '{word.value}'" for name, (field, word) in ONLY_WHERE.items()
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask a new coupon's value, and print that of one that exists."""
        _, *reason = super().get_fieldsets(request, obj)
        if obj is None:
            return [
                (None, {"fields": ("code", "name", "description")}),
                ("Discount", {"fields": ("kind", "amount", "currency", "rate_percent", "frequency", "periods")}),
                ("Limits", {"fields": ("limited_to", "plans", "metrics", "is_reusable", "expires_at")}),
            ]
        value = {"fields": ("code", discount, duration, limits, "is_reusable"), "description": WHY_FIXED}
        return [(None, {"fields": (*EDITABLE, status_now)}), ("Value", value), *reason]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave open what describes a coupon that exists."""
        fixed = ("code", "is_reusable", discount, duration, limits, status_now) if obj else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Give no hints beside what cannot be changed any more."""
        if obj is not None:
            hints = CouponForm.Meta.help_texts
            kwargs["help_texts"] = {name: hints[name] for name in EDITABLE if name in hints}
        return super().get_form(request, obj, change, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Coupon:
        """Create a coupon; what it is limited to follows from what is named."""
        asked = {name: value for name, value in form.cleaned_data.items() if name != "limited_to"}
        value: dict[str, Any] = {one.name: asked.pop(one.name) for one in fields(CouponValue)}
        return create_coupon(CouponValue(**value), **asked, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Coupon:
        """Describe the coupon anew."""
        asked = {name: value for name, value in form.cleaned_data.items() if name in EDITABLE}
        return update_coupon(obj_id, **asked, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the coupon."""
        delete_coupon(obj_id)

    @action("Terminate", permissions=["change"], when=is_open, bulk=True, danger=True, icon="cancel")
    def terminate(self, request: HttpRequest, coupon_id: str, cleaned: dict[str, Any]) -> str:
        """No customer can get the coupon from now on; those who have it keep it. There is no way back."""
        return f"{terminate_coupon(coupon_id, now=timezone.now())} is terminated."

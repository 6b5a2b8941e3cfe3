"""Rate plans in the admin: priced as drafts, frozen once active."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.admin.charge_texts import price_in_words
from catalog.admin.charges import ChargesField, rows_of
from catalog.admin.products import BASE_FEE, PLAN_STATUS
from catalog.errors import ChargesCouldTie, InvalidCharge
from catalog.models import PlanStatus, RatePlan
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan, create_rate_plan, update_rate_plan
from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    ModelAdmin,
    RecordForm,
    action,
    display,
    register,
)
from config.kernel.errors import Invalid

WHY_FROZEN = "This plan is {status}: its prices are frozen. For other prices make a new plan."


class RatePlanForm(RecordForm):
    """A draft with its charges."""

    charges = ChargesField(required=False)

    class Meta:
        model = RatePlan
        fields = ("product", "code", "name", "interval", "amount", "currency", "charges")
        labels: ClassVar = {"amount": "Base fee"}
        help_texts: ClassVar = {
            "code": "What integrations call the plan: lower-case letters, digits, “.”, “_” and “-”. Must be unique.",
            "name": "What customers read on their invoices.",
            "interval": "How long a billing period is.",
            "amount": "The base fee of each period, due with or without usage.",
            "currency": "The ISO 4217 code, for example EUR. Only customers in this currency can subscribe.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["charges"] = rows_of(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse the form while a row of its charges is wrong."""
        if self.cleaned_data.get("charges") is None:
            self.add_error(None, "Correct the charges marked below.")
        return self.cleaned_data


def has_status(status: PlanStatus) -> Any:
    """Return a condition on plans: being in ``status``."""
    return lambda plan: plan.status == status


@register(RatePlan)
class RatePlanAdmin(ModelAdmin):
    """What is paid how often, and what usage costs."""

    form = RatePlanForm
    list_display = (
        "name",
        "code",
        "product",
        "interval",
        BASE_FEE,
        PLAN_STATUS,
        "created_at",
    )
    list_filter = (("status", ChoicesFilter), ("interval", ChoicesFilter), ("product", AutocompleteFilter))
    list_select_related = ("product",)
    search_fields = ("name", "code", "product__name")
    autocomplete_fields = ("product",)
    change_form_outer_before_template = "kernel/notice.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Give the charges a part of their own, before the reason."""
        plain, *reason = super().get_fieldsets(request, obj)
        own = [name for name in plain[1]["fields"] if name != "charges"]
        return [
            (None, {"fields": own}),
            ("Charges for usage", {"fields": ["charges"], "description": "Usage without a charge costs nothing."}),
            *reason,
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what the form asks for, or what there is to read."""
        if obj is None or self.has_change_permission(request, obj):
            return (*RatePlanForm.Meta.fields, *([PLAN_STATUS] if obj else []))
        return ("product", "code", "name", "version", PLAN_STATUS, "interval", BASE_FEE, "charges")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave the status to the actions."""
        return [*super().get_readonly_fields(request, obj), "version", PLAN_STATUS, BASE_FEE]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show an editable form for drafts only."""
        is_draft = obj is None or obj.status == PlanStatus.DRAFT
        return is_draft and super().has_change_permission(request, obj)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Say above the page why nothing can be changed."""
        plan = context["original"]
        if plan is not None and plan.status != PlanStatus.DRAFT:
            context = {**context, "notice": WHY_FROZEN.format(status=plan.get_status_display().lower())}
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="charges")
    def charges(self, plan: RatePlan) -> str:
        """Print the charges of a plan that cannot be changed."""
        charges = plan.charges.select_related("metric")
        shown = [(charge, price_in_words(charge, plan.currency)) for charge in charges]
        return render_to_string("catalog/charges.html", {"charges": shown})

    def create(self, request: HttpRequest, form: Any) -> RatePlan:
        """Draft a plan."""
        asked = {**form.cleaned_data, "product": form.cleaned_data["product"].pk}
        with charges_counted():
            return create_rate_plan(**asked, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> RatePlan:
        """Change the draft; charges that are as before are left as they are."""
        asked = dict(form.cleaned_data)
        charges = asked.pop("charges")
        with charges_counted():
            return update_rate_plan(
                obj_id, charges=charges if "charges" in form.changed_data else None, **asked, now=timezone.now()
            )

    @action("Activate", permissions=["change"], when=has_status(PlanStatus.DRAFT), icon="rocket_launch")
    def activate(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> str:
        """From now on customers can subscribe, and neither the prices nor the charges can change any more."""
        return f"{activate_rate_plan(plan_id, now=timezone.now())} is active."

    @action("Archive", permissions=["change"], when=has_status(PlanStatus.ACTIVE), icon="archive", danger=True)
    def archive(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> str:
        """The plan takes no new subscriptions from now on; those it has go on and are billed as before."""
        return f"{archive_rate_plan(plan_id, now=timezone.now())} is archived."


@contextmanager
def charges_counted() -> Iterator[None]:
    """Tell above the form which charge a refusal is about, as the rows are counted."""
    try:
        yield
    except ChargesCouldTie as refusal:
        raise Invalid("", refusal.message) from refusal
    except InvalidCharge as refusal:
        position = int(str(refusal.param).partition("[")[2].partition("]")[0]) + 1
        raise Invalid("", f"Charge {position}: {refusal.message}") from refusal

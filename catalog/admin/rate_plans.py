"""Rate plans in the admin: priced as drafts, frozen once active."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.admin.catalog_check import CatalogCheck, plan_check
from catalog.admin.charge_texts import price_in_words, terms_in_words
from catalog.admin.plan_diffs import changes_panel
from catalog.admin.plan_forms import PlanTaxesForm, RatePlanForm, charges_counted
from catalog.admin.plan_terms import (
    SECTIONS_SHOWN,
    TERM_COLUMNS,
    TERM_FIELDS,
    TERM_SECTIONS,
    TERMS_SHOWN,
)
from catalog.admin.plan_versions import PlanVersions
from catalog.admin.price_bench import PriceBench
from catalog.admin.products import BASE_FEE, PLAN_STATUS
from catalog.models import PlanStatus, RatePlan
from catalog.operations.plan_deletion import delete_rate_plan
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan, create_rate_plan, update_rate_plan
from catalog.operations.taxes import set_plan_taxes
from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    DropdownFilter,
    action,
    display,
    register,
)


def has_status(status: PlanStatus) -> Any:
    """Return a condition on plans: being in ``status``."""
    return lambda plan: plan.status == status


class CurrencyFilter(DropdownFilter):
    """Plans by the currency they are paid in."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the currencies that there are plans in."""
        codes = RatePlan.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(code, code) for code in codes]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the plans in the currency asked for."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


@display(description="charges", ordering="charge_count")
def charge_count(plan: Any) -> str:
    """Show how many charges the plan has."""
    return f"{plan.charge_count:,}"


def is_frozen(plan: RatePlan) -> bool:
    """Tell whether the plan's page shows no form, because its prices cannot change."""
    return plan.status != PlanStatus.DRAFT


@register(RatePlan)
class RatePlanAdmin(CatalogCheck, PriceBench, PlanVersions):
    """What is paid how often, and what usage costs."""

    form = RatePlanForm
    panels = [plan_check, changes_panel]
    list_display = (
        "name",
        "code",
        "version",
        "product",
        "interval",
        BASE_FEE,
        charge_count,
        PLAN_STATUS,
        "created_at",
    )
    list_filter = (
        ("status", ChoicesFilter),
        ("interval", ChoicesFilter),
        CurrencyFilter,
        ("product", AutocompleteFilter),
        ("charges__metric", AutocompleteFilter),
        ("taxes", AutocompleteFilter),
    )
    list_select_related = ("product",)
    search_fields = ("name", "code", "product__name", "product__code")
    search_help_text = "Name, code or product"
    autocomplete_fields = ("product",)
    linked_history = ("tax_links",)
    change_form_outer_before_template = "kernel/notice.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the charges along with each plan."""
        return super().get_queryset(request).with_charge_count()  # type: ignore[attr-defined, no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Give the terms and the charges parts of their own, before the reason."""
        plain, *reason = super().get_fieldsets(request, obj)
        apart = {*TERM_FIELDS, *TERMS_SHOWN, "charges"}
        is_form = obj is None or self.has_change_permission(request, obj)
        return [
            (None, {"fields": [name for name in plain[1]["fields"] if name not in apart]}),
            *(TERM_SECTIONS if is_form else SECTIONS_SHOWN),
            ("Charges for usage", {"fields": ["charges"], "description": "Usage without a charge costs nothing."}),
            *reason,
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what the form asks for, or what there is to read."""
        if obj is None or self.has_change_permission(request, obj):
            return (*RatePlanForm.Meta.fields, *([PLAN_STATUS] if obj else []))
        own = ("product", "code", "name", "version", PLAN_STATUS, "interval", BASE_FEE, "taxes")
        return (*own, *TERMS_SHOWN, "charges")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave the status to the actions."""
        return [*super().get_readonly_fields(request, obj), "version", PLAN_STATUS, BASE_FEE, *TERM_COLUMNS]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show an editable form for drafts only."""
        is_draft = obj is None or obj.status == PlanStatus.DRAFT
        return is_draft and super().has_change_permission(request, obj)

    @display(description="charges")
    def charges(self, plan: RatePlan) -> str:
        """Print the charges of a plan that cannot be changed."""
        charges = plan.charges.select_related("metric")
        shown = [
            (charge, [*price_in_words(charge, plan.currency), *terms_in_words(charge, plan.currency)])
            for charge in charges
        ]
        return render_to_string("catalog/charges.html", {"charges": shown})

    def create(self, request: HttpRequest, form: Any) -> RatePlan:
        """Draft a plan."""
        asked = {**form.cleaned_data, "product": form.cleaned_data["product"].pk}
        with charges_counted(form["charges"].data):
            return create_rate_plan(**asked, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> RatePlan:
        """Change the draft; charges that are as before are left as they are."""
        asked = dict(form.cleaned_data)
        charges = asked.pop("charges")
        with charges_counted(form["charges"].data):
            return update_rate_plan(
                obj_id, charges=charges if "charges" in form.changed_data else None, **asked, now=timezone.now()
            )

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the plan with its charges; nobody has ever subscribed to it."""
        delete_rate_plan(obj_id, confirm=cleaned["confirm"])

    @action("Activate", permissions=["change"], when=has_status(PlanStatus.DRAFT), icon="rocket_launch")
    def activate(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> str:
        """From now on customers can subscribe, and neither the prices nor the charges can change any more."""
        return f"{activate_rate_plan(plan_id, now=timezone.now())} is active."

    @action(
        "Set taxes", permissions=["change"], form=PlanTaxesForm, reason="optional", when=is_frozen, icon="percent",
        description="Taxes are no part of the frozen prices. Invoices that are final keep the taxes they have.",
    )  # fmt: skip
    def set_taxes(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> str:
        """Change the taxes of the plan."""
        return f"The taxes of {set_plan_taxes(plan_id, taxes=cleaned['taxes'], now=timezone.now())} are set."

    @action("Archive", permissions=["change"], when=has_status(PlanStatus.ACTIVE), icon="archive", danger=True)
    def archive(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> str:
        """The plan takes no new subscriptions from now on; those it has go on and are billed as before."""
        return f"{archive_rate_plan(plan_id, now=timezone.now())} is archived."

"""Mappings in the admin: whether gateways enforce what is sold, and what to do where they do not."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms.models import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone

from catalog.admin.drift import SHOWN_ROWS, RestoreForm, rows_of, told
from catalog.gateways import vendor_of
from catalog.models import DriftReason, Gateway, GatewayMapping, Product, SyncStatus
from catalog.operations.gateway_mappings import (
    create_gateway_mapping,
    delete_gateway_mapping,
    request_check,
    request_restore,
    update_gateway_mapping,
)
from catalog.queries.supported_limits import imperfect_limits_of
from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    Colour,
    DropdownFilter,
    ModelAdmin,
    RecordForm,
    action,
    badge,
    display,
    register,
    status_badge,
)

STATUS_COLOURS: dict[str, Colour] = {
    SyncStatus.PENDING: "info",
    SyncStatus.SYNCED: "success",
    SyncStatus.STALE: "warning",
    SyncStatus.ERROR: "danger",
}
SYNC_STATUS = status_badge("status", STATUS_COLOURS, ordering="sync_status")

REASONS = {
    DriftReason.RECORD_CHANGED: "Our record changed since both agreed.",
    DriftReason.GATEWAY_CHANGED: "The gateway was changed since both agreed.",
    DriftReason.BOTH_CHANGED: "Both sides changed since they agreed.",
    DriftReason.NEVER_APPLIED: "Our record was never restored there.",
}


@display(description="differences")
def differences(mapping: GatewayMapping) -> str:
    """Print how much differs."""
    return str(len(mapping.drift))


class SyncStatusFilter(DropdownFilter):
    """Which mappings show a status."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Offer every status."""
        return SyncStatus.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep those that show it."""
        return queryset.in_status(self.value()) if self.value() in SyncStatus.values else queryset


class MappingForm(RecordForm):
    """What of a mapping can be chosen; product and gateway are before it."""

    product: ClassVar[Product]
    gateway: ClassVar[Gateway]

    class Meta:
        model = GatewayMapping
        fields = ("external_ref", "accepts_approximations")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "external_ref" in self.fields:
            adapter = vendor_of(self.gateway.vendor)
            self.fields["external_ref"].label = adapter.ref_label
            self.fields["external_ref"].help_text = adapter.ref_help


@register(GatewayMapping)
class GatewayMappingAdmin(ModelAdmin):
    """Which product is what at which gateway."""

    form = MappingForm
    list_display = ("external_ref", "product", "gateway", SYNC_STATUS, differences, "last_synced_at", "last_checked_at")
    list_filter = (
        SyncStatusFilter,
        ("gateway__vendor", ChoicesFilter),
        ("gateway", AutocompleteFilter),
        ("product", AutocompleteFilter),
    )
    list_select_related = ("product", "gateway")
    search_fields = ("external_ref", "product__name", "product__code", "gateway__name")
    autocomplete_fields = ("product", "gateway")
    list_before_template = "kernel/refreshing.html"
    change_form_outer_before_template = "catalog/gateway_mapping.html"
    history_words: ClassVar[Any] = {"drift": told}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Load both sides, which every page names."""
        return super().get_queryset(request).select_related("product", "gateway")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form for what is mapped."""
        mapping = obj or self.chosen(request)
        both = {"product": mapping.product, "gateway": mapping.gateway} if mapping else {}
        return super().get_form(request, obj, change, form=type("MappingForm", (MappingForm,), both), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name both sides of a mapping that is there."""
        return (*(("product", "gateway") if obj else ()), "external_ref", "accepts_approximations")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show beside the consent to approximations what it is about."""
        plain, *reason = super().get_fieldsets(request, obj)
        mapping: Any = obj or self.chosen(request)
        own = [name for name in plain[1]["fields"] if name != "accepts_approximations"]
        limits = render_to_string("catalog/gateway_limits.html", {"limits": imperfect_limits_of(mapping)})
        both = "" if obj else f"{mapping.product} at {mapping.gateway} ({mapping.gateway.get_vendor_display()})"
        return [
            (None, {"fields": own, "description": both and render_to_string("catalog/chosen.html", {"both": both})}),
            ("Limits", {"fields": ["accepts_approximations"], "description": limits}),
            *reason,
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix both sides once they are linked."""
        return [*super().get_readonly_fields(request, obj), *(["product", "gateway"] if obj else [])]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for product and gateway first, because all else depends on them."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.chosen(request) is None:
            return self.choosing_page(request)
        context = {"title": "Map a product to a gateway", **(extra_context or {})}
        response: HttpResponse = super().add_view(request, form_url, context)
        return response

    def chosen(self, request: HttpRequest) -> GatewayMapping | None:
        """Return a mapping, not made yet, of the product and the gateway that the address names; None without both."""
        form = self.choosing_form(request)
        return GatewayMapping(**form.cleaned_data) if form.is_valid() else None

    def choosing_form(self, request: HttpRequest) -> forms.ModelForm[GatewayMapping]:
        """Return the form that asks for both sides, filled in as the address says."""
        fields = ("product", "gateway")
        callback = partial(self.formfield_for_dbfield, request=request)
        form = modelform_factory(GatewayMapping, form=forms.ModelForm, fields=fields, formfield_callback=callback)
        given = {name: request.GET[name] for name in fields if is_id(name, request.GET.get(name))}
        return form(given if len(given) == len(fields) else None, initial=given, label_suffix="")

    def choosing_page(self, request: HttpRequest) -> TemplateResponse:
        """Return the page on which product and gateway are chosen."""
        form = self.choosing_form(request)
        context = {
            "title": "Map a product to a gateway",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "kept": [(name, value) for name, value in request.GET.items() if name not in form.fields],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "catalog/gateway_mapping_choice.html", {**self.admin_site.each_context(request), **context}
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Let the list follow the workers while one of its rows waits for them."""
        response: Any = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None and request.method == "GET":
            waits = any(mapping.status == SyncStatus.PENDING for mapping in changelist.result_list)
            response.context_data["refreshes"] = waits
        found: HttpResponse = response
        return found

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Show above the form how both sides stand, and follow the workers."""
        if mapping := context["original"]:
            waits = mapping.status == SyncStatus.PENDING and request.method == "GET"
            context = {**context, **standing_of(mapping), "refreshes": waits}
        return super().render_change_form(request, context, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> GatewayMapping:
        """Link the product."""
        both = {"product": form.product.pk, "gateway": form.gateway.pk}
        return create_gateway_mapping(**both, **form.cleaned_data, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> GatewayMapping:
        """Change what the product is at the gateway."""
        return update_gateway_mapping(obj_id, **form.cleaned_data, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Unlink the product."""
        delete_gateway_mapping(obj_id, confirm=cleaned["confirm"])

    @action("Check", permissions=["change"], reason="optional", bulk=True, icon="sync")
    def check_gateway(self, request: HttpRequest, mapping_id: str, cleaned: dict[str, Any]) -> str:
        """The gateway is compared with our record; nothing is changed there."""
        request_check(mapping_id, now=timezone.now())
        return "The gateway is being checked."

    @action(
        "Restore to gateway", permissions=["change"], form=RestoreForm, bulk=True, danger=True,
        icon="settings_backup_restore",
    )  # fmt: skip
    def restore_gateway(self, request: HttpRequest, mapping_id: str, cleaned: dict[str, Any]) -> str:
        """Our record is pushed to the gateway; what others changed of ours there is overwritten."""
        request_restore(mapping_id, now=timezone.now())
        return "Our record is being restored to the gateway."


def is_id(side: str, text: str | None) -> bool:
    """Tell whether ``text`` is an id of the kind that a side of a mapping has."""
    field = GatewayMapping._meta.get_field(side)
    try:
        return bool(text and field.target_field.to_python(text))  # type: ignore[union-attr]
    except ValidationError:
        return False


def standing_of(mapping: GatewayMapping) -> dict[str, Any]:
    """Return what the page says of both sides."""
    rows = rows_of(mapping.drift)
    return {
        "mapping": mapping,
        "badge": badge(mapping.status, STATUS_COLOURS[mapping.status]),
        "why": REASONS.get(DriftReason(mapping.drift_reason), ""),
        "rows": rows[:SHOWN_ROWS],
        "unshown": max(0, len(rows) - SHOWN_ROWS),
    }


@display(description="gateways")
def mappings_shown(product: Product) -> str:
    """Print what a product is at which gateways, with how each stands."""
    found = product.gateway_mappings.select_related("gateway").order_by("gateway__name", "external_ref")
    rows = [(mapping, badge(mapping.status, STATUS_COLOURS[mapping.status])) for mapping in found]
    return render_to_string("catalog/mappings_of_product.html", {"rows": rows})

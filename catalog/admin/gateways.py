"""Gateways in the admin: connected, tested, and looked after."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from catalog.admin.drift import RestoreEverythingForm
from catalog.admin.gateway_forms import COMMON, GatewayForm, form_for
from catalog.admin.gateway_mappings import SYNC_STATUS, differences
from catalog.gateways import vendor_of
from catalog.gateways.registry import ADAPTERS
from catalog.models import Gateway, GatewayMapping
from catalog.operations.gateway_mappings import request_checks_at, request_restores_at
from catalog.operations.gateways import GatewayFields, create_gateway, delete_gateway, test_gateway, update_gateway
from catalog.queries.supported_limits import limits_at
from config.kernel.admin import (
    ChoicesFilter,
    Colour,
    LinkedRows,
    ModelAdmin,
    action,
    badge,
    display,
    page_link,
    register,
)

LEVEL_COLOURS: dict[str, Colour] = {"exact": "success", "approximate": "warning", "unsupported": "danger"}
#: What operators may do with mappings from the page of their gateway.
CHANGE_MAPPINGS = "catalog.change_gatewaymapping"


class MappingInline(LinkedRows):
    """What is mapped to the gateway."""

    model = GatewayMapping
    verbose_name_plural = "mapped products"
    fields: ClassVar[Any] = ("product", page_link, SYNC_STATUS, differences, "last_synced_at")
    readonly_fields = fields


@display(description="vendor", ordering="vendor")
def vendor_shown(gateway: Gateway) -> str:
    """Print whose gateway it is."""
    return gateway.get_vendor_display()


@display(description="settings")
def settings_shown(gateway: Gateway) -> str:
    """Print the settings by the labels under which they are asked for."""
    settings = vendor_of(gateway.vendor).setting_fields
    return ", ".join(f"{one.label}: {gateway.settings[one.name]}" for one in settings if one.name in gateway.settings)


@display(description="credentials")
def credentials_shown(gateway: Gateway) -> str:
    """Print which credentials are set, and by what two sets can be told apart."""
    return render_to_string("catalog/gateway_credentials.html", {"gateway": gateway, "labels": labels_of(gateway)})


def labels_of(gateway: Gateway) -> list[str]:
    """Return what the credentials that are set are called."""
    return [one.label for one in vendor_of(gateway.vendor).credential_fields if one.name in gateway.credential_names]


@display(description="what it can do")
def capabilities_shown(gateway: Gateway) -> str:
    """Print in words what can be had from the gateway, and how well it enforces limits."""
    able = vendor_of(gateway.vendor).capabilities(gateway.settings)
    limits = [(one, badge(one.support.level, LEVEL_COLOURS[one.support.level])) for one in limits_at(gateway)]
    return render_to_string("catalog/gateway_capabilities.html", {"able": able, "limits": limits})


@display(description="last test")
def test_shown(gateway: Gateway) -> str:
    """Print what the last test of the connection found."""
    return f"{gateway.tested_at:%Y-%m-%d %H:%M} UTC: {gateway.test_result}" if gateway.tested_at else "never tested"


test_shown.__test__ = False  # type: ignore[attr-defined] # pytest takes it for a test where tests import it.


@display(description="condition")
def condition(gateway: Gateway) -> str:
    """Print whether somebody has to look after the connection."""
    if gateway.attention:
        return badge("Needs attention", "danger")
    if gateway.failures:
        return badge("Does not answer", "warning")
    return badge("Connected", "success")


@display(description="mapped products", ordering="mapped")
def mapped(gateway: Any) -> str:
    """Print how many mappings there are."""
    return str(gateway.mapped)


#: What is to be read of a connection beside its form.
STATE = (test_shown, capabilities_shown)


@register(Gateway)
class GatewayAdmin(ModelAdmin):
    """The API gateways in front of our products."""

    form = GatewayForm
    list_display = ("name", vendor_shown, "base_url", condition, mapped, "credentials_set_at", "tested_at")
    list_filter = (("vendor", ChoicesFilter),)
    search_fields = ("name", "base_url")
    inlines = (MappingInline,)
    actions_menu = True
    change_form_outer_before_template = "catalog/gateway_condition.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count what is mapped."""
        found: QuerySet[Any] = super().get_queryset(request).annotate(mapped=Count("mappings"))
        return found

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form of the vendor."""
        form = form_for(vendor_of(obj.vendor if obj else request.GET["vendor"]), is_new=obj is None)
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what every connection has."""
        if obj is None or self.has_change_permission(request, obj):
            return ((vendor_shown,) if obj else ()) + COMMON
        return ("name", vendor_shown, "base_url", settings_shown, "mark", "restores_by_itself", credentials_shown)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add what the vendor asks for, and what is known of the connection."""
        common, *reason = super().get_fieldsets(request, obj)
        about = [("Connection", {"fields": STATE})] if obj else []
        if obj is not None and not self.has_change_permission(request, obj):
            return [common, *about]
        adapter = vendor_of(obj.vendor if obj else request.GET["vendor"])
        settings = [f"settings.{one.name}" for one in adapter.setting_fields]
        secrets = [f"credentials.{one.name}" for one in adapter.credential_fields]
        why = "" if obj is None else "Left empty, all stay as they are. To change any of them, enter all anew."
        shown = [credentials_shown] if obj else []
        return [
            common,
            *([(f"{adapter.label} settings", {"fields": settings})] if settings else []),
            *([("Credentials", {"fields": [*shown, *secrets], "description": why})] if secrets else []),
            *about,
            *reason,
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Name what is only shown."""
        return [*super().get_readonly_fields(request, obj), vendor_shown, settings_shown, credentials_shown, *STATE]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new gateway has not got yet."""
        return self.inlines if obj else ()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the vendor first, because all else depends on it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("vendor") not in ADAPTERS:
            return self.vendors_page(request)
        title = f"Connect {vendor_of(request.GET['vendor']).label}"
        response: HttpResponse = super().add_view(request, form_url, {"title": title, **(extra_context or {})})
        return response

    def vendors_page(self, request: HttpRequest) -> TemplateResponse:
        """Return the page on which the vendor is chosen."""
        vendors = []
        for adapter in ADAPTERS.values():
            asked = request.GET.copy()
            asked["vendor"] = adapter.vendor
            # The class itself would be called by the template.
            vendors.append({"label": adapter.label, "ref": adapter.ref_help, "address": f"?{asked.urlencode()}"})
        context = {"title": "Connect a gateway", "opts": self.opts, "vendors": vendors}
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "catalog/gateway_vendors.html", {**self.admin_site.each_context(request), **context}
        )

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Keep what was typed out of every report of a failure."""
        return super().changeform_view(request, *args, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Gateway:
        """Connect the gateway."""
        fields = GatewayFields(settings=form.given("settings"), **{name: form.cleaned_data[name] for name in COMMON})
        credentials, vendor = form.given("credentials"), form.adapter.vendor
        return create_gateway(fields, vendor=vendor, credentials=credentials, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Gateway:
        """Change the connection; credentials only where some were typed."""
        changes = {name: form.cleaned_data[name] for name in COMMON}
        credentials = form.given("credentials") or None
        now = timezone.now()
        return update_gateway(obj_id, settings=form.given("settings"), credentials=credentials, now=now, **changes)

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Forget the connection."""
        delete_gateway(obj_id)

    @action("Test connection", permissions=["change"], reason=None, icon="network_check", unframed=True)
    def test_connection(self, request: HttpRequest, gateway_id: str, cleaned: dict[str, Any]) -> str:
        """The gateway is asked who it is, with the credentials we have; nothing is changed there."""
        return f"{test_gateway(gateway_id, now=timezone.now()).sentence}."

    @action("Check all", permissions=[CHANGE_MAPPINGS], reason="optional", icon="sync")
    def check_all(self, request: HttpRequest, gateway_id: str, cleaned: dict[str, Any]) -> str:
        """Everything mapped to the gateway is compared with our record; nothing is changed there."""
        return f"{len(request_checks_at(gateway_id, now=timezone.now()))} mapping(s) are being checked."

    @action(
        "Restore all to gateway", permissions=[CHANGE_MAPPINGS], form=RestoreEverythingForm, danger=True,
        icon="settings_backup_restore",
    )  # fmt: skip
    def restore_all(self, request: HttpRequest, gateway_id: str, cleaned: dict[str, Any]) -> str:
        """Our record of all that is mapped there is pushed to the gateway; what others changed is overwritten."""
        return f"{len(request_restores_at(gateway_id, now=timezone.now()))} mapping(s) are being restored."

"""Keys at gateways in the admin: which credentials stand where, and what to do about those that do not."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    Colour,
    LinkedRows,
    ReadOnlyModelAdmin,
    action,
    badge,
    display,
    link_to,
    register,
    status_badge,
)
from credentials.admin.credentials import CredentialAdmin
from credentials.models import GatewayKey, GatewayKeyStatus
from credentials.models.gateway_key import SECRETS
from credentials.operations.gateway_key_requests import retry_gateway_key, reveal_gateway_key

STATUS_COLOURS: dict[str, Colour] = {
    GatewayKeyStatus.PENDING: "info",
    GatewayKeyStatus.PLACED: "success",
    GatewayKeyStatus.SUSPENDED: "warning",
    GatewayKeyStatus.LOST: "danger",
    GatewayKeyStatus.ERROR: "danger",
}
STATUS = status_badge("status", STATUS_COLOURS, description="at the gateway", ordering="status")


@display(description="key")
def key_page(key: GatewayKey) -> str:
    """Link to the key's own page, as the number of the credential's secret."""
    return link_to(key)


@display(description="gateway", ordering="mapping__gateway__name")
def gateway_of(key: GatewayKey) -> str:
    """Link to the gateway."""
    return link_to(key.mapping.gateway)


@display(description="product", ordering="mapping__product__name")
def product_of(key: GatewayKey) -> str:
    """Link to the product."""
    return link_to(key.mapping.product)


@display(description="made there")
def made_there(key: GatewayKey) -> str:
    """Say whether the gateway made credentials of its own that nobody has seen yet."""
    return badge("To be shown", "warning") if key.has_something_to_show else "-"


class GatewayKeyInline(LinkedRows):
    """Where a credential stands, on its page."""

    model = GatewayKey
    verbose_name_plural = "at gateways"
    fields: ClassVar[Any] = (key_page, gateway_of, "wanted", STATUS, "last_error", "next_try_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Load what the rows name, and never what is sealed."""
        return super().get_queryset(request).select_related("mapping__gateway", "mapping__product").defer(*SECRETS)


CredentialAdmin.inlines = [*CredentialAdmin.inlines, GatewayKeyInline]


def can_be_retried(key: GatewayKey) -> bool:
    """Tell whether sending it again can help."""
    return key.can_be_retried


def has_something_to_show(key: GatewayKey) -> bool:
    """Tell whether the gateway made something that nobody has seen yet."""
    return key.has_something_to_show


@register(GatewayKey)
class GatewayKeyAdmin(ReadOnlyModelAdmin):
    """Keys at gateways."""

    list_display = (
        key_page, "credential", product_of, gateway_of, "wanted", STATUS, made_there, "last_error",
        "next_try_at",
    )  # fmt: skip
    list_display_links = None
    list_filter = (
        ("status", ChoicesFilter),
        ("wanted", ChoicesFilter),
        ("mapping__gateway", AutocompleteFilter),
        ("mapping", AutocompleteFilter),
        ("credential", AutocompleteFilter),
    )
    list_select_related = ("credential", "mapping__gateway", "mapping__product")
    search_fields = ("credential__name", "credential__customer__name", "=credential__last_four")
    search_help_text = "Credential, customer or last four"
    fields: ClassVar[Any] = (
        "credential", "generation", product_of, gateway_of, "mapping", "wanted", STATUS, made_there,
        "placed_at", "remove_at", "last_error", "next_try_at", "created_at",
    )  # fmt: skip

    @action("Retry", permissions=["change"], reason="optional", when=can_be_retried, bulk=True, icon="refresh")
    def retry(self, request: HttpRequest, key_id: str, cleaned: dict[str, Any]) -> str:
        """The key is sent to the gateway again, or taken away there; one that was lost is looked for once more."""
        retry_gateway_key(key_id, now=timezone.now())
        return "The key is being sent again."

    @action("Show credentials", permissions=["change"], when=has_something_to_show, icon="visibility")
    def show_credentials(self, request: HttpRequest, key_id: str, cleaned: dict[str, Any]) -> str:
        """What the gateway made for the customer is shown on the next page, this once."""
        reveal_gateway_key(key_id, now=timezone.now())
        return "The gateway's credentials have been shown."

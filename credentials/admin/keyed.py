"""What the pages of everything that lets somebody in have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    Colour,
    DropdownFilter,
    badge,
    display,
)
from credentials.models.keyed import Keyed

STATUS_COLOURS: dict[str, Colour] = {"active": "success", "expired": "warning", "revoked": "danger"}
EXPIRES_AT_HELP = "In UTC; empty for a key that does not expire."


@display(description="status")
def status_now(keyed: Keyed) -> str:
    """Show whether the secret lets its bearer in now."""
    status = keyed.status(timezone.now())
    return badge(status.capitalize(), STATUS_COLOURS[status])


@display(description="secret")
def masked(keyed: Keyed) -> str:
    """Show what people recognise the secret by."""
    return keyed.masked


def is_in_use(keyed: Keyed) -> bool:
    """Tell whether the secret is not revoked."""
    return keyed.revoked_at is None


class KeyStatusFilter(DropdownFilter):
    """Keys by their status now."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses."""
        return [(status, status.capitalize()) for status in STATUS_COLOURS]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the keys with the status asked for."""
        now = timezone.now()
        match self.value():
            case "active":
                return queryset.usable(now)
            case "expired":
                return queryset.filter(expires_at__lte=now, revoked_at__isnull=True)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset

"""Reasons of this app why a customer may not simply be deleted."""

from __future__ import annotations

from config.kernel.guards import Finding, Verdict, counted
from credentials.models import Credential
from customers.models import Customer


def customer_has_active_keys(customer: Customer) -> Finding | None:
    """Warn that keys will be revoked."""
    return counted(
        Credential.objects.filter(customer=customer, revoked_at__isnull=True).count(),
        code="active_api_keys",
        verdict=Verdict.WARN,
        message="{count} key(s) will be revoked",
        at="credentials_credential",
        query=f"customer__id__exact={customer.pk}",
    )

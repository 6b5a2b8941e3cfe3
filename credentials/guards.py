"""Reasons of this app why a customer may not simply be deleted."""

from __future__ import annotations

from django.urls import reverse

from config.kernel.guards import Finding, Verdict
from credentials.models import Credential
from customers.models import Customer


def customer_has_active_keys(customer: Customer) -> Finding | None:
    """Warn that keys will be revoked."""
    count = Credential.objects.filter(customer=customer, revoked_at__isnull=True).count()
    if not count:
        return None
    return Finding(
        code="active_api_keys",
        verdict=Verdict.WARN,
        message=f"{count} key(s) will be revoked",
        count=count,
        link=f"{reverse('admin:credentials_credential_changelist')}?customer__id__exact={customer.pk}",
    )

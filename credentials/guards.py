"""Reasons of this app why a customer, agent or subscriber may not simply be deleted, or a mapping unlinked."""

from __future__ import annotations

from django.db import models

from catalog.models import GatewayMapping
from config.kernel.guards import Finding, Verdict, counted
from credentials.models import Credential, GatewayKey
from customers.models import Agent, Customer, Subscriber


def customer_has_active_keys(customer: Customer) -> Finding | None:
    """Warn that keys will be revoked."""
    return _active_keys("customer", customer)


def agent_has_active_keys(agent: Agent) -> Finding | None:
    """Warn that the keys bound to the agent will be revoked."""
    return _active_keys("agent", agent)


def subscriber_has_active_keys(subscriber: Subscriber) -> Finding | None:
    """Warn that the keys bound to the subscriber will be revoked."""
    return _active_keys("subscriber", subscriber)


def mapping_has_keys(mapping: GatewayMapping) -> Finding | None:
    """Warn that keys will stay at the gateway, where nobody will take them away any more."""
    return counted(
        GatewayKey.objects.filter(mapping=mapping).there().count(),
        code="gateway_keys",
        verdict=Verdict.WARN,
        message="{count} key(s) will stay at the gateway, and let in there even after they have been revoked here",
        at="credentials_gatewaykey",
        query=f"mapping__id__exact={mapping.pk}",
    )


def _active_keys(whose: str, owner: models.Model) -> Finding | None:
    """Count the keys that ``owner``, which they name as ``whose``, takes along."""
    return counted(
        Credential.objects.filter(**{whose: owner}, revoked_at__isnull=True).count(),
        code="active_api_keys",
        verdict=Verdict.WARN,
        message="{count} key(s) will be revoked",
        at="credentials_credential",
        query=f"{whose}__id__exact={owner.pk}",
    )

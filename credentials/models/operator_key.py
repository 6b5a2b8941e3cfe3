"""Operator keys: what integrators call our API with."""

from __future__ import annotations

from django.db import models

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from credentials.models.keyed import Keyed, KeyedQuerySet


class Scope(models.TextChoices):
    """What an operator key may do."""

    ALL = "*", "Everything"
    CUSTOMERS_READ = "customers:read", "Read customers"
    CUSTOMERS_WRITE = "customers:write", "Change customers"
    CUSTOMERS_TERMINATE = "customers:terminate", "Delete customers with all that is open"
    CATALOG_READ = "catalog:read", "Read the catalog"
    CATALOG_WRITE = "catalog:write", "Change the catalog"
    GATEWAYS_WRITE = "gateways:write", "Connect gateways, change and test their connections"
    STOREFRONT_READ = "storefront:read", "Read the storefront"
    STOREFRONT_PARTNER = "storefront:partner", "See what partners see in the storefront"
    CREDENTIALS_READ = "credentials:read", "Read credentials"
    CREDENTIALS_WRITE = "credentials:write", "Issue and revoke credentials, verify secrets"
    BILLING_READ = "billing:read", "Read invoices, payments, wallets and usage"
    BILLING_WRITE = "billing:write", "Change invoices, payments and wallets"
    EVENTS_WRITE = "events:write", "Send usage events"


class OperatorKeyQuerySet(KeyedQuerySet["OperatorKey"]):
    """Operator keys."""


class OperatorKey(Keyed):
    """A key of the REST API with its scopes; ``name`` is what history shows as the actor."""

    id = TypeIDField("opk")

    objects = OperatorKeyQuerySet.as_manager()
    history = History(excluded_fields=["digest", "last_used_at"])

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="operator_key_in_use_has_a_digest",
                condition=models.Q(digest__isnull=False) | models.Q(revoked_at__isnull=False),
            ),
        ]

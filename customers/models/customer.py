"""Customers: who buys, in which currency and zone, below whom, and whether their access is on."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from config.kernel.history import History
from config.kernel.ids import TypeID, TypeIDField
from config.kernel.money import CurrencyField
from config.kernel.search import search_column, with_words
from customers.models.billing_identity import BillingIdentity, BillingMode, PaymentProvider
from customers.models.limits import Limited, Tier
from customers.models.suspension import Suspendable, SuspendableQuerySet, suspension_rules

#: The bucket for usage whose customer is not known; the row is made by a migration.
UNCLASSIFIED_ID = TypeID("cust_00000000000000000000000000")

#: How many customers deep a tree may be, its root included.
MAX_DEPTH = 8


class CustomerStatus(models.TextChoices):
    """Whether a customer is a going concern, and whether its access is on; a suspension outranks the rest."""

    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    SUSPENDED = "suspended", "Suspended"


def validate_timezone(name: str) -> None:
    """Raise ``ValidationError`` unless ``name`` is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not an IANA time zone.", code="invalid", params={"name": name})


class CustomerQuerySet(SuspendableQuerySet["Customer"]):
    """Customers, deleted ones included until ``live()`` is asked for."""

    def real(self) -> Self:
        """Leave the UNCLASSIFIED customer out."""
        return self.exclude(pk=UNCLASSIFIED_ID)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that stand at ``status`` at ``now``."""
        if status == CustomerStatus.SUSPENDED:
            return self.suspended(now)
        return self.with_access(now).filter(deactivated_at__isnull=status == CustomerStatus.ACTIVE)

    def searched(self, words: str) -> Self:
        """Keep those in whose name, e-mail or external id every one of ``words`` begins a word."""
        return with_words(self, words)

    def with_domain(self, domain: str) -> Self:
        """Keep those that the e-mail domain is associated with."""
        return self.filter(associated_domains__contains=[domain.lower()])


# Two changes at once could each be fine and together close a circle, so trees change one after the other.
TREE_IS_SOUND = f"""
    IF NEW.parent_id IS NULL OR (TG_OP = 'UPDATE' AND OLD.parent_id IS NOT DISTINCT FROM NEW.parent_id) THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('customers_customer.parent'));
    WITH RECURSIVE above (id, depth) AS (
        SELECT NEW.parent_id, 1
        UNION ALL
        SELECT one.parent_id, above.depth + 1 FROM above JOIN customers_customer one ON one.id = above.id
        WHERE one.parent_id IS NOT NULL AND above.depth <= {MAX_DEPTH}
    )
    SELECT max(depth), bool_or(id = NEW.id) INTO height, is_circle FROM above;
    IF is_circle THEN
        RAISE EXCEPTION 'a customer cannot stand below itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_tree_has_no_circle';
    END IF;
    WITH RECURSIVE below (id, depth) AS (
        SELECT NEW.id, 1
        UNION ALL
        SELECT one.id, below.depth + 1 FROM below JOIN customers_customer one ON one.parent_id = below.id
        WHERE one.deleted_at IS NULL AND below.depth <= {MAX_DEPTH}
    )
    SELECT height + max(depth) INTO height FROM below;
    IF height > {MAX_DEPTH} THEN
        RAISE EXCEPTION 'a tree of customers is at most {MAX_DEPTH} deep'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_tree_is_not_too_deep';
    END IF;
    RETURN NEW;
"""  # noqa: S608 - only a constant of ours is filled in.

SUSPENSION_INDEXES, SUSPENSION_CONSTRAINTS = suspension_rules("customer")


class Customer(BillingIdentity, Limited, Suspendable):
    """A company or person who buys; money is in ``currency``, days and months are those of ``timezone``."""

    id = TypeIDField("cust")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    external_id = models.CharField("external id", max_length=255, null=True, blank=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    currency = CurrencyField(default="USD")
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    #: E-mail domains in lower case; a subscriber with one of them probably belongs here.
    associated_domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    storefront_url = models.URLField("storefront URL", max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    search = search_column("name", "email", "external_id")

    objects = CustomerQuerySet.as_manager()
    history = History(excluded_fields=["search"])

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("terminate_customer", "Can delete customers with all that is open")]
        indexes = [
            *SUSPENSION_INDEXES,
            models.Index(
                name="customer_newest_first", fields=["-created_at", "-id"], condition=Q(deleted_at__isnull=True)
            ),
            models.Index(name="customer_by_name", fields=["name"], condition=Q(deleted_at__isnull=True)),
            models.Index(
                name="customer_of_tier", fields=["tier", "-created_at", "-id"], condition=Q(deleted_at__isnull=True)
            ),
            models.Index(
                name="customer_suspended",
                fields=["-created_at", "-id"],
                condition=Q(deleted_at__isnull=True, suspended_at__isnull=False),
            ),
            models.Index(
                name="customer_inactive",
                fields=["-created_at", "-id"],
                condition=Q(deleted_at__isnull=True, deactivated_at__isnull=False),
            ),
            GinIndex(name="customer_words", fields=["search"], fastupdate=False),
            GinIndex(name="customer_metadata", fields=["metadata"], opclasses=["jsonb_path_ops"]),
            GinIndex(name="customer_domains", fields=["associated_domains"]),
        ]
        constraints = [
            *SUSPENSION_CONSTRAINTS,
            models.UniqueConstraint(
                Lower("email"), name="customer_one_live_per_email", condition=Q(deleted_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["external_id"], name="customer_one_live_per_external_id", condition=Q(deleted_at__isnull=True)
            ),
            models.CheckConstraint(name="customer_tier_is_known", condition=Q(tier__in=Tier.values)),
            models.CheckConstraint(
                name="customer_billing_mode_is_known", condition=Q(billing_mode__in=BillingMode.values)
            ),
            models.CheckConstraint(
                name="customer_payment_provider_is_known", condition=Q(payment_provider__in=PaymentProvider.values)
            ),
            models.CheckConstraint(
                name="customer_is_not_its_own_parent", condition=Q(parent__isnull=True) | ~Q(parent=F("id"))
            ),
            models.CheckConstraint(
                name="customer_limits_are_positive",
                condition=(Q(daily_requests__isnull=True) | Q(daily_requests__gt=0))
                & (Q(rate_limit__isnull=True) | Q(rate_limit__gt=0))
                & (Q(max_tokens_per_request__isnull=True) | Q(max_tokens_per_request__gt=0)),
            ),
        ]
        triggers = [
            # Deleting a customer means writing down when; invoices outlive it.
            pgtrigger.Protect(name="customer_row_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="customer_tree_is_sound",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=[("height", "integer"), ("is_circle", "boolean")],
                func=TREE_IS_SOUND,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        """Whether this is the UNCLASSIFIED customer."""
        return self.pk == UNCLASSIFIED_ID

    def status(self, now: datetime) -> CustomerStatus:
        """Return the status at ``now``."""
        if self.is_suspended(now):
            return CustomerStatus.SUSPENDED
        return CustomerStatus.ACTIVE if self.deactivated_at is None else CustomerStatus.INACTIVE

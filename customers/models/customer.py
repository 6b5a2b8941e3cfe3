"""Customers: who buys, in which currency and zone, and whether their access is on."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Self

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from config.kernel.history import History
from config.kernel.ids import TypeID, TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import CurrencyField

#: The bucket for usage whose customer is not known; the row is made by a migration.
UNCLASSIFIED_ID = TypeID("cust_00000000000000000000000000")


class Tier(models.TextChoices):
    """The service level of a customer."""

    FREE = "free", "Free"
    DEVELOPER = "developer", "Developer"
    STARTUP = "startup", "Startup"
    ENTERPRISE = "enterprise", "Enterprise"


class CustomerStatus(models.TextChoices):
    """Whether a customer's access is on."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


def validate_timezone(name: str) -> None:
    """Raise ``ValidationError`` unless ``name`` is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not an IANA time zone.", code="invalid", params={"name": name})


class CustomerQuerySet(RecordQuerySet["Customer"]):
    """Customers, deleted ones included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those that are not deleted."""
        return self.filter(deleted_at__isnull=True)

    def real(self) -> Self:
        """Leave the UNCLASSIFIED customer out."""
        return self.exclude(pk=UNCLASSIFIED_ID)

    def suspended(self, now: datetime) -> Self:
        """Keep those whose access is off at ``now``."""
        return self.filter(Q(suspended_until__isnull=True) | Q(suspended_until__gt=now), suspended_at__isnull=False)

    def with_access(self, now: datetime) -> Self:
        """Keep those whose access is on at ``now``, whether or not a worker has lifted the suspension yet."""
        return self.filter(Q(suspended_at__isnull=True) | Q(suspended_until__lte=now))

    def suspension_over(self, now: datetime) -> Self:
        """Keep those whose suspension has run out but is still written down."""
        return self.filter(suspended_until__lte=now)

    def searched(self, words: str) -> Self:
        """Keep those with every word in name, e-mail or external id."""
        found = self
        for word in words.split():
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word) | Q(external_id__istartswith=word))
        return found


class Customer(Record):
    """A company or person who buys; money is in ``currency``, days and months are those of ``timezone``."""

    id = TypeIDField("cust")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    external_id = models.CharField("external id", max_length=255, null=True, blank=True)
    tier = models.CharField(max_length=20, choices=Tier, default=Tier.FREE)
    currency = CurrencyField(default="USD")
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    legal_name = models.CharField(max_length=200, blank=True)
    billing_email = models.EmailField(max_length=254, blank=True)
    net_payment_term_days = models.PositiveSmallIntegerField("net payment term (days)", default=30)
    invoice_grace_days = models.PositiveSmallIntegerField("invoice grace period (days)", default=0)
    metadata = models.JSONField(default=dict, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_until = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = models.TextField(blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CustomerQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="customer_newest_first", fields=["-created_at", "-id"]),
            models.Index(
                name="customer_suspension_end",
                fields=["suspended_until"],
                condition=Q(suspended_until__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="customer_one_live_per_email", condition=Q(deleted_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["external_id"], name="customer_one_live_per_external_id", condition=Q(deleted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="customer_suspension_ends_after_it_begins",
                condition=Q(suspended_until__isnull=True)
                | Q(suspended_at__isnull=False, suspended_until__gt=F("suspended_at")),
            ),
            models.CheckConstraint(name="customer_tier_is_known", condition=Q(tier__in=Tier.values)),
        ]
        triggers = [
            # Deleting a customer means writing down when; invoices outlive it.
            pgtrigger.Protect(name="customer_row_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        """Whether this is the UNCLASSIFIED customer."""
        return self.pk == UNCLASSIFIED_ID

    def is_suspended(self, now: datetime) -> bool:
        """Whether access is off at ``now``; the clock decides, not whether a worker has run."""
        return self.suspended_at is not None and (self.suspended_until is None or self.suspended_until > now)

    def status(self, now: datetime) -> CustomerStatus:
        """Return the status at ``now``."""
        return CustomerStatus.SUSPENDED if self.is_suspended(now) else CustomerStatus.ACTIVE

"""Subscriptions: a customer buys a rate plan."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from catalog.models import RatePlan
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from customers.models.customer import Customer


class SubscriptionStatus(models.TextChoices):
    """Where a subscription stands at a moment."""

    PENDING = "pending", "Pending"
    ACTIVE = "active", "Active"
    TERMINATED = "terminated", "Terminated"
    CANCELED = "canceled", "Canceled"


class BillingTime(models.TextChoices):
    """Where billing periods begin."""

    CALENDAR = "calendar", "Calendar: on the 1st, Monday or 1 January"
    ANNIVERSARY = "anniversary", "Anniversary: on the day the subscription began"


class SubscriptionQuerySet(RecordQuerySet["Subscription"]):
    """Subscriptions."""

    def live(self) -> Self:
        """Keep those that have not ended: active or pending."""
        return self.filter(terminated_at__isnull=True, canceled_at__isnull=True)

    def active(self, now: datetime) -> Self:
        """Keep those that run at ``now``."""
        return self.live().filter(starts_at__lte=now)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that stand at ``status`` at ``now``."""
        match status:
            case SubscriptionStatus.PENDING:
                return self.live().filter(starts_at__gt=now)
            case SubscriptionStatus.ACTIVE:
                return self.active(now)
            case SubscriptionStatus.TERMINATED:
                return self.filter(terminated_at__isnull=False)
        return self.filter(canceled_at__isnull=False)


class Subscription(Record):
    """One customer's use of one rate plan from ``starts_at``; periods follow the customer's timezone."""

    id = TypeIDField("sub")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, related_name="subscriptions")
    external_id = models.CharField("external id", max_length=255, null=True, blank=True)
    name = models.CharField(max_length=200, blank=True)
    billing_time = models.CharField(max_length=20, choices=BillingTime, default=BillingTime.CALENDAR)
    starts_at = models.DateTimeField()
    terminated_at = models.DateTimeField(null=True, blank=True, editable=False)
    canceled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SubscriptionQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                name="subscription_one_live_per_external_id",
                condition=Q(terminated_at__isnull=True, canceled_at__isnull=True),
            ),
            models.CheckConstraint(
                name="subscription_ends_after_it_begins",
                condition=Q(terminated_at__isnull=True) | Q(terminated_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="subscription_ends_once",
                condition=Q(terminated_at__isnull=True) | Q(canceled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id or str(self.pk)

    def status(self, now: datetime) -> SubscriptionStatus:
        """Return the status at ``now``."""
        if self.canceled_at is not None:
            return SubscriptionStatus.CANCELED
        if self.terminated_at is not None:
            return SubscriptionStatus.TERMINATED
        return SubscriptionStatus.ACTIVE if self.starts_at <= now else SubscriptionStatus.PENDING

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
        """Keep those that have not been ended: active or pending, or past their end with nobody having ended them."""
        return self.filter(terminated_at__isnull=True, canceled_at__isnull=True)

    def of_live_customers(self) -> Self:
        """Keep those whose customer is not deleted."""
        return self.filter(customer__deleted_at__isnull=True)

    def active(self, now: datetime) -> Self:
        """Keep those that run at ``now``."""
        return self.live().filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), starts_at__lte=now)

    def end_due(self, now: datetime) -> Self:
        """Keep those whose planned end has come but is not written down as their end yet."""
        return self.live().filter(ends_at__lte=now)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that stand at ``status`` at ``now``."""
        match status:
            case SubscriptionStatus.PENDING:
                return self.live().filter(starts_at__gt=now)
            case SubscriptionStatus.ACTIVE:
                return self.active(now)
            case SubscriptionStatus.TERMINATED:
                return self.filter(Q(terminated_at__isnull=False) | Q(canceled_at__isnull=True, ends_at__lte=now))
        return self.filter(canceled_at__isnull=False)


class Subscription(Record):
    """
    One customer's use of one rate plan in [``starts_at``, ``ends_at``); periods follow the customer's timezone.

    A change of plan makes a successor, whose ``previous`` this is: it starts when this one ends, now or at the end of
    the period, and keeps the anchor that anniversaries are counted from.
    """

    id = TypeIDField("sub")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, related_name="subscriptions")
    external_id = models.CharField("external id", max_length=255, null=True, blank=True)
    name = models.CharField(max_length=200, blank=True)
    billing_time = models.CharField(max_length=20, choices=BillingTime, default=BillingTime.CALENDAR)
    starts_at = models.DateTimeField()
    #: What anniversaries are counted from: the start of the first subscription in a line of plan changes.
    anchor_at = models.DateTimeField(editable=False)
    #: From when on there is something to bill, where that is later than the start.
    bill_from = models.DateTimeField(null=True, blank=True)
    #: The planned end; the clock ends the subscription then, and a worker writes ``terminated_at`` down.
    ends_at = models.DateTimeField(null=True, blank=True)
    previous = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="successors", editable=False
    )
    terminated_at = models.DateTimeField(null=True, blank=True, editable=False)
    canceled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SubscriptionQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                name="subscription_end_due",
                fields=["ends_at"],
                condition=Q(ends_at__isnull=False, terminated_at__isnull=True, canceled_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                name="subscription_one_live_per_external_id",
                condition=Q(terminated_at__isnull=True, canceled_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["previous"], name="subscription_has_one_successor", condition=Q(canceled_at__isnull=True)
            ),
            models.CheckConstraint(
                name="subscription_ends_after_it_begins",
                condition=Q(terminated_at__isnull=True) | Q(terminated_at__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="subscription_is_to_end_after_it_begins",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="subscription_is_billed_from_its_start_or_later",
                condition=Q(bill_from__isnull=True) | Q(bill_from__gte=F("starts_at")),
            ),
            models.CheckConstraint(
                name="subscription_ends_once",
                condition=Q(terminated_at__isnull=True) | Q(canceled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id or str(self.pk)

    @property
    def end(self) -> datetime | None:
        """When the subscription ended or is to end (exclusive); None where that is open."""
        return self.terminated_at or self.ends_at

    @property
    def billed_from(self) -> datetime:
        """From when on there is something to bill."""
        return self.bill_from or self.starts_at

    def status(self, now: datetime) -> SubscriptionStatus:
        """Return the status at ``now``; the clock decides, not whether a worker has run."""
        if self.canceled_at is not None:
            return SubscriptionStatus.CANCELED
        if self.terminated_at is not None or (self.ends_at is not None and self.ends_at <= now):
            return SubscriptionStatus.TERMINATED
        return SubscriptionStatus.ACTIVE if self.starts_at <= now else SubscriptionStatus.PENDING

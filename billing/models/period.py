"""How far each subscription is billed, what came late, and the counters of document numbers."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q, Value

from billing.models.invoice import Invoice
from config.kernel.ids import TypeIDField
from customers.models import Customer, Subscription


class BilledPeriod(models.Model):
    """A stretch of a subscription that is on an invoice; no moment of a subscription is billed twice."""

    id = TypeIDField("bper")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="billed_periods")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="periods")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["subscription", "starts_at"]
        constraints = [
            models.CheckConstraint(name="billed_period_ends_after_it_begins", condition=Q(ends_at__gt=F("starts_at"))),
            # uuidrange is a range type of our own: it gives GiST an equality over uuid without btree_gist.
            ExclusionConstraint(
                name="billed_period_overlaps_no_other",
                expressions=[
                    (Func(F("subscription"), F("subscription"), Value("[]"), function="uuidrange"), "&&"),
                    (Func(F("starts_at"), F("ends_at"), function="tstzrange", output_field=DateTimeRangeField()), "&&"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d}–{self.ends_at:%Y-%m-%d}"


class BillingCursor(models.Model):
    """How far a subscription is billed, and when its next period can be; made when the subscription starts."""

    subscription = models.OneToOneField(
        Subscription, on_delete=models.PROTECT, primary_key=True, related_name="billing_cursor"
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    billed_until = models.DateTimeField()
    #: The end of the period that comes next; empty once nothing more will come.
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="billing_cursor_due", fields=["due_at"], condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.subscription_id} billed until {self.billed_until:%Y-%m-%d}"


class DocumentCounter(models.Model):
    """The last number given in a series and year; its row lock makes numbers gapless."""

    series = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="document_counter_one_per_year", fields=["series", "year"])]

    def __str__(self) -> str:
        return f"{self.series}-{self.year}-{self.last:06d}"


class LateUsage(models.Model):
    """
    An hour of a subscription in which usage came after its period was billed; the next invoice takes it up.

    A row of its own, not a column of the cursor: events only ever insert here, so senders never wait for each other.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="late_usage_once_per_hour", fields=["subscription", "hour"])]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.hour:%Y-%m-%d %H:%M}"

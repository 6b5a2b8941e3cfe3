"""Usage: events as they came, and the hourly roll-ups that everything else reads."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Metric
from config.kernel.money import AmountField
from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber, Subscription


def reference(model: type[models.Model], *, null: bool = False) -> models.ForeignKey[models.Model, models.Model]:
    """
    Return a link to ``model`` that the database does not check.

    Foreign keys halve the rate at which events can be written; attribution resolves the ids, ``verify_books`` looks
    for orphans.
    """
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, null=null, blank=null, related_name="+", db_index=False
    )


class UsageEvent(models.Model):
    """One thing that was used, kept as it came; ``id`` is the digest of ``transaction_id`` and counts it once."""

    id = models.UUIDField(primary_key=True, editable=False)
    transaction_id = models.CharField(max_length=255)
    #: Digest of everything the sender said, to tell a repeat from another event under the same id.
    content = models.UUIDField()
    type = models.CharField(max_length=100)
    timestamp = models.DateTimeField()
    received_at = models.DateTimeField()
    customer = reference(Customer)
    subscription = reference(Subscription, null=True)
    credential = reference(Credential, null=True)
    subscriber = reference(Subscriber, null=True)
    #: What the event named, where that was nobody alive: ``subscription sub_…``. Usage is reassigned by it.
    named = models.CharField(max_length=300, blank=True, default="", db_default="")
    properties = models.JSONField(default=dict)

    class Meta:
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(name="usage_event_newest_first", fields=["-timestamp", "-id"]),
            models.Index(name="usage_event_of_customer", fields=["customer", "timestamp"]),
            # What came before a period is looked up by its type, which may be rare among all that a customer sends.
            models.Index(
                name="usage_event_of_subscription",
                fields=["subscription", "type", "timestamp"],
                condition=Q(subscription__isnull=False),
            ),
            models.Index(
                name="usage_event_unclassified",
                fields=["named", "timestamp"],
                condition=Q(customer=UNCLASSIFIED_ID),
            ),
            models.Index(
                name="usage_event_of_subscriber",
                fields=["subscriber", "timestamp"],
                condition=Q(subscriber__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id


class HourlyRow(models.Model):
    """
    What both roll-ups have in common: whose, which credential and subscriber, which hour.

    ``id`` is the digest of the columns that identify the row. ``hour`` is when an hour begins on the customer's clock,
    so that no row straddles a local midnight, not even where the offset has half hours.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    customer = reference(Customer)
    subscription = reference(Subscription, null=True)
    credential = reference(Credential, null=True)
    subscriber = reference(Subscriber, null=True)
    hour = models.DateTimeField()
    events = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UsageHour(HourlyRow):
    """Requests, tokens and latency of one hour, by event type and model (the property ``model``, empty without)."""

    type = models.CharField(max_length=100)
    model = models.CharField(max_length=255, blank=True)
    tokens = AmountField(default=0)
    #: How many of the events carried tokens; a unit that does not occur is left out of answers.
    events_with_tokens = models.BigIntegerField(default=0)
    latency_ms = AmountField(default=0)
    events_with_latency = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(name="usage_hour_of_customer", fields=["customer", "hour"])]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.hour:%Y-%m-%d %H:%M} {self.type}"


class MetricHour(HourlyRow):
    """The units of one metric in one hour, by the metric's dimensions and the model."""

    metric = reference(Metric)
    model = models.CharField(max_length=255, blank=True)
    dimensions = models.JSONField(default=dict)
    total = AmountField(default=0)
    maximum = AmountField(null=True)

    class Meta:
        indexes = [models.Index(name="metric_hour_of_subscription", fields=["subscription", "hour"])]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.metric_id} {self.hour:%Y-%m-%d %H:%M}"

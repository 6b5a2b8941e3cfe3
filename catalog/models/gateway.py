"""Gateways: connections to the API gateways in front of our products."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet


class Vendor(models.TextChoices):
    """Whose gateway it is; what each can do is in ``catalog.gateways``."""

    KONG = "KONG", "Kong"
    APIGEE = "APIGEE", "Apigee"
    AWS_API_GATEWAY = "AWS_API_GATEWAY", "AWS API Gateway"
    AZURE_APIM = "AZURE_APIM", "Azure API Management"
    MULESOFT = "MULESOFT", "MuleSoft Anypoint"


#: What workers note while they work; no change of the connection.
GATEWAY_NOTES = ("claimed_until", "keys_claimed_until", "paused_until", "failures")
#: What is sealed, and so kept out of history and of every page.
SEALED = ("sealed_credentials",)


class GatewayQuerySet(RecordQuerySet["Gateway"]):
    """Gateways."""

    def free(self, now: datetime) -> Self:
        """Keep those that no worker is busy with and that are not resting after a failure."""
        unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        rested = Q(paused_until__isnull=True) | Q(paused_until__lte=now)
        return self.filter(unclaimed, rested)

    def with_jobs(self, now: datetime) -> Self:
        """Keep the free ones at which a mapping waits for a worker."""
        free = Q(mappings__claimed_until__isnull=True) | Q(mappings__claimed_until__lte=now)
        ripe = Q(mappings__next_try_at__isnull=True) | Q(mappings__next_try_at__lte=now)
        return self.free(now).filter(free, ripe, mappings__job__gt="").distinct()


class Gateway(Record):
    """
    A connection: where the admin interface of a gateway is and how to get in.

    ``settings`` are strings by the names that the vendor's adapter asks for; ``base_url`` is empty where the vendor's
    own host is meant, which the settings choose. The credentials are sealed and bound to this row;
    ``credential_names`` and ``fingerprint`` are what may be shown of them. ``mark`` is what objects of ours are marked
    with at the gateway.
    """

    id = TypeIDField("gate")
    name = models.CharField(max_length=100, unique=True)
    vendor = models.CharField(max_length=20, choices=Vendor)
    base_url = models.CharField("base URL", max_length=500, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    mark = models.CharField(max_length=20, default="meterdesk")
    restores_by_itself = models.BooleanField(
        "restores by itself", default=False, help_text="Push our record as soon as a check finds a difference."
    )
    sealed_credentials = models.BinaryField(editable=False)
    credential_names = ArrayField(models.CharField(max_length=50), default=list, editable=False)
    fingerprint = models.CharField(max_length=12, blank=True, editable=False)
    credentials_set_at = models.DateTimeField(null=True, editable=False)
    #: Why operators have to look after it: the credentials are not accepted. Empty when all is well.
    attention = models.CharField(max_length=500, blank=True, editable=False)
    tested_at = models.DateTimeField("tested at", null=True, editable=False)
    #: What the last test of the connection found, as a sentence.
    test_result = models.CharField("result of the test", max_length=500, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    #: Keys have a worker of their own, so that a revocation never waits for a comparison.
    keys_claimed_until = models.DateTimeField(null=True, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = GatewayQuerySet.as_manager()
    history = History(excluded_fields=[*SEALED, *GATEWAY_NOTES])

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="gateway_vendor_is_known", condition=Q(vendor__in=Vendor.values)),
            models.CheckConstraint(name="gateway_mark_is_a_slug", condition=Q(mark__regex=r"^[a-z][a-z0-9]*$")),
        ]

    def __str__(self) -> str:
        return self.name


class GatewayPace(models.Model):
    """When the next call of a kind may be made, for vendors that count calls by account; one row a budget."""

    scope = models.CharField(max_length=200)
    bucket = models.CharField(max_length=50)
    next_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="gateway_pace_one_per_budget", fields=["scope", "bucket"])]

    def __str__(self) -> str:
        return f"{self.scope} {self.bucket}"

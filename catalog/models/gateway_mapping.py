"""Mappings: which object at a gateway a product is, and whether that enforces what we sell."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalog.models.gateway import Gateway
from catalog.models.product import Product
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet


class SyncStatus(models.TextChoices):
    """Whether the gateway has what our record says."""

    PENDING = "PENDING", "Pending"
    SYNCED = "SYNCED", "Synced"
    STALE = "STALE", "Stale"
    ERROR = "ERROR", "Error"


class SyncJob(models.TextChoices):
    """What a worker has been asked to do."""

    NONE = "", "Nothing"
    CHECK = "check", "Check"
    RESTORE = "restore", "Restore"


class DriftReason(models.TextChoices):
    """Which side moved since both agreed."""

    NONE = "", "None"
    RECORD_CHANGED = "record_changed", "Our record changed"
    GATEWAY_CHANGED = "gateway_changed", "The gateway changed"
    BOTH_CHANGED = "both_changed", "Both changed"
    NEVER_APPLIED = "never_applied", "Never restored yet"


#: What is asked of workers and what they note; no change of the mapping. Who asked for a restore is kept by
#: ``restore_requested_at``; what came of it by the status.
MAPPING_NOTES = (
    "job", "job_number", "requested_at", "attempts", "claimed_until", "next_try_at", "progress",
    "last_checked_at", "last_synced_at", "record_digest", "gateway_digest",
)  # fmt: skip

#: A job that waits or runs, unless it is the repetition of one that failed.
UNDER_WAY = ~Q(job=SyncJob.NONE) & ~Q(sync_status=SyncStatus.ERROR, next_try_at__isnull=False)


class GatewayMappingQuerySet(RecordQuerySet["GatewayMapping"]):
    """Mappings."""

    def due(self, now: datetime) -> Self:
        """Keep those with a job that nobody has taken on, or whose worker has been silent for too long."""
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        ripe = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
        return self.exclude(job=SyncJob.NONE).filter(free, ripe)

    def in_status(self, status: str) -> Self:
        """Keep those that show ``status``."""
        if status == SyncStatus.PENDING:
            return self.filter(UNDER_WAY)
        return self.exclude(UNDER_WAY).filter(sync_status=status)

    def unchecked_since(self, moment: datetime) -> Self:
        """Keep those without a job whose last check, if any, lies before ``moment``."""
        return self.filter(Q(last_checked_at__isnull=True) | Q(last_checked_at__lt=moment), job=SyncJob.NONE)


class GatewayMapping(Record):
    """
    A product's link to ``external_ref``, an object at a gateway (a service, proxy, stage, API or instance).

    ``sync_status`` is what the last job found; while another waits or runs, ``status`` shows PENDING instead.
    ``drift`` lists what differs: ``[{"kind", "key", "label", "field", "record", "gateway"}]``. The digests are
    of both sides when they last agreed, and tell which has moved since.
    ``job`` is what a worker has to do, ``job_number`` counts the requests so that the answer to an old one does not
    pass for that to a new one.
    """

    id = TypeIDField("gmap")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="gateway_mappings")
    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="mappings")
    external_ref = models.CharField("external reference", max_length=300)
    accepts_approximations = models.BooleanField(
        "accepts approximations",
        default=False,
        help_text="Limits that the gateway can only approximate are sent all the same.",
    )
    sync_status = models.CharField(
        max_length=20, choices=SyncStatus, default=SyncStatus.PENDING, editable=False, db_index=True
    )
    drift = models.JSONField(default=list, editable=False)
    drift_reason = models.CharField(max_length=20, choices=DriftReason, blank=True, editable=False)
    last_synced_at = models.DateTimeField(null=True, editable=False)
    last_checked_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    #: The failure's code, empty without one.
    last_error_code = models.CharField(max_length=50, blank=True, editable=False)
    job = models.CharField(max_length=10, choices=SyncJob, blank=True, editable=False)
    job_number = models.PositiveIntegerField(default=0, editable=False)
    requested_at = models.DateTimeField(null=True, editable=False)
    restore_requested_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_try_at = models.DateTimeField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    #: ``{"done": 3, "of": 5, "step": "usage plan gold"}`` while a restore runs and after one that failed.
    progress = models.JSONField(default=dict, editable=False)
    record_digest = models.CharField(max_length=64, blank=True, editable=False)
    gateway_digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = GatewayMappingQuerySet.as_manager()
    history = History(excluded_fields=[*MAPPING_NOTES])

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="gateway_mapping_with_a_job", fields=["requested_at"], condition=~Q(job=SyncJob.NONE)),
        ]
        constraints = [
            models.UniqueConstraint(name="gateway_mapping_one_per_object", fields=["gateway", "external_ref"]),
            # What a plan becomes at a gateway is named after the plan, so it can be there once only.
            models.UniqueConstraint(name="gateway_mapping_one_per_product", fields=["gateway", "product"]),
            models.CheckConstraint(
                name="gateway_mapping_status_is_known", condition=Q(sync_status__in=SyncStatus.values)
            ),
            models.CheckConstraint(
                name="gateway_mapping_pending_has_a_job",
                condition=~Q(sync_status=SyncStatus.PENDING) | ~Q(job=SyncJob.NONE),
            ),
            models.CheckConstraint(
                name="gateway_mapping_stale_has_drift",
                condition=~Q(sync_status=SyncStatus.STALE) | ~Q(drift=[]),
            ),
            models.CheckConstraint(
                name="gateway_mapping_synced_has_no_drift",
                condition=~Q(sync_status=SyncStatus.SYNCED) | Q(drift=[], last_error=""),
            ),
            models.CheckConstraint(
                name="gateway_mapping_fails_with_an_error",
                condition=~Q(sync_status=SyncStatus.ERROR) | ~Q(last_error=""),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="gateway_mapping_stays_with_its_gateway", fields=["product", "gateway"]),
        ]

    def __str__(self) -> str:
        return self.external_ref

    @property
    def status(self) -> SyncStatus:
        """What operators see: what the last job found, or PENDING while one waits or runs."""
        repeats_failure = self.sync_status == SyncStatus.ERROR and self.next_try_at is not None
        return SyncStatus.PENDING if self.job and not repeats_failure else SyncStatus(self.sync_status)

"""Purges: whose usage is to be removed for good."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from config.kernel.models import RecordQuerySet
from customers.models import Customer


class UsagePurgeQuerySet(RecordQuerySet["UsagePurge"]):
    """Purges."""

    def unfinished(self) -> Self:
        """Keep those with something left to do."""
        return self.filter(finished_at__isnull=True)


class UsagePurge(models.Model):
    """
    The removal of a deleted customer's usage: asked for with the deletion, done by a job.

    It is finished only a while after the deletion, because usage that was being written at that moment may follow.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0)

    objects = UsagePurgeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(name="usage_purge_to_do", fields=["requested_at"], condition=Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} since {self.requested_at:%Y-%m-%d}"

"""Usage of nobody known: what the desk and integrators look at, and who moved what to whom."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q

from billing.models.usage import UsageEvent
from config.kernel.ids import TypeIDField
from config.kernel.models import RecordQuerySet
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber


class UnclassifiedUsageQuerySet(RecordQuerySet["UnclassifiedUsage"]):
    """Events that stand for all that are alike."""

    def unclassified(self) -> Self:
        """Keep those that are on the UNCLASSIFIED customer still."""
        return self.filter(customer=UNCLASSIFIED_ID)


class UnclassifiedUsage(UsageEvent):
    """
    All UNCLASSIFIED events that named the same and are of the same subscriber; the first to arrive stands for them.

    ``billing.queries.unclassified`` adds the figures.
    """

    objects: ClassVar[Any] = UnclassifiedUsageQuerySet.as_manager()

    class Meta:
        proxy = True
        verbose_name = "unclassified usage"
        verbose_name_plural = "unclassified usage"

    def __str__(self) -> str:
        return str(self.named)


class UsageReassignmentQuerySet(RecordQuerySet["UsageReassignment"]):
    """Reassignments."""


class UsageReassignment(models.Model):
    """
    One move of UNCLASSIFIED usage to a customer: which, how many events, and who did it and why.

    Events have no history of their own; this is theirs.
    """

    id = TypeIDField("reas")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    #: What the events named; empty where they were chosen by their subscriber alone.
    named = models.CharField(max_length=300, blank=True)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    moved = models.BigIntegerField()
    kept = models.BigIntegerField()
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()

    objects = UsageReassignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "reassigned usage"
        constraints = [
            models.CheckConstraint(name="usage_reassignment_moved_something", condition=Q(moved__gt=0, kept__gte=0)),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.moved} events to {self.customer_id}"

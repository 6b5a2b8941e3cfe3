"""What can be switched off for a while: since when, until when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q

from config.kernel.models import Record, RecordQuerySet

SuspendableT_co = TypeVar("SuspendableT_co", bound=models.Model, covariant=True)


class SuspendableQuerySet(RecordQuerySet[SuspendableT_co]):
    """Rows that can be suspended and deleted, deleted ones included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those that are not deleted."""
        return self.filter(deleted_at__isnull=True)

    def suspended(self, now: datetime) -> Self:
        """Keep those whose access is off at ``now``."""
        return self.filter(Q(suspended_until__isnull=True) | Q(suspended_until__gt=now), suspended_at__isnull=False)

    def with_access(self, now: datetime) -> Self:
        """Keep those whose access is on at ``now``, whether or not a worker has lifted the suspension yet."""
        return self.filter(Q(suspended_at__isnull=True) | Q(suspended_until__lte=now))

    def suspension_over(self, now: datetime) -> Self:
        """Keep those whose suspension has run out but is still written down."""
        return self.filter(suspended_until__lte=now)


class Suspendable(Record):
    """A record whose access can be off from ``suspended_at`` until ``suspended_until`` (exclusive), or for good."""

    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_until = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = models.TextField(blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def is_suspended(self, now: datetime) -> bool:
        """Whether access is off at ``now``; the clock decides, not whether a worker has run."""
        return self.suspended_at is not None and (self.suspended_until is None or self.suspended_until > now)


def suspension_rules(noun: str) -> tuple[list[models.Index], list[models.BaseConstraint]]:
    """Return the index and the constraint that a :class:`Suspendable` needs, named for its noun."""
    index = models.Index(
        name=f"{noun}_suspension_end", fields=["suspended_until"], condition=Q(suspended_until__isnull=False)
    )
    constraint = models.CheckConstraint(
        name=f"{noun}_suspension_ends_after_it_begins",
        condition=Q(suspended_until__isnull=True)
        | Q(suspended_at__isnull=False, suspended_until__gt=F("suspended_at")),
    )
    return [index], [constraint]

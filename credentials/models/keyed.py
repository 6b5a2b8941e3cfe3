"""What everything that lets somebody in has in common."""

from __future__ import annotations

from datetime import datetime
from typing import Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel.models import Record, RecordQuerySet

KeyedT_co = TypeVar("KeyedT_co", bound=models.Model, covariant=True)


class KeyedQuerySet(RecordQuerySet[KeyedT_co]):
    """Rows with a secret."""

    def usable(self, now: datetime) -> Self:
        """Keep those neither revoked nor expired at ``now``."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)

    def with_status(self, status: str, now: datetime) -> Self:
        """Keep those that are ``active``, ``expired`` or ``revoked`` at ``now``."""
        if status == "revoked":
            return self.filter(revoked_at__isnull=False)
        return self.usable(now) if status == "active" else self.filter(revoked_at__isnull=True, expires_at__lte=now)


class Keyed(Record):
    """A row with a secret: the digest is kept, beside what people recognise it by."""

    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32, unique=True, null=True, editable=False)
    prefix = models.CharField(max_length=16, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def masked(self) -> str:
        """The secret as people may see it."""
        return f"{self.prefix}…{self.last_four}"

    def status(self, now: datetime) -> str:
        """Return ``active``, ``expired`` or ``revoked`` at ``now``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

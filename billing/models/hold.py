"""Holds: money of a wallet kept for one piece of work until it is taken or given back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.models.wallet import Wallet
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import EXACT, ZERO, AmountField


class HoldStatus(models.TextChoices):
    """A hold is open, or has ended in one of three ways."""

    OPEN = "open", "Open"
    COMMITTED = "committed", "Committed"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"


class HoldQuerySet(RecordQuerySet["Hold"]):
    """Holds."""

    def open(self) -> Self:
        """Keep those that have not been ended; some may be overdue."""
        return self.filter(status=HoldStatus.OPEN)

    def overdue(self, now: datetime) -> Self:
        """Keep those whose end has come at ``now`` without being written down yet."""
        return self.open().filter(expires_at__lte=now)


class Hold(Record):
    """
    Money of a wallet kept for one piece of work until ``expires_at`` (exclusive).

    ``committed`` of ``amount`` has been taken; while the hold is open the rest is part of the wallet's ``held``.
    """

    id = TypeIDField("hold")
    # The unique constraint's index serves look-ups by wallet too.
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds", db_index=False)
    amount = AmountField()
    committed = AmountField(default=ZERO)
    reference = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=HoldStatus, default=HoldStatus.OPEN)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(name="hold_open_by_end", fields=["expires_at"], condition=Q(status=HoldStatus.OPEN))]
        constraints = [
            models.UniqueConstraint(name="hold_one_per_wallet_and_reference", fields=["wallet", "reference"]),
            models.CheckConstraint(name="hold_status_is_known", condition=Q(status__in=HoldStatus.values)),
            models.CheckConstraint(name="hold_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="hold_committed_within_amount", condition=Q(committed__gte=0, committed__lte=F("amount"))
            ),
            models.CheckConstraint(
                name="hold_open_has_a_rest_and_no_end",
                condition=Q(status=HoldStatus.OPEN, ended_at__isnull=True, committed__lt=F("amount"))
                | (~Q(status=HoldStatus.OPEN) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="hold_committed_took_something", condition=~Q(status=HoldStatus.COMMITTED) | Q(committed__gt=0)
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="hold_stays_what_it_is", fields=["wallet", "amount", "reference", "created_at"]),
            pgtrigger.Protect(name="hold_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="hold_ends_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.status <> 'open'"),
                func="RAISE EXCEPTION 'a hold ends once' USING ERRCODE = 'check_violation';",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def rest(self) -> Decimal:
        """What is not committed: kept while the hold is open, given back once it has ended."""
        return EXACT.subtract(self.amount, self.committed)

    def status_at(self, now: datetime) -> HoldStatus:
        """Return the status at ``now``; the clock decides, not whether a worker has swept."""
        if self.status == HoldStatus.OPEN and self.expires_at <= now:
            return HoldStatus.EXPIRED
        return HoldStatus(self.status)

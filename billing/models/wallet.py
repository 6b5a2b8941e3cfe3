"""Wallets: prepaid money of a customer, in lots."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import EXACT, ZERO, AmountField, CurrencyField
from customers.models import Customer

LOWEST_PRIORITY, DEFAULT_PRIORITY = 50, 25


class WalletStatus(models.TextChoices):
    """Whether money can move."""

    ACTIVE = "active", "Active"
    TERMINATED = "terminated", "Terminated"


class WalletQuerySet(RecordQuerySet["Wallet"]):
    """Wallets."""

    def open(self) -> Self:
        """Keep those that are not terminated."""
        return self.filter(closed_at__isnull=True)

    def with_status(self, status: str) -> Self:
        """Keep those with the status, a word of :class:`WalletStatus`."""
        return self.filter(closed_at__isnull=status == WalletStatus.ACTIVE)

    def funded(self) -> Self:
        """Keep those with money in them, held or not."""
        return self.filter(balance__gt=0)


class Wallet(Record):
    """
    Prepaid money of one customer in one currency; amounts in currency units, 12 decimals.

    ``balance`` is what the lots still hold, ``held`` the part of it that open holds keep; both change only together
    with a ledger entry. Priority 1 is drawn first. ``entry_count`` numbers the entries, so that none can go missing.
    """

    id = TypeIDField("wal")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="wallets")
    currency = CurrencyField()
    name = models.CharField(max_length=200, blank=True)
    priority = models.PositiveSmallIntegerField(
        default=DEFAULT_PRIORITY, validators=[MinValueValidator(1), MaxValueValidator(LOWEST_PRIORITY)]
    )
    balance = AmountField(default=ZERO, editable=False)
    held = AmountField(default=ZERO, editable=False)
    entry_count = models.PositiveIntegerField(default=0, editable=False)
    closed_at = models.DateTimeField("terminated at", null=True, blank=True, editable=False)

    objects = WalletQuerySet.as_manager()
    history = History(excluded_fields=["balance", "held", "entry_count", "updated_at"])

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="wallet_held_within_balance", condition=Q(held__gte=0, held__lte=F("balance"))),
            models.CheckConstraint(
                name="wallet_priority_from_1_to_50", condition=Q(priority__range=(1, LOWEST_PRIORITY))
            ),
            models.CheckConstraint(
                name="wallet_terminated_is_empty", condition=Q(closed_at__isnull=True) | Q(balance=0)
            ),
            models.UniqueConstraint(
                name="wallet_one_open_per_customer_currency_name",
                fields=["customer", "currency", "name"],
                condition=Q(closed_at__isnull=True),
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="wallet_stays_what_it_is", fields=["customer", "currency"])]

    def __str__(self) -> str:
        return self.name or f"{self.currency} wallet"

    @property
    def spendable(self) -> Decimal:
        """What is left for new holds."""
        return EXACT.subtract(self.balance, self.held)

    @property
    def status(self) -> WalletStatus:
        """Whether money can move."""
        return WalletStatus.ACTIVE if self.closed_at is None else WalletStatus.TERMINATED

    def save_amounts(self, *, now: datetime) -> None:
        """Write balance and held without a history row: the ledger entries are their history."""
        self.updated_at = now
        fields = ["balance", "held", "entry_count", "updated_at"]
        self.save_without_historical_record(update_fields=fields)  # type: ignore[attr-defined]


class LotKind(models.TextChoices):
    """Where the money of a lot comes from."""

    GRANTED = "granted", "Granted by an operator"
    PAID = "paid", "Paid"


class WalletLotQuerySet(RecordQuerySet["WalletLot"]):
    """Lots."""

    def remaining_first_to_last(self) -> Self:
        """Keep those with money left, in the order in which it is taken: granted before paid, oldest first."""
        granted_first = models.Case(models.When(kind=LotKind.GRANTED, then=0), default=1)
        return self.filter(remaining__gt=0).order_by(granted_first, "created_at", "id")


class WalletLot(models.Model):
    """Money that entered a wallet at once; ``remaining`` of ``amount`` is not taken yet."""

    id = TypeIDField("lot")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots")
    kind = models.CharField(max_length=10, choices=LotKind)
    amount = AmountField()
    remaining = AmountField()
    created_at = models.DateTimeField()

    objects = WalletLotQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="wallet_lot_kind_is_known", condition=Q(kind__in=LotKind.values)),
            models.CheckConstraint(
                name="wallet_lot_remaining_within_amount", condition=Q(remaining__gte=0, remaining__lte=F("amount"))
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="wallet_lot_stays_what_it_is", exclude=["remaining"]),
            pgtrigger.Protect(name="wallet_lot_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)

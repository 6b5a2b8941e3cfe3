"""The ledger: every movement of a wallet's money, append-only."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.models.hold import Hold
from billing.models.wallet import Wallet, WalletLot
from config.kernel.ids import TypeIDField
from config.kernel.models import RecordQuerySet
from config.kernel.money import AmountField


class LedgerKind(models.TextChoices):
    """What moved: money into or out of the balance, or between spendable and held."""

    FUND = "fund", "Fund"
    HOLD = "hold", "Hold"
    COMMIT = "commit", "Commit"
    RELEASE = "release", "Release"
    EXPIRE = "expire", "Expire"
    VOID = "void", "Void"

    @property
    def balance_sign(self) -> int:
        """How the amount changes the balance: +1, −1 or 0 times."""
        return {LedgerKind.FUND: 1, LedgerKind.COMMIT: -1, LedgerKind.VOID: -1}.get(self, 0)

    @property
    def held_sign(self) -> int:
        """How the amount changes what is held: +1, −1 or 0 times."""
        signs = {LedgerKind.HOLD: 1, LedgerKind.COMMIT: -1, LedgerKind.RELEASE: -1, LedgerKind.EXPIRE: -1}
        return signs.get(self, 0)


class LedgerEntryQuerySet(RecordQuerySet["LedgerEntry"]):
    """Ledger entries."""


class LedgerEntry(models.Model):
    """
    One movement: ``amount`` (positive, in the wallet's currency), and the wallet's balance and held after it.

    An entry that changes the balance names the one lot the money entered or left, so taking from several lots makes
    several entries; one about a hold names the hold. ``number`` counts a wallet's entries from 1 in the order in which
    they happened, which times cannot tell when several processes write.
    """

    id = TypeIDField("led")
    # The unique constraint's index serves look-ups by wallet too.
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries", db_index=False)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LedgerKind)
    amount = AmountField()
    balance_after = AmountField()
    held_after = AmountField()
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    lot = models.ForeignKey(WalletLot, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        ordering = ["wallet", "-number"]
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(name="ledger_entry_one_per_wallet_and_number", fields=["wallet", "number"]),
            models.CheckConstraint(name="ledger_entry_kind_is_known", condition=Q(kind__in=LedgerKind.values)),
            models.CheckConstraint(name="ledger_entry_amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="ledger_entry_held_within_balance",
                condition=Q(held_after__gte=0, held_after__lte=F("balance_after")),
            ),
            models.CheckConstraint(
                name="ledger_entry_of_the_balance_names_its_lot",
                condition=Q(kind__in=[kind for kind in LedgerKind if kind.balance_sign], lot__isnull=False)
                | Q(kind__in=[kind for kind in LedgerKind if not kind.balance_sign], lot__isnull=True),
            ),
            models.CheckConstraint(
                name="ledger_entry_of_a_hold_names_it",
                condition=Q(kind__in=[kind for kind in LedgerKind if kind.held_sign], hold__isnull=False)
                | Q(kind__in=[kind for kind in LedgerKind if not kind.held_sign], hold__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind} #{self.number}"

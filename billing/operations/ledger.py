"""The ledger: move a locked wallet's money, one entry a movement."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from billing.models import Hold, LedgerEntry, LedgerKind, Wallet, WalletLot
from config.kernel.errors import Invalid
from config.kernel.history import current_actor
from config.kernel.money import EXACT

#: What ``numeric(30,12)`` holds: 12 fraction digits and less than this.
AMOUNT_LIMIT = Decimal(10) ** 18
SMALLEST_AMOUNT = Decimal("1e-12")


def refuse_bad_amount(amount: Decimal) -> None:
    """
    Refuse what no movement can carry.

    Raises:
        Invalid: ``amount`` is not positive, has more than 12 fraction digits or more than 18 integer digits.
    """
    if not amount.is_finite() or amount <= 0:
        raise Invalid("amount", "The amount must be more than 0")
    if amount >= AMOUNT_LIMIT:
        raise Invalid("amount", "The amount has more than 18 integer digits")
    if amount != amount.quantize(SMALLEST_AMOUNT, context=EXACT):
        raise Invalid("amount", "The amount has more than 12 fraction digits")


def record_movement(
    wallet: Wallet,
    kind: LedgerKind,
    amount: Decimal,
    *,
    hold: Hold | None = None,
    lot: WalletLot | None = None,
    now: datetime,
) -> LedgerEntry:
    """
    Move ``amount`` and write the entry under the name and reason of whoever acts.

    The caller has locked ``wallet`` and writes its new amounts, once, after its last movement.
    """
    wallet.balance = EXACT.add(wallet.balance, EXACT.multiply(kind.balance_sign, amount))
    wallet.held = EXACT.add(wallet.held, EXACT.multiply(kind.held_sign, amount))
    wallet.entry_count += 1
    actor = current_actor()
    return LedgerEntry.objects.create(
        wallet=wallet,
        number=wallet.entry_count,
        kind=kind,
        amount=amount,
        balance_after=wallet.balance,
        held_after=wallet.held,
        hold=hold,
        lot=lot,
        actor=actor.label,
        reason=actor.reason,
        created_at=now,
    )


def take_from_lots(
    wallet: Wallet, kind: LedgerKind, amount: Decimal, *, hold: Hold | None = None, now: datetime
) -> None:
    """Take ``amount``, at most the balance, out of the locked wallet's lots in their order, one entry a lot."""
    for lot in WalletLot.objects.filter(wallet=wallet).remaining_first_to_last():
        if not amount:
            return
        part = min(amount, lot.remaining)
        lot.remaining = EXACT.subtract(lot.remaining, part)
        lot.save(update_fields=["remaining"])
        record_movement(wallet, kind, part, hold=hold, lot=lot, now=now)
        amount = EXACT.subtract(amount, part)

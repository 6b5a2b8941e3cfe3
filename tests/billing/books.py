"""The books of a wallet: what has to add up, whatever was done to it."""

from decimal import Decimal, localcontext
from typing import Any

from django.db.models import F, Sum

from billing.models import Hold, LedgerEntry, LedgerKind, Wallet, WalletLot
from config.kernel.money import EXACT


def assert_books_add_up(wallet: Wallet) -> None:
    """Assert that wallet = Σ lots = Σ ledger, that held = Σ open holds, and that each entry follows from the last."""
    with localcontext(EXACT):
        _assert_books_add_up(Wallet.objects.get(pk=wallet.pk))


def _assert_books_add_up(wallet: Wallet) -> None:
    balance = held = Decimal(0)
    left: dict[Any, Decimal] = {}
    kept: dict[Any, Decimal] = {}
    entries = LedgerEntry.objects.filter(wallet=wallet).order_by("number")
    for number, entry in enumerate(entries, start=1):
        kind = LedgerKind(entry.kind)
        balance += kind.balance_sign * entry.amount
        held += kind.held_sign * entry.amount
        left[entry.lot_id] = left.get(entry.lot_id, Decimal(0)) + kind.balance_sign * entry.amount
        kept[entry.hold_id] = kept.get(entry.hold_id, Decimal(0)) + kind.held_sign * entry.amount
        assert (entry.number, entry.balance_after, entry.held_after) == (number, balance, held)

    lots = WalletLot.objects.filter(wallet=wallet)
    holds = Hold.objects.filter(wallet=wallet)
    assert (wallet.balance, wallet.held, wallet.entry_count) == (balance, held, len(entries))
    assert wallet.balance == (lots.aggregate(sum=Sum("remaining"))["sum"] or 0)
    assert wallet.held == (holds.open().aggregate(sum=Sum(F("amount") - F("committed")))["sum"] or 0)
    assert all(lot.remaining == left.get(lot.pk) for lot in lots)
    assert all((hold.rest if hold.ended_at is None else 0) == kept.get(hold.pk) for hold in holds)

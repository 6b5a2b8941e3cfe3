"""Holds: keep money of a wallet for a piece of work, then take it or give it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from billing.errors import CommitExceedsHold, HoldAlreadyEnded, HoldReferenceConflict, InsufficientFunds, WalletClosed
from billing.models import Hold, HoldStatus, LedgerKind, Wallet
from billing.operations.ledger import record_movement, refuse_bad_amount, take_from_lots
from config.kernel.errors import Invalid
from config.kernel.history import because
from config.kernel.money import EXACT, ZERO, plain

DEFAULT_HOLD_TIME = timedelta(hours=1)
LONGEST_HOLD_TIME = timedelta(days=30)


@transaction.atomic
def hold_funds(
    wallet_id: str, *, amount: Decimal, reference: str, expires_at: datetime | None = None, now: datetime
) -> Hold:
    """
    Keep ``amount`` of the wallet until ``expires_at`` (exclusive; one hour from now, 30 days at most).

    The same reference and amount again return the same hold, whatever has become of it.

    Raises:
        HoldReferenceConflict: the wallet has a hold of another amount under the reference.
        InsufficientFunds: ``amount`` is more than what is spendable.
        Invalid: ``amount`` or ``expires_at`` is out of bounds.
        WalletClosed: the wallet is terminated.
    """
    refuse_bad_amount(amount)
    wallet = Wallet.objects.lock(wallet_id)
    _expire_overdue(wallet, now)
    known = Hold.objects.filter(wallet=wallet, reference=reference).first()
    if known is not None:
        if known.amount != amount:
            raise HoldReferenceConflict(reference=reference, held=plain(known.amount), asked=plain(amount))
        return known
    _refuse_hold(wallet, amount, expires_at, now)
    return _place_hold(wallet, amount, reference, expires_at or now + DEFAULT_HOLD_TIME, now)


@transaction.atomic
def commit_hold(hold_id: str, *, amount: Decimal | None = None, final: bool = True, now: datetime) -> Hold:
    """
    Take ``amount`` (all that the hold still keeps) out of the wallet, granted lots before paid ones, oldest first.

    A ``final`` commit ends the hold and gives the rest back; another leaves it open, unless nothing is left to keep.

    Raises:
        CommitExceedsHold: ``amount`` is more than what the hold still keeps.
        HoldAlreadyEnded: it is committed, released or expired.
        Invalid: ``amount`` is out of bounds.
    """
    if amount is not None:
        refuse_bad_amount(amount)
    wallet, hold = _lock_open_hold(hold_id, now)
    taken = hold.rest if amount is None else amount
    if taken > hold.rest:
        raise CommitExceedsHold(rest=plain(hold.rest), asked=plain(taken))

    take_from_lots(wallet, LedgerKind.COMMIT, taken, hold=hold, now=now)
    hold.committed = EXACT.add(hold.committed, taken)
    if final or not hold.rest:
        end_hold(wallet, hold, HoldStatus.COMMITTED, now=now)
    else:
        hold.save_changes("committed", now=now)
    wallet.save_amounts(now=now)
    return hold


@transaction.atomic
def release_hold(hold_id: str, *, now: datetime) -> Hold:
    """
    End the hold and give back all that it still keeps.

    Raises:
        HoldAlreadyEnded: it is committed, released or expired.
    """
    wallet, hold = _lock_open_hold(hold_id, now)
    end_hold(wallet, hold, HoldStatus.RELEASED, now=now)
    wallet.save_amounts(now=now)
    return hold


@transaction.atomic
def expire_hold(hold_id: str, *, now: datetime) -> bool:
    """Write down that the hold's end has come, if it has, and tell whether it had; running it twice is harmless."""
    wallet, hold = _lock_hold(hold_id)
    if hold.status != HoldStatus.OPEN or hold.expires_at > now:
        return False
    end_hold(wallet, hold, HoldStatus.EXPIRED, now=now)
    wallet.save_amounts(now=now)
    return True


def expire_due_holds(*, now: datetime) -> int:
    """Expire every hold that is overdue at ``now``, each in its own transaction, and return how many."""
    due = Hold.objects.overdue(now).order_by("expires_at", "id")
    with because("The hold's end has come"):
        return sum(expire_hold(pk, now=now) for pk in due.values_list("pk", flat=True))


def end_hold(wallet: Wallet, hold: Hold, status: HoldStatus, *, now: datetime) -> None:
    """End an open hold and give its rest back; the caller has locked the wallet and writes its amounts."""
    kind = LedgerKind.EXPIRE if status is HoldStatus.EXPIRED else LedgerKind.RELEASE
    if hold.rest:
        record_movement(wallet, kind, hold.rest, hold=hold, now=now)
    hold.status = status
    hold.ended_at = now
    hold.save_changes("committed", "status", "ended_at", now=now)


def _expire_overdue(wallet: Wallet, now: datetime) -> None:
    overdue = Hold.objects.filter(wallet=wallet).overdue(now)
    for hold in overdue:
        end_hold(wallet, hold, HoldStatus.EXPIRED, now=now)
    if overdue:
        wallet.save_amounts(now=now)


def _refuse_hold(wallet: Wallet, amount: Decimal, expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and not now < expires_at <= now + LONGEST_HOLD_TIME:
        raise Invalid("expires_at", "The end of a hold must be in the future and within 30 days")
    if wallet.closed_at is not None:
        raise WalletClosed
    if amount > wallet.spendable:
        raise InsufficientFunds(spendable=plain(wallet.spendable), asked=plain(amount))


def _place_hold(wallet: Wallet, amount: Decimal, reference: str, expires_at: datetime, now: datetime) -> Hold:
    hold = Hold(
        wallet=wallet,
        amount=amount,
        committed=ZERO,
        reference=reference,
        expires_at=expires_at,
        created_at=now,
        updated_at=now,
    )
    hold.save(force_insert=True)
    record_movement(wallet, LedgerKind.HOLD, amount, hold=hold, now=now)
    wallet.save_amounts(now=now)
    return hold


def _lock_hold(hold_id: str) -> tuple[Wallet, Hold]:
    # The wallet is always locked before its holds, so that two operations on them never wait for each other.
    wallet = Wallet.objects.lock(Hold.objects.find(hold_id).wallet_id)
    return wallet, Hold.objects.lock(hold_id)


def _lock_open_hold(hold_id: str, now: datetime) -> tuple[Wallet, Hold]:
    wallet, hold = _lock_hold(hold_id)
    status = hold.status_at(now)
    if status is not HoldStatus.OPEN:
        raise HoldAlreadyEnded(status=status.value)
    return wallet, hold

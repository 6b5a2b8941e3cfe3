"""Wallets: open, fund by operator credit, terminate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.errors import DuplicateWallet, WalletClosed
from billing.events import WalletFunded, WalletTerminated
from billing.models import Hold, HoldStatus, LedgerKind, LotKind, Wallet, WalletLot
from billing.models.wallet import DEFAULT_PRIORITY
from billing.operations.holds import end_hold
from billing.operations.ledger import AMOUNT_LIMIT, record_movement, refuse_bad_amount, take_from_lots
from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.history import because
from config.kernel.money import EXACT, plain
from customers.models import Customer
from customers.operations.customers import lock_customer


@transaction.atomic
def open_wallet(
    *, customer: str, currency: str | None = None, name: str = "", priority: int = DEFAULT_PRIORITY, now: datetime
) -> Wallet:
    """
    Open an empty wallet of ``customer`` (id) in ``currency`` (the customer's); ``priority`` 1–50, 1 is drawn first.

    Raises:
        DuplicateWallet: the customer has an open wallet of that currency and name.
        NotFound: the customer is unknown or deleted.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    owner = lock_customer(customer, param="customer")
    wallet = Wallet(
        customer=owner,
        currency=currency or owner.currency,
        name=name,
        priority=priority,
        created_at=now,
        updated_at=now,
    )
    refusal = DuplicateWallet(currency=wallet.currency, name=name)
    with refusing({"wallet_one_open_per_customer_currency_name": refusal}):
        wallet.save(force_insert=True)
    return wallet


@transaction.atomic
def fund_wallet(wallet_id: str, *, amount: Decimal, reason: str, now: datetime) -> Wallet:
    """
    Grant the customer ``amount`` in the wallet's currency, as a lot of its own; ``reason`` goes to the ledger.

    Raises:
        Invalid: ``amount`` is out of bounds, or the balance would be.
        WalletClosed: the wallet is terminated.
    """
    refuse_bad_amount(amount)
    # A deletion asks for confirmation of the balances it forfeits, and then none may grow until it is done.
    Customer.objects.lock(Wallet.objects.find(wallet_id).customer_id)
    wallet = _lock_open_wallet(wallet_id)
    if EXACT.add(wallet.balance, amount) >= AMOUNT_LIMIT:
        raise Invalid("amount", "The balance would have more than 18 integer digits")

    lot = WalletLot.objects.create(wallet=wallet, kind=LotKind.GRANTED, amount=amount, remaining=amount, created_at=now)
    with because(reason):
        record_movement(wallet, LedgerKind.FUND, amount, lot=lot, now=now)
    wallet.save_amounts(now=now)
    publish(
        WalletFunded(
            wallet_id=wallet.id,
            customer_id=wallet.customer_id,
            at=now,
            currency=wallet.currency,
            amount=plain(amount),
            balance=plain(wallet.balance),
        )
    )
    return wallet


@transaction.atomic
def grant_credits(
    customer_id: str, *, wallet: str | None = None, name: str = "", amount: Decimal, reason: str, now: datetime
) -> Wallet:
    """
    Grant the customer ``amount`` in its wallet ``wallet`` (id), or in a new one called ``name`` in its own currency.

    Raises:
        DuplicateWallet: a new one is asked for, and the customer has an open one of that name in its currency.
        Invalid: ``amount`` is out of bounds, or the balance would be.
        NotFound: the customer is unknown or deleted, or has no such wallet.
        SystemCustomer: it is the UNCLASSIFIED one.
        WalletClosed: the wallet is terminated.
    """
    customer = lock_customer(customer_id)
    if wallet is None:
        purse = open_wallet(customer=customer.id, name=name, now=now)
    else:
        purse = Wallet.objects.filter(customer=customer).find(wallet)
    return fund_wallet(purse.id, amount=amount, reason=reason, now=now)


@transaction.atomic
def terminate_wallet(wallet_id: str, *, now: datetime) -> Wallet:
    """
    Release the wallet's open holds, void its balance and close it for good.

    Raises:
        WalletClosed: it is terminated already.
    """
    wallet = _lock_open_wallet(wallet_id)
    for hold in Hold.objects.filter(wallet=wallet).open().order_by("created_at", "id"):
        overdue = hold.status_at(now) is HoldStatus.EXPIRED
        end_hold(wallet, hold, HoldStatus.EXPIRED if overdue else HoldStatus.RELEASED, now=now)
    forfeited = wallet.balance
    take_from_lots(wallet, LedgerKind.VOID, forfeited, now=now)
    wallet.save_amounts(now=now)
    wallet.closed_at = now
    wallet.save_changes("closed_at", now=now)
    publish(
        WalletTerminated(
            wallet_id=wallet.id,
            customer_id=wallet.customer_id,
            at=now,
            currency=wallet.currency,
            forfeited=plain(forfeited),
        )
    )
    return wallet


def _lock_open_wallet(wallet_id: str) -> Wallet:
    wallet = Wallet.objects.lock(wallet_id)
    if wallet.closed_at is not None:
        raise WalletClosed
    return wallet

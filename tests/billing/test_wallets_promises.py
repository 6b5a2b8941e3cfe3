"""What the database promises of wallets, lots, holds and the ledger, tried to be broken around the application."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from billing.models import Hold, HoldStatus, LedgerEntry, LedgerKind, LotKind, Wallet, WalletLot
from billing.operations.holds import hold_funds, release_hold
from tests.factories import NOW, make_customer, make_hold, make_wallet

pytestmark = pytest.mark.django_db


def run(sql: str) -> None:
    """Run ``sql`` as somebody would who goes around the application."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


BROKEN_WALLETS = [
    ("held = balance + 1", "wallet_held_within_balance"),
    ("held = -1", "wallet_held_within_balance"),
    ("balance = -1", "wallet_held_within_balance"),
    ("priority = 0", "wallet_priority_from_1_to_50"),
    ("priority = 51", "wallet_priority_from_1_to_50"),
    ("closed_at = now()", "wallet_terminated_is_empty"),
    ("currency = 'XXX'", "Cannot update"),
]


@pytest.mark.parametrize(("change", "promise"), BROKEN_WALLETS)
def test_the_database_keeps_the_promises_of_a_wallet(change: str, promise: str) -> None:
    make_wallet(balance="5")

    with pytest.raises(DatabaseError, match=promise), transaction.atomic():
        run(f"UPDATE billing_wallet SET {change}")


def test_the_database_keeps_one_open_wallet_per_name_and_moves_none_to_another_customer() -> None:
    wallet = make_wallet()

    with pytest.raises(DatabaseError, match="wallet_one_open_per_customer_currency_name"), transaction.atomic():
        Wallet.objects.create(customer=wallet.customer, currency=wallet.currency, created_at=NOW, updated_at=NOW)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Wallet.objects.update(customer=make_customer())


BROKEN_ROWS: list[tuple[type[WalletLot | LedgerEntry], dict[str, Any], str]] = [
    (WalletLot, {"remaining": 6}, "wallet_lot_remaining_within_amount"),
    (WalletLot, {"remaining": -1}, "wallet_lot_remaining_within_amount"),
    (WalletLot, {"amount": 6}, "Cannot update"),
    (WalletLot, {"kind": LotKind.PAID}, "Cannot update"),
    (LedgerEntry, {"amount": 6}, "Cannot update"),
    (LedgerEntry, {"reason": "Another"}, "Cannot update"),
]


@pytest.mark.parametrize(("model", "change", "promise"), BROKEN_ROWS)
def test_the_database_keeps_lots_and_the_ledger_as_they_are(
    model: type[WalletLot | LedgerEntry], change: dict[str, Any], promise: str
) -> None:
    make_wallet(balance="5")
    rows: QuerySet[Any] = model._default_manager.all()

    with pytest.raises(DatabaseError, match=promise), transaction.atomic():
        rows.update(**change)
    with pytest.raises(DatabaseError, match=r"Cannot (update or )?delete"), transaction.atomic():
        run(f"DELETE FROM {model._meta.db_table}")


BROKEN_ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"number": 1}, "ledger_entry_one_per_wallet_and_number"),
    ({"amount": 0}, "ledger_entry_amount_is_positive"),
    ({"held_after": 6}, "ledger_entry_held_within_balance"),
    ({"kind": LedgerKind.FUND, "hold": None}, "ledger_entry_of_the_balance_names_its_lot"),
    ({"hold": None}, "ledger_entry_of_a_hold_names_it"),
    ({"kind": "gift"}, "ledger_entry_"),
]


@pytest.mark.parametrize(("change", "promise"), BROKEN_ENTRIES)
def test_the_database_takes_no_ledger_entry_that_makes_no_sense(change: dict[str, Any], promise: str) -> None:
    wallet = make_wallet(balance="5")
    hold = hold_funds(wallet.id, amount=Decimal(1), reference="job", now=NOW)
    sound: dict[str, Any] = {
        "wallet": wallet, "number": 9, "kind": LedgerKind.HOLD, "amount": 1, "balance_after": 5, "held_after": 2,
        "hold": hold, "created_at": NOW,
    }  # fmt: skip
    LedgerEntry.objects.create(**sound)

    with pytest.raises(DatabaseError, match=promise), transaction.atomic():
        LedgerEntry.objects.create(**{**sound, "number": 10, **change})


BROKEN_HOLDS = [
    ("committed = 6", "hold_committed_within_amount"),
    ("committed = -1", "hold_committed_within_amount"),
    ("committed = amount", "hold_open_has_a_rest_and_no_end"),
    ("ended_at = now()", "hold_open_has_a_rest_and_no_end"),
    ("status = 'released'", "hold_open_has_a_rest_and_no_end"),
    ("status = 'committed', ended_at = now()", "hold_committed_took_something"),
    ("status = 'lost', ended_at = now()", "hold_status_is_known"),
    ("amount = 6", "Cannot update"),
    ("reference = 'another'", "Cannot update"),
]


@pytest.mark.parametrize(("change", "promise"), BROKEN_HOLDS)
def test_the_database_keeps_the_promises_of_a_hold(change: str, promise: str) -> None:
    make_hold("5")

    with pytest.raises(DatabaseError, match=promise), transaction.atomic():
        run(f"UPDATE billing_hold SET {change}")


def test_the_database_keeps_ended_holds_as_they_ended() -> None:
    release_hold(make_hold().id, now=NOW)

    for change in ({"status": HoldStatus.OPEN, "ended_at": None}, {"expires_at": NOW}):
        with pytest.raises(DatabaseError, match="a hold ends once"), transaction.atomic():
            Hold.objects.update(**change)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        run("DELETE FROM billing_hold")


def test_the_database_keeps_one_hold_per_reference() -> None:
    hold = make_hold(reference="job-1")

    with pytest.raises(DatabaseError, match="hold_one_per_wallet_and_reference"), transaction.atomic():
        Hold.objects.create(
            wallet=hold.wallet, amount=1, reference="job-1", expires_at=NOW, created_at=NOW, updated_at=NOW
        )

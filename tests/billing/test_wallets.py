"""Wallets: opening, operator credit, termination, and the promises that the database keeps."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.errors import DuplicateWallet, WalletClosed
from billing.events import WalletEvent, WalletFunded, WalletTerminated
from billing.guards import customer_has_pending_holds, customer_has_wallet_balance
from billing.models import Hold, HoldStatus, LedgerEntry, LedgerKind, LotKind, Wallet, WalletLot, WalletStatus
from billing.operations.holds import hold_funds, release_hold
from billing.operations.wallets import fund_wallet, grant_credits, open_wallet, terminate_wallet
from billing.queries.wallets import with_amounts_at
from config.kernel import events
from config.kernel.errors import Invalid, NotFound
from config.kernel.guards import Finding, Verdict
from config.kernel.history import acting_as
from customers.errors import CustomerDeletionNeedsConfirmation, SystemCustomer
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from tests.billing.books import assert_books_add_up
from tests.factories import NOW, make_customer, make_hold, make_wallet

pytestmark = pytest.mark.django_db

SMALLEST, LARGEST = Decimal("0.000000000001"), Decimal("999999999999999999.999999999999")


def entries(wallet: Wallet) -> list[tuple[Any, ...]]:
    """Return (kind, amount, balance after, held after) of the wallet's entries as they happened."""
    rows = LedgerEntry.objects.filter(wallet=wallet).order_by("number")
    return list(rows.values_list("kind", "amount", "balance_after", "held_after"))


def test_a_wallet_opens_empty_in_the_customers_currency_unless_another_is_named() -> None:
    customer = make_customer(currency="EUR")

    own, other = (open_wallet(customer=customer.id, currency=currency, now=NOW) for currency in (None, "JPY"))

    assert (own.currency, own.balance, own.held, own.priority) == ("EUR", 0, 0, 25)
    assert own.status is WalletStatus.ACTIVE
    assert other.currency == "JPY"


def test_a_second_open_wallet_of_the_same_currency_and_name_is_refused() -> None:
    wallet = make_wallet(name="Main")

    with pytest.raises(DuplicateWallet):
        open_wallet(customer=wallet.customer_id, name="Main", now=NOW)

    assert open_wallet(customer=wallet.customer_id, name="Other", now=NOW).name == "Other"
    assert open_wallet(customer=wallet.customer_id, name="Main", currency="CHF", now=NOW).currency == "CHF"
    terminate_wallet(wallet.id, now=NOW)
    assert open_wallet(customer=wallet.customer_id, name="Main", now=NOW).id != wallet.id


def test_only_a_live_customer_of_its_own_gets_a_wallet() -> None:
    deleted = make_customer()
    Customer.objects.filter(pk=deleted.pk).update(deleted_at=NOW)
    system = {"name": "UNCLASSIFIED", "created_at": NOW, "updated_at": NOW}
    Customer.objects.get_or_create(pk=UNCLASSIFIED_ID, defaults=system)

    with pytest.raises(NotFound):
        open_wallet(customer=deleted.id, now=NOW)
    with pytest.raises(SystemCustomer):
        open_wallet(customer=UNCLASSIFIED_ID, now=NOW)
    assert not Wallet.objects.exists()


def test_operator_credit_becomes_a_granted_lot_and_a_ledger_entry_that_says_who_and_why() -> None:
    wallet = make_wallet(balance="1.5")

    with acting_as("Ada"):
        fund_wallet(wallet.id, amount=Decimal("2.25"), reason="Goodwill", now=NOW)

    lot, entry = WalletLot.objects.latest("id"), LedgerEntry.objects.get(wallet=wallet, number=2)
    assert (lot.kind, lot.amount, lot.remaining) == (LotKind.GRANTED, Decimal("2.25"), Decimal("2.25"))
    assert (entry.kind, entry.lot, entry.hold, entry.actor, entry.reason) == (
        LedgerKind.FUND, lot, None, "Ada", "Goodwill"
    )  # fmt: skip
    assert entries(wallet)[-1] == ("fund", Decimal("2.25"), Decimal("3.75"), 0)
    assert_books_add_up(wallet)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1E-13", "1.0000000000001", "1E+18", "1E+999999"])
def test_an_amount_out_of_bounds_is_refused(amount: str) -> None:
    wallet = make_wallet()

    with pytest.raises(Invalid) as refusal:
        fund_wallet(wallet.id, amount=Decimal(amount), reason="", now=NOW)

    assert refusal.value.param == "amount"
    assert entries(wallet) == []


@pytest.mark.parametrize("amount", [SMALLEST, LARGEST, Decimal("1.0000000000000")])
def test_an_amount_within_the_bounds_is_kept_exactly(amount: Decimal) -> None:
    wallet = make_wallet()

    fund_wallet(wallet.id, amount=amount, reason="", now=NOW)

    wallet.refresh_from_db()
    assert wallet.balance == amount
    assert_books_add_up(wallet)


def test_a_balance_of_thirty_digits_is_counted_exactly_and_cannot_outgrow_its_column() -> None:
    wallet = make_wallet(balance="999999999999999999.999999999998")

    with pytest.raises(Invalid):
        fund_wallet(wallet.id, amount=2 * SMALLEST, reason="", now=NOW)
    full = fund_wallet(wallet.id, amount=SMALLEST, reason="", now=NOW)
    held = hold_funds(wallet.id, amount=SMALLEST, reference="one", now=NOW).wallet

    assert full.balance == LARGEST
    assert held.spendable == Decimal("999999999999999999.999999999998")
    assert_books_add_up(wallet)


def test_termination_gives_holds_back_and_voids_the_balance_lot_by_lot() -> None:
    wallet = make_wallet(balance="5")
    fund_wallet(wallet.id, amount=Decimal(2), reason="", now=NOW)
    pending = hold_funds(wallet.id, amount=Decimal(3), reference="job", now=NOW)
    overdue = hold_funds(wallet.id, amount=Decimal(1), reference="old", expires_at=NOW + timedelta(minutes=1), now=NOW)

    closed = terminate_wallet(wallet.id, now=NOW + timedelta(minutes=1))

    assert (closed.status, closed.balance, closed.held) == (WalletStatus.TERMINATED, 0, 0)
    assert entries(wallet)[4:] == [("release", 3, 7, 1), ("expire", 1, 7, 0), ("void", 5, 2, 0), ("void", 2, 0, 0)]
    assert Hold.objects.get(pk=pending.pk).status == HoldStatus.RELEASED
    assert Hold.objects.get(pk=overdue.pk).status == HoldStatus.EXPIRED
    assert_books_add_up(wallet)


def test_a_terminated_wallet_takes_nothing_any_more() -> None:
    wallet = make_wallet(balance="5")
    terminate_wallet(wallet.id, now=NOW)
    written = entries(wallet)

    with pytest.raises(WalletClosed):
        terminate_wallet(wallet.id, now=NOW)
    with pytest.raises(WalletClosed):
        fund_wallet(wallet.id, amount=Decimal(1), reason="", now=NOW)
    with pytest.raises(WalletClosed):
        hold_funds(wallet.id, amount=Decimal(1), reference="late", now=NOW)
    assert entries(wallet) == written


def test_movements_leave_their_trace_in_the_ledger_and_changes_of_the_wallet_in_its_history() -> None:
    with acting_as("Ada", reason="Because"):
        wallet = open_wallet(customer=make_customer().id, now=NOW)
        fund_wallet(wallet.id, amount=Decimal(1), reason="Gift", now=NOW)
        terminate_wallet(wallet.id, now=NOW)

    rows = Wallet.history.filter(id=wallet.id).order_by("history_id")
    told = list(rows.values_list("history_type", "history_actor", "history_change_reason"))
    assert told == [("+", "Ada", "Because"), ("~", "Ada", "Because")]
    assert list(LedgerEntry.objects.order_by("number").values_list("actor", "reason")) == [
        ("Ada", "Gift"),
        ("Ada", "Because"),
    ]


def test_the_deletion_of_a_customer_is_confirmed_and_terminates_its_wallets_and_no_others() -> None:
    wallet, neighbour = make_wallet(balance="5"), make_wallet(balance="5")

    with pytest.raises(CustomerDeletionNeedsConfirmation):
        delete_customer(wallet.customer_id, confirm=False, now=NOW)
    delete_customer(wallet.customer_id, confirm=True, now=NOW)

    assert list(Wallet.objects.open()) == [neighbour]
    assert entries(wallet)[-1] == ("void", 5, 0, 0)


def test_money_that_comes_and_goes_for_good_is_published() -> None:
    heard: list[WalletEvent] = []
    events.subscribe(WalletEvent, heard.append)
    try:
        wallet = make_wallet(balance="5", currency="EUR")
        make_hold("1", wallet=wallet)
        terminate_wallet(wallet.id, now=NOW)
    finally:
        events._handlers[WalletEvent].remove(heard.append)

    about: dict[str, Any] = {
        "wallet_id": wallet.id, "customer_id": wallet.customer_id, "currency": "EUR", "at": NOW
    }  # fmt: skip
    assert heard == [
        WalletFunded(**about, amount=Decimal(5), balance=Decimal(5)),
        WalletTerminated(**about, forfeited=Decimal(5)),
    ]


def test_guards_warn_of_a_balance_and_of_pending_holds() -> None:
    customer = make_customer(currency="EUR")
    wallet = make_wallet(customer=customer)
    assert findings(customer) == [None, None]

    fund_wallet(wallet.id, amount=Decimal("12.5"), reason="", now=NOW)
    hold = hold_funds(wallet.id, amount=Decimal(2), reference="job", now=NOW)

    balance, holds = findings(customer)
    assert balance is not None
    assert holds is not None
    assert (balance.code, balance.verdict, balance.count) == ("wallet_balance", Verdict.WARN, 1)
    assert balance.message == "1 wallet(s) with a balance (€12.50) will be forfeited"
    assert (holds.code, holds.verdict, holds.count) == ("pending_holds", Verdict.WARN, 1)
    release_hold(hold.id, now=NOW)
    terminate_wallet(wallet.id, now=NOW)
    assert findings(customer) == [None, None]


def findings(customer: Customer) -> list[Finding | None]:
    """Ask both guards."""
    return [customer_has_wallet_balance(customer), customer_has_pending_holds(customer)]


def test_a_hold_counts_until_its_end_whether_or_not_it_is_swept() -> None:
    wallet = make_wallet(balance="10")
    end = NOW + timedelta(minutes=1)
    hold_funds(wallet.id, amount=Decimal(4), reference="short", expires_at=end, now=NOW)
    hold_funds(wallet.id, amount=Decimal(3), reference="long", now=NOW)

    def seen(now: datetime) -> tuple[Any, ...]:
        row: Any = with_amounts_at(Wallet.objects.all(), now).get()
        return row.balance, row.held_now, row.spendable_now

    assert seen(end - timedelta(microseconds=1)) == (10, 7, 3)
    assert seen(end) == (10, 3, 7)


def test_granting_credits_without_a_wallet_opens_one_in_the_customers_currency() -> None:
    customer = make_customer(currency="EUR")

    wallet = grant_credits(customer.id, name="Launch", amount=Decimal("12.50"), reason="Trial", now=NOW)

    assert (wallet.customer_id, wallet.currency, wallet.name) == (customer.id, "EUR", "Launch")
    assert entries(wallet) == [(LedgerKind.FUND, Decimal("12.5"), Decimal("12.5"), 0)]
    assert LedgerEntry.objects.get(wallet=wallet).reason == "Trial"
    assert_books_add_up(wallet)


def test_granting_credits_to_a_wallet_adds_to_it() -> None:
    wallet = make_wallet(balance="5")

    grant_credits(wallet.customer_id, wallet=wallet.id, amount=Decimal(3), reason="", now=NOW)

    wallet.refresh_from_db()
    assert (wallet.balance, Wallet.objects.count()) == (8, 1)


def test_credits_that_are_refused_leave_no_wallet_behind() -> None:
    wallet, stranger = make_wallet(name="Main"), make_customer()

    with pytest.raises(Invalid):
        grant_credits(stranger.id, amount=Decimal(0), reason="", now=NOW)
    with pytest.raises(NotFound):
        grant_credits(stranger.id, wallet=wallet.id, amount=Decimal(1), reason="", now=NOW)
    with pytest.raises(DuplicateWallet):
        grant_credits(wallet.customer_id, name="Main", amount=Decimal(1), reason="", now=NOW)
    with pytest.raises(SystemCustomer):
        grant_credits(UNCLASSIFIED_ID, amount=Decimal(1), reason="", now=NOW)
    terminate_wallet(wallet.id, now=NOW)
    with pytest.raises(WalletClosed):
        grant_credits(wallet.customer_id, wallet=wallet.id, amount=Decimal(1), reason="", now=NOW)

    assert list(Wallet.objects.all()) == [wallet]
    assert LedgerEntry.objects.count() == 0

"""Holds: money kept for a piece of work, taken or given back exactly once."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from billing.errors import CommitExceedsHold, HoldAlreadyEnded, HoldReferenceConflict, InsufficientFunds
from billing.models import Hold, HoldStatus, LedgerEntry, LedgerKind, LotKind, Wallet, WalletLot
from billing.operations.holds import commit_hold, expire_due_holds, expire_hold, hold_funds, release_hold
from billing.operations.ledger import record_movement
from billing.operations.wallets import fund_wallet
from billing.tasks import expire_holds
from config.kernel.errors import DomainError, Invalid, NotFound
from config.kernel.history import acting_as
from config.kernel.ids import TypeID
from tests.billing.books import assert_books_add_up
from tests.factories import NOW, make_hold, make_wallet

pytestmark = pytest.mark.django_db

HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)


def movements(hold: Hold) -> list[tuple[Any, ...]]:
    """Return (kind, amount, balance after, held after) of the hold's entries as they happened."""
    rows = LedgerEntry.objects.filter(hold=hold).order_by("number")
    return list(rows.values_list("kind", "amount", "balance_after", "held_after"))


def test_a_hold_keeps_money_without_taking_it() -> None:
    hold = make_hold("5", balance="10")

    wallet = Wallet.objects.get(pk=hold.wallet_id)
    assert (wallet.balance, wallet.held) == (10, 5)
    assert wallet.spendable == 5
    assert (hold.status, hold.committed, hold.expires_at) == (HoldStatus.OPEN, 0, NOW + HOUR)
    assert movements(hold) == [("hold", 5, 10, 5)]


def test_a_hold_beyond_the_spendable_balance_takes_nothing() -> None:
    wallet = make_wallet(balance="4.99")

    with pytest.raises(InsufficientFunds) as refusal:
        hold_funds(wallet.id, amount=Decimal(5), reference="job-1", expires_at=None, now=NOW)

    assert refusal.value.details == {"spendable": Decimal("4.99"), "asked": Decimal(5)}
    assert refusal.value.message == "4.99 can be spent, 5 was asked for"
    assert Hold.objects.count() == 0


def test_all_that_is_spendable_can_be_held_and_not_a_trillionth_more() -> None:
    hold = make_hold("10", balance="10")

    with pytest.raises(InsufficientFunds):
        hold_funds(hold.wallet_id, amount=Decimal("1e-12"), reference="job-2", now=NOW)
    assert_books_add_up(hold.wallet)


@pytest.mark.parametrize("end", [None, commit_hold, release_hold])
def test_the_same_reference_and_amount_are_the_same_hold(end: Callable[..., Hold] | None) -> None:
    hold = make_hold("5", reference="job-1")
    if end is not None:
        end(hold.id, now=NOW)
    entries = LedgerEntry.objects.count()

    again = hold_funds(hold.wallet_id, amount=Decimal("5.00"), reference="job-1", expires_at=NOW, now=NOW + HOUR / 2)

    assert again == hold
    assert LedgerEntry.objects.count() == entries


def test_the_same_reference_with_another_amount_is_a_conflict() -> None:
    hold = make_hold("5", reference="job-1")

    with pytest.raises(HoldReferenceConflict) as refusal:
        hold_funds(hold.wallet_id, amount=Decimal(4), reference="job-1", now=NOW)

    assert refusal.value.message == "The reference 'job-1' names a hold of 5, not of 4"
    assert hold_funds(hold.wallet_id, amount=Decimal(4), reference="job-2", now=NOW) != hold
    assert hold_funds(make_wallet(balance="4").id, amount=Decimal(4), reference="job-1", now=NOW) != hold


@pytest.mark.parametrize(
    ("after", "allowed"),
    [(timedelta(0), False), (INSTANT, True), (timedelta(days=30), True), (timedelta(days=30) + INSTANT, False)],
)
def test_a_hold_ends_within_thirty_days(after: timedelta, allowed: bool) -> None:
    if allowed:
        assert make_hold(expires_at=NOW + after).expires_at == NOW + after
    else:
        with pytest.raises(Invalid) as refusal:
            make_hold(expires_at=NOW + after)
        assert refusal.value.param == "expires_at"


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1E-13", "1E+18"])
def test_an_amount_out_of_bounds_is_refused(amount: str) -> None:
    hold = make_hold()

    with pytest.raises(Invalid):
        hold_funds(hold.wallet_id, amount=Decimal(amount), reference="job-2", now=NOW)
    with pytest.raises(Invalid):
        commit_hold(hold.id, amount=Decimal(amount), now=NOW)
    assert len(movements(hold)) == 1


def test_an_overdue_hold_makes_room_without_a_sweep() -> None:
    hold = make_hold("10", balance="10")

    with pytest.raises(InsufficientFunds):
        hold_funds(hold.wallet_id, amount=Decimal(1), reference="job-2", now=NOW + HOUR - INSTANT)
    hold_funds(hold.wallet_id, amount=Decimal(1), reference="job-2", now=NOW + HOUR)

    hold.refresh_from_db()
    assert (hold.status, hold.ended_at) == (HoldStatus.EXPIRED, NOW + HOUR)
    assert movements(hold)[-1] == ("expire", 10, 10, 0)
    assert_books_add_up(hold.wallet)


def test_a_commit_takes_all_that_is_held() -> None:
    hold = commit_hold(make_hold("5", balance="10").id, now=NOW)

    assert (hold.status, hold.committed, hold.ended_at) == (HoldStatus.COMMITTED, 5, NOW)
    assert movements(hold) == [("hold", 5, 10, 5), ("commit", 5, 5, 0)]
    assert_books_add_up(hold.wallet)


def test_a_final_commit_of_a_part_gives_the_rest_back() -> None:
    hold = commit_hold(make_hold("5", balance="10").id, amount=Decimal("1.5"), now=NOW)

    assert (hold.status, hold.committed) == (HoldStatus.COMMITTED, Decimal("1.5"))
    assert movements(hold)[1:] == [("commit", Decimal("1.5"), Decimal("8.5"), Decimal("3.5")),
                                   ("release", Decimal("3.5"), Decimal("8.5"), 0)]  # fmt: skip
    assert_books_add_up(hold.wallet)


def test_several_commits_end_a_hold_when_one_is_final_or_nothing_is_left() -> None:
    first, second = make_hold("5"), make_hold("5")

    assert commit_hold(first.id, amount=Decimal(2), final=False, now=NOW).status == HoldStatus.OPEN
    assert commit_hold(first.id, amount=Decimal(1), final=True, now=NOW).status == HoldStatus.COMMITTED
    assert commit_hold(second.id, amount=Decimal(2), final=False, now=NOW).status == HoldStatus.OPEN
    assert commit_hold(second.id, amount=Decimal(3), final=False, now=NOW).status == HoldStatus.COMMITTED

    assert [kind for kind, *_ in movements(first)] == ["hold", "commit", "commit", "release"]
    assert [kind for kind, *_ in movements(second)] == ["hold", "commit", "commit"]
    assert_books_add_up(first.wallet)
    assert_books_add_up(second.wallet)


def test_no_more_is_committed_than_the_hold_still_keeps() -> None:
    hold = make_hold("5", balance="10")
    commit_hold(hold.id, amount=Decimal(2), final=False, now=NOW)

    with pytest.raises(CommitExceedsHold) as refusal:
        commit_hold(hold.id, amount=Decimal("3.01"), now=NOW)

    assert refusal.value.details == {"rest": Decimal(3), "asked": Decimal("3.01")}
    assert commit_hold(hold.id, amount=Decimal(3), now=NOW).committed == 5


def test_granted_money_is_taken_before_paid_and_old_before_new() -> None:
    wallet = make_wallet()
    paid = WalletLot.objects.create(wallet=wallet, kind=LotKind.PAID, amount=4, remaining=4, created_at=NOW - HOUR)
    record_movement(wallet, LedgerKind.FUND, Decimal(4), lot=paid, now=NOW - HOUR)
    wallet.save_amounts(now=NOW)
    for minutes, amount in enumerate((1, 2)):
        fund_wallet(wallet.id, amount=Decimal(amount), reason="", now=NOW + timedelta(minutes=minutes))
    hold = hold_funds(wallet.id, amount=Decimal(5), reference="job-1", now=NOW)

    commit_hold(hold.id, amount=Decimal("2.5"), final=False, now=NOW)
    commit_hold(hold.id, now=NOW)

    taken = LedgerEntry.objects.filter(kind=LedgerKind.COMMIT).order_by("number").values_list("lot__kind", "amount")
    assert list(taken) == [("granted", 1), ("granted", Decimal("1.5")), ("granted", Decimal("0.5")), ("paid", 2)]
    assert_books_add_up(wallet)


def test_a_release_gives_back_what_was_not_committed() -> None:
    hold = make_hold("5", balance="10")
    commit_hold(hold.id, amount=Decimal(2), final=False, now=NOW)

    hold = release_hold(hold.id, now=NOW)

    assert (hold.status, hold.committed) == (HoldStatus.RELEASED, 2)
    assert movements(hold)[-1] == ("release", 3, 8, 0)
    assert_books_add_up(hold.wallet)


@pytest.mark.parametrize("end", [commit_hold, release_hold])
@pytest.mark.parametrize("ended", ["committed", "released", "expired", "overdue"])
def test_a_hold_ends_once(ended: str, end: Callable[..., Hold]) -> None:
    hold = make_hold()
    ways: dict[str, Callable[[], Any]] = {
        "committed": lambda: commit_hold(hold.id, now=NOW),
        "released": lambda: release_hold(hold.id, now=NOW),
        "expired": lambda: expire_hold(hold.id, now=NOW + HOUR),
        "overdue": lambda: None,
    }
    ways[ended]()
    written = movements(hold)

    with pytest.raises(HoldAlreadyEnded) as refusal:
        end(hold.id, now=NOW + HOUR)

    assert refusal.value.details == {"status": "expired" if ended == "overdue" else ended}
    assert not expire_hold(hold.id, now=NOW + HOUR) or ended == "overdue"
    assert movements(hold)[: len(written)] == written


@pytest.mark.parametrize("end", [commit_hold, release_hold])
def test_a_hold_can_be_ended_up_to_the_last_instant(end: Callable[..., Hold]) -> None:
    assert end(make_hold().id, now=NOW + HOUR - INSTANT).ended_at == NOW + HOUR - INSTANT


def test_a_hold_that_does_not_exist_is_not_found() -> None:
    for pk in (TypeID.new("hold"), TypeID.new("wal"), "nonsense"):
        with pytest.raises(NotFound) as refusal:
            release_hold(pk, now=NOW)
        assert refusal.value.noun == "hold"


def test_a_sweep_expires_what_is_due_and_nothing_twice() -> None:
    due, later = make_hold(expires_at=NOW + HOUR), make_hold(expires_at=NOW + HOUR + INSTANT)
    assert not expire_hold(due.id, now=NOW + HOUR - INSTANT)

    with acting_as("task expire_holds"):
        assert [expire_due_holds(now=NOW + HOUR) for _ in range(2)] == [1, 0]

    assert [Hold.objects.get(pk=hold.pk).status for hold in (due, later)] == [HoldStatus.EXPIRED, HoldStatus.OPEN]
    entry = LedgerEntry.objects.get(kind=LedgerKind.EXPIRE)
    assert (entry.actor, entry.reason) == ("task expire_holds", "The hold's end has come")


def test_the_task_reads_the_clock_and_the_command_takes_it_as_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    make_hold(expires_at=NOW + HOUR)

    with time_machine.travel(NOW + HOUR - INSTANT, tick=False):
        assert expire_holds() == 0
        call_command("expire_holds", "--as-of", (NOW + HOUR).isoformat())

    assert capsys.readouterr().out == "1 hold(s) expired.\n"
    assert LedgerEntry.objects.get(kind=LedgerKind.EXPIRE).actor == "command expire_holds"


def test_every_change_of_a_hold_is_one_history_row() -> None:
    with acting_as("Ada", reason="Because"):
        hold = make_hold()
        commit_hold(hold.id, amount=Decimal(1), final=False, now=NOW)
        release_hold(hold.id, now=NOW)

    rows = Hold.history.order_by("history_id")
    told = list(rows.values_list("history_type", "status", "history_actor", "history_change_reason"))
    assert told == [
        ("+", "open", "Ada", "Because"),
        ("~", "open", "Ada", "Because"),
        ("~", "released", "Ada", "Because"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_books_add_up_after_anything(seed: int) -> None:
    random, wallet, now = Random(seed), make_wallet(balance="20"), NOW  # noqa: S311
    for step in range(40):
        now += timedelta(minutes=random.randrange(20))
        amount = Decimal(random.randrange(1, 10**13)) / 10**12
        hold = random.choice([None, *Hold.objects.filter(wallet=wallet).open().order_by("id")])
        ends: list[Callable[..., object]] = [
            partial(commit_hold, amount=amount, final=random.random() < 0.5), commit_hold, release_hold, expire_hold
        ]  # fmt: skip
        try:
            if hold is None:
                hold_funds(wallet.id, amount=amount, reference=f"step-{step}", now=now)
            else:
                random.choice(ends)(hold.id, now=now)
        except DomainError:
            fund_wallet(wallet.id, amount=amount, reason="", now=now)
        assert_books_add_up(wallet)

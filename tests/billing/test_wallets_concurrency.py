"""Wallets under many hands at once: each thread has a connection of its own and what it writes is committed."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from billing.errors import CommitExceedsHold, HoldAlreadyEnded, InsufficientFunds
from billing.models import Hold, HoldStatus, LedgerEntry, LedgerKind, Wallet
from billing.operations.holds import commit_hold, expire_hold, hold_funds, release_hold
from billing.operations.wallets import fund_wallet, terminate_wallet
from config.kernel.errors import DomainError
from tests.billing.books import assert_books_add_up
from tests.factories import NOW, make_hold, make_wallet

pytestmark = pytest.mark.django_db(transaction=True)

ONE = Decimal(1)


def at_once(threads: int, work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(0)`` … ``work(threads - 1)`` together, each on its own connection, and return what they returned."""
    start = Barrier(threads)

    def run(number: int) -> Any:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def granted(attempt: Callable[..., object], wallet: Wallet, *, threads: int, holds: int) -> int:
    """Return how many of ``threads`` × ``holds`` holds of 1 were granted."""

    def work(number: int) -> int:
        granted = 0
        for turn in range(holds):
            try:
                attempt(wallet.id, amount=ONE, reference=f"{number}-{turn}", now=NOW)
            except InsufficientFunds:
                continue
            granted += 1
        return granted

    return sum(at_once(threads, work))


def test_sixty_four_callers_are_granted_exactly_what_is_there() -> None:
    wallet = make_wallet(balance="300")

    assert granted(hold_funds, wallet, threads=64, holds=10) == 300

    wallet.refresh_from_db()
    assert (wallet.balance, wallet.held) == (300, 300)
    assert_books_add_up(wallet)


def naive_hold(wallet_id: str, *, amount: Decimal, **_: Any) -> None:
    """Read, check, save: the way that is wrong."""
    wallet = Wallet.objects.get(pk=wallet_id)
    if wallet.spendable < amount:
        raise InsufficientFunds(spendable=wallet.spendable, asked=amount)
    wallet.held += amount
    wallet.save_amounts(now=NOW)


def test_without_the_lock_more_is_granted_than_there_is() -> None:
    """Show that the race above is a real one: the same callers, served by read-check-save, are granted too much."""
    wallet = make_wallet(balance="30")

    assert granted(naive_hold, wallet, threads=16, holds=10) > 30


def outcome(end: Callable[[], object]) -> str:
    """Return how an end of a hold came out."""
    try:
        return "ended" if end() else "nothing"
    except HoldAlreadyEnded:
        return "refused"


def test_of_many_racing_ends_of_a_hold_one_comes_true() -> None:
    wallet = make_wallet(balance="200")
    holds = [make_hold("1", wallet=wallet, expires_at=NOW + timedelta(seconds=1)) for _ in range(200)]
    late = NOW + timedelta(seconds=1)
    ways: Sequence[Callable[[str], object]] = (
        lambda pk: commit_hold(pk, now=NOW),
        lambda pk: commit_hold(pk, amount=Decimal("0.5"), now=NOW),
        lambda pk: release_hold(pk, now=NOW),
        lambda pk: expire_hold(pk, now=late),
    )

    def work(number: int) -> list[str]:
        random = Random(number)  # noqa: S311
        return [outcome(partial(random.choice(ways), hold.id)) for hold in holds]

    told = Counter(one for answers in at_once(8, work) for one in answers)

    assert told["ended"] == 200
    assert told.total() == 8 * 200
    assert not Hold.objects.open().exists()
    ends = LedgerEntry.objects.exclude(kind__in=[LedgerKind.FUND, LedgerKind.HOLD]).exclude(
        kind=LedgerKind.RELEASE, hold__status=HoldStatus.COMMITTED
    )
    assert ends.count() == 200
    assert_books_add_up(wallet)


def test_the_same_reference_from_many_callers_is_one_hold() -> None:
    wallet = make_wallet(balance="10")

    holds = at_once(16, lambda _: hold_funds(wallet.id, amount=ONE, reference="job", now=NOW).id)

    assert len(set(holds)) == 1
    assert Hold.objects.count() == 1
    assert_books_add_up(wallet)


def disturb(wallets: Sequence[Wallet], number: int) -> None:
    """Hold, commit, release and fund at random."""
    random = Random(number)  # noqa: S311
    for turn in range(25):
        wallet = random.choice(wallets)
        hold = random.choice([None, *Hold.objects.filter(wallet=wallet).open()[:3]])
        amount = Decimal(random.randrange(1, 5 * 10**12)) / 10**12
        try:
            if hold is None:
                hold_funds(wallet.id, amount=amount, reference=f"{number}-{turn}", now=NOW)
            elif random.random() < 0.3:
                release_hold(hold.id, now=NOW)
            else:
                commit_hold(hold.id, amount=min(amount, hold.rest), final=random.random() < 0.5, now=NOW)
        except InsufficientFunds:
            fund_wallet(wallet.id, amount=amount, reason="", now=NOW)
        except (HoldAlreadyEnded, CommitExceedsHold):
            continue


def audit(wallets: Sequence[Wallet]) -> None:
    """Check the books as of one moment, again and again."""
    for _ in range(20):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for wallet in wallets:
                assert_books_add_up(wallet)


def test_money_is_conserved_at_every_moment_of_a_soak() -> None:
    wallets = [make_wallet(balance="20") for _ in range(3)]

    at_once(6, lambda number: disturb(wallets, number) if number else audit(wallets))

    audit(wallets)


def test_termination_leaves_no_hold_behind_that_was_granted_meanwhile() -> None:
    wallet = make_wallet(balance="100")

    def work(number: int) -> int:
        if number == 0:
            terminate_wallet(wallet.id, now=NOW)
            return 0
        granted = 0
        for turn in range(5):
            try:
                hold_funds(wallet.id, amount=ONE, reference=f"{number}-{turn}", now=NOW)
            except DomainError:
                continue
            granted += 1
        return granted

    held = sum(at_once(8, work))

    assert Hold.objects.filter(status=HoldStatus.RELEASED).count() == Hold.objects.count() == held
    assert_books_add_up(wallet)

"""Trees of customers changed from two sides at once: never a circle, never an orphan, never two that wait for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import transaction

from config.kernel.errors import DomainError, NotFound
from customers.errors import CircularParent, CustomerDeletionBlocked
from customers.models import Customer
from customers.operations.customers import update_customer
from customers.queries.hierarchy import ancestors
from tests.customers.test_deletion_concurrency import delete, meanwhile, refusal_of
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def move(customer: Customer, parent: Customer) -> Callable[[], None]:
    def moved() -> None:
        update_customer(customer.id, parent=parent.id, now=NOW)

    return moved


def at_once(*works: Callable[[], None]) -> list[DomainError | None]:
    """Do the works at the same moment, each on a connection of its own, and return what refused each."""
    start = Barrier(len(works))

    def begun(work: Callable[[], None]) -> DomainError | None:
        start.wait(timeout=30)
        return refusal_of(work)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begun, works))


def test_two_that_each_go_below_the_other_make_no_circle() -> None:
    for _ in range(ROUNDS):
        one, other = make_customer(), make_customer()

        refusals = at_once(move(one, other), move(other, one))

        assert [type(refusal) for refusal in refusals if refusal] == [CircularParent]
        assert Customer.objects.filter(pk__in=[one.pk, other.pk], parent__isnull=False).count() == 1


def test_three_moves_that_together_would_close_a_circle_leave_one_out() -> None:
    for _ in range(ROUNDS):
        a, b, c = make_customer(), make_customer(), make_customer()

        refusals = at_once(move(a, b), move(b, c), move(c, a))

        assert [type(refusal) for refusal in refusals if refusal] == [CircularParent]
        assert max(len(ancestors(Customer.objects.get(pk=one.pk))) for one in (a, b, c)) == 2


def test_a_circle_over_rows_that_nobody_locks_together_is_closed_by_none() -> None:
    """The moves lock different customers, so that only the trigger's own lock keeps them apart."""
    top, below_top = make_customer(), make_customer()
    update_customer(below_top.id, parent=top.id, now=NOW)
    root, below_root = make_customer(), make_customer()
    update_customer(below_root.id, parent=root.id, now=NOW)

    refusal = meanwhile(move(top, below_root), move(root, below_top))

    assert isinstance(refusal, CircularParent)
    assert [one.name for one in ancestors(Customer.objects.get(pk=below_top.pk))] == [
        root.name,
        below_root.name,
        top.name,
    ]


def test_a_customer_waits_for_the_deletion_of_its_new_parent_and_then_finds_none() -> None:
    parent, child = make_customer(), make_customer()

    refusal = meanwhile(lambda: delete(parent), move(child, parent))

    assert isinstance(refusal, NotFound)
    assert refusal.param == "parent"
    assert Customer.objects.get(pk=child.pk).parent_id is None


def test_a_deletion_waits_for_the_new_child_and_is_then_blocked_by_it() -> None:
    parent = make_customer()

    def give_it_a_child() -> None:
        make_customer(parent=parent.id)

    refusal = meanwhile(give_it_a_child, lambda: delete(parent))

    assert isinstance(refusal, CustomerDeletionBlocked)
    assert Customer.objects.live().filter(pk=parent.pk).exists()


def test_a_change_that_is_undone_leaves_the_way_free() -> None:
    one, other = make_customer(), make_customer()
    with transaction.atomic():
        move(one, other)()
        transaction.set_rollback(True)

    move(other, one)()

    assert Customer.objects.get(pk=other.pk).parent_id == one.id

"""A customer deleted while somebody subscribes it: a living subscription has a living customer, or there is neither."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from catalog.models import RatePlan
from config.kernel.errors import DomainError, NotFound
from customers.errors import CustomerDeletionBlocked
from customers.models import Customer, Subscription
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import start_subscription
from tests.factories import NOW, make_customer, make_plan

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
WAITING_FOR_US = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def delete(customer: Customer) -> None:
    delete_customer(customer.id, confirm=True, now=NOW)


def subscribe(customer: Customer, plan: RatePlan) -> None:
    start_subscription(customer=customer.id, plan=plan.id, now=NOW)


def refusal_of(work: Callable[[], object]) -> DomainError | None:
    """Do the work on a connection of this thread, and return what refused it."""
    try:
        work()
    except DomainError as refusal:
        return refusal
    finally:
        connection.close()
    return None


def await_somebody_waiting_for_us() -> None:
    """Return once another connection waits for a lock that ours holds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(WAITING_FOR_US)
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> DomainError | None:
    """Do ``first``, let ``second`` run into its locks, commit, and return what refused ``second``."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            future: Future[DomainError | None] = pool.submit(refusal_of, second)
            await_somebody_waiting_for_us()
        return future.result(timeout=30)


def test_a_deletion_waits_for_the_subscription_and_is_then_blocked_by_it() -> None:
    customer, plan = make_customer(), make_plan()

    refusal = meanwhile(lambda: subscribe(customer, plan), lambda: delete(customer))

    assert isinstance(refusal, CustomerDeletionBlocked)
    assert Customer.objects.live().filter(pk=customer.pk).exists()
    assert Subscription.objects.live().filter(customer=customer).count() == 1


def test_a_subscription_waits_for_the_deletion_and_then_finds_no_customer() -> None:
    customer, plan = make_customer(), make_plan()

    refusal = meanwhile(lambda: delete(customer), lambda: subscribe(customer, plan))

    assert isinstance(refusal, NotFound)
    assert refusal.noun == "customer"
    assert not Subscription.objects.filter(customer=customer).exists()


def test_of_a_deletion_and_a_subscription_at_once_exactly_one_happens() -> None:
    plan = make_plan()
    for _ in range(ROUNDS):
        customer, start = make_customer(), Barrier(2)

        def deletion(customer: Customer = customer, start: Barrier = start) -> None:
            start.wait(timeout=30)
            delete(customer)

        def subscription(customer: Customer = customer, start: Barrier = start) -> None:
            start.wait(timeout=30)
            subscribe(customer, plan)

        with ThreadPoolExecutor(2) as pool:
            refusals = list(pool.map(refusal_of, [deletion, subscription]))

        is_living = Customer.objects.live().filter(pk=customer.pk).exists()
        assert refusals.count(None) == 1
        assert Subscription.objects.live().filter(customer=customer).exists() == is_living

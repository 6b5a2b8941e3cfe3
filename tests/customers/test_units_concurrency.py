"""Teams, agents and subscribers changed from two sides at once: what one side refuses, the other has done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from config.kernel.errors import DomainError, NotFound
from customers.errors import (
    AgentNotSuspended,
    DuplicateSubscriberEmail,
    SubscriberCustomerLocked,
    TeamDeletionBlocked,
)
from customers.models import Agent, Customer, Subscriber, Team
from customers.operations.agents import create_agent, update_agent
from customers.operations.deletion import delete_customer
from customers.operations.subscribers import create_subscriber, reassign_subscriber
from customers.operations.suspension import reactivate_agent, suspend_agent
from customers.operations.teams import create_team, delete_team
from tests.factories import NOW, make_agent, make_customer, make_subscriber, make_team

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10


def at_once(*works: Callable[[], object]) -> list[DomainError | None]:
    """Do the works at once, each on a connection of its own, and return what refused each."""
    start = Barrier(len(works))

    def refusal_of(work: Callable[[], object]) -> DomainError | None:
        try:
            start.wait(timeout=30)
            work()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(refusal_of, works))


def test_a_team_is_deleted_or_gets_an_agent_and_never_both() -> None:
    for _ in range(ROUNDS):
        team = make_team()

        deletion, registration = at_once(
            partial(delete_team, team.id, now=NOW),
            partial(create_agent, team=team.id, name="Bot", now=NOW),
        )

        assert (type(deletion), type(registration)) in {(TeamDeletionBlocked, type(None)), (type(None), NotFound)}
        is_living = Team.objects.live().filter(pk=team.pk).exists()
        assert Agent.objects.filter(team=team).exists() == is_living


def test_a_team_is_deleted_or_an_agent_moves_to_it_and_never_both() -> None:
    for _ in range(ROUNDS):
        agent = make_agent()
        team = make_team(customer=agent.team.customer)

        deletion, move = at_once(
            partial(delete_team, team.id, now=NOW),
            partial(update_agent, agent.id, team=team.id, now=NOW),
        )

        assert (type(deletion), type(move)) in {(TeamDeletionBlocked, type(None)), (type(None), NotFound)}
        assert Agent.objects.live().filter(team=team).exists() == Team.objects.live().filter(pk=team.pk).exists()


def test_a_deleted_customer_gets_neither_teams_nor_subscribers_afterwards() -> None:
    for _ in range(ROUNDS):
        customer, subscriber = make_customer(), make_subscriber()

        refusals = at_once(
            partial(delete_customer, customer.id, confirm=True, now=NOW),
            partial(create_team, customer=customer.id, name="T", now=NOW),
            partial(create_subscriber, email="a@b.com", customer=customer.id, now=NOW),
            partial(reassign_subscriber, subscriber.id, customer=customer.id, now=NOW),
        )

        # Whoever came before the deletion was let in, whoever came after it found no customer.
        assert refusals[0] is None
        assert {type(refusal) for refusal in refusals} <= {type(None), NotFound}
        rows = [
            Team.objects.filter(customer=customer),
            Subscriber.objects.filter(customer=customer, email="a@b.com"),
            Subscriber.objects.filter(customer=customer, pk=subscriber.pk),
        ]
        assert [row.exists() for row in rows] == [refusal is None for refusal in refusals[1:]]
        assert not Customer.objects.live().filter(pk=customer.pk).exists()


def test_of_two_reassignments_at_once_one_wins() -> None:
    for _ in range(ROUNDS):
        subscriber = make_subscriber()
        customers = [make_customer(), make_customer()]

        refusals = at_once(
            *(partial(reassign_subscriber, subscriber.id, customer=customer.id, now=NOW) for customer in customers)
        )

        assert {type(refusal) for refusal in refusals} == {type(None), SubscriberCustomerLocked}
        subscriber.refresh_from_db()
        assert subscriber.customer == customers[refusals.index(None)]


def test_of_two_moves_at_once_both_happen_one_after_the_other() -> None:
    for _ in range(ROUNDS):
        agent = make_agent()
        teams = [make_team(customer=agent.team.customer) for _ in range(2)]

        assert at_once(*(partial(update_agent, agent.id, team=team.id, now=NOW) for team in teams)) == [None, None]

        assert [row.team_id in {team.id for team in teams} for row in agent.history.order_by("history_id")] == [
            False, True, True
        ]  # fmt: skip


def test_of_two_subscribers_with_one_email_at_once_one_is_made() -> None:
    for _ in range(ROUNDS):
        customer = make_customer()

        refusals = at_once(
            *(
                partial(create_subscriber, email=email, customer=customer.id, now=NOW)
                for email in ("bob@acme.com", "BOB@acme.com")
            )
        )

        assert {type(refusal) for refusal in refusals} == {type(None), DuplicateSubscriberEmail}
        assert customer.subscribers.count() == 1


def test_of_two_reactivations_at_once_one_finds_nothing_to_lift() -> None:
    agent = suspend_agent(make_agent().id, now=NOW)

    refusals = at_once(*[lambda: reactivate_agent(agent.id, now=NOW)] * 2)

    assert {type(refusal) for refusal in refusals} == {type(None), AgentNotSuspended}
    assert [row.suspended_at for row in agent.history.order_by("history_id")] == [None, NOW, None]

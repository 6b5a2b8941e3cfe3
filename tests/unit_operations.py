"""What the operations on teams, agents and subscribers leave in history: part of the table of ``test_history``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from credentials.operations.credentials import issue_customer_key
from customers.models import Agent, Subscriber
from customers.operations import agents, subscribers, suspension, teams
from tests.factories import NOW, make_agent, make_customer, make_subscriber, make_team

LATER = NOW + timedelta(hours=1)


def agent_with_key() -> Agent:
    agent = make_agent()
    issue_customer_key(agent.team.customer_id, name="Bot", scopes=["*"], agent=agent.id, now=NOW)
    return agent


def subscriber_with_key() -> Subscriber:
    subscriber = make_subscriber(customer=make_customer())
    issue_customer_key(subscriber.customer_id, name="Laptop", scopes=["*"], subscriber=subscriber.id, now=NOW)
    return subscriber


def suspended_agent(**fields: Any) -> Agent:
    return suspension.suspend_agent(make_agent().id, now=NOW, **fields)


def suggested_subscriber() -> Subscriber:
    make_customer(associated_domains=["acme.com"])
    return make_subscriber(email="bob@acme.com")


#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
UNIT_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_team",
        make_customer,
        lambda made: teams.create_team(customer=made.id, name="Research", now=NOW),
        {"team": 1},
    ),
    ("update_team", make_team, lambda made: teams.update_team(made.id, name="New", now=LATER), {"team": 1}),
    ("delete_team", make_team, lambda made: teams.delete_team(made.id, now=LATER), {"team": 1}),
    ("create_agent", make_team, lambda made: agents.create_agent(team=made.id, name="Bot", now=NOW), {"agent": 1}),
    (
        "update_agent",
        make_agent,
        lambda made: agents.update_agent(made.id, kind="AGENT", capabilities=["read"], now=LATER),
        {"agent": 1},
    ),
    (
        "delete_agent",
        agent_with_key,
        lambda made: agents.delete_agent(made.id, confirm=True, now=LATER),
        {"agent": 1, "credential": 1},
    ),
    ("suspend_agent", make_agent, lambda made: suspension.suspend_agent(made.id, now=LATER), {"agent": 1}),
    ("reactivate_agent", suspended_agent, lambda made: suspension.reactivate_agent(made.id, now=LATER), {"agent": 1}),
    (
        "expire_agent_suspension",
        lambda: suspended_agent(until=LATER),
        lambda made: suspension.expire_agent_suspension(made.id, now=LATER),
        {"agent": 1},
    ),
    (
        "create_subscriber",
        make_customer,
        lambda made: subscribers.create_subscriber(email="bob@acme.com", customer=made.id, now=NOW),
        {"subscriber": 1},
    ),
    (
        "update_subscriber",
        lambda: (make_subscriber(), make_customer()),
        lambda made: subscribers.update_subscriber(made[0].id, first_name="Bob", customer=made[1].id, now=LATER),
        {"subscriber": 1},
    ),
    (
        "reassign_subscriber",
        lambda: (make_subscriber(), make_customer()),
        lambda made: subscribers.reassign_subscriber(made[0].id, customer=made[1].id, now=LATER),
        {"subscriber": 1},
    ),
    (
        "assign_suggested_customer",
        suggested_subscriber,
        lambda made: subscribers.assign_suggested_customer(made.id, now=LATER),
        {"subscriber": 1},
    ),
    (
        "delete_subscriber",
        subscriber_with_key,
        lambda made: subscribers.delete_subscriber(made.id, confirm=True, now=LATER),
        {"subscriber": 1, "credential": 1},
    ),
]

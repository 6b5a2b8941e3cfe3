"""Who works for the demo's customers: subsidiaries, teams, agents with keys, subscribers, and usage of nobody yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from billing.ingestion import NewEvent, parse_event
from billing.operations.usage import record_events
from config.kernel.ids import TypeID
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.models import AgentKind, AgentType, Customer, Subscription
from customers.operations.agents import create_agent
from customers.operations.customers import update_customer
from customers.operations.subscribers import create_subscriber
from customers.operations.teams import create_team

#: What each of Acme's keys is for: team, monthly budget, agent, its type (none for an application), who answers for it.
DESKS = (
    ("Support", Decimal(40), "Ticket triage", AgentType.CLAUDE, "maya@acme.example"),
    ("Support", Decimal(40), "Help centre search", None, "maya@acme.example"),
    ("Data science", Decimal(15), "Forecast notebooks", AgentType.LANGCHAIN, "tomas@acme.example"),
)

#: How many requests each key sent this month, and their tokens in and out.
REQUESTS = (240, 120, 180)
TOKENS = (1_800, 240)


def add_people(
    acme: Customer, subsidiary: Customer, subscription: Subscription, *, since: datetime, now: datetime
) -> None:
    """Give ``acme`` a subsidiary, teams, agents and subscribers, and each agent a key used after ``since``."""
    update_customer(acme.pk, associated_domains=["acme.example"], now=now)
    update_customer(subsidiary.pk, parent=acme.pk, now=now)
    teams: dict[str, TypeID] = {}
    people: dict[str, TypeID] = {}
    keys = []
    for team, budget, agent, kind, email in DESKS:
        if team not in teams:
            teams[team] = create_team(customer=acme.pk, name=team, budget_amount=budget, now=now).pk
        if email not in people:
            people[email] = create_subscriber(customer=acme.pk, email=email, now=now).pk
        keys.append(_key(acme, subscription, teams[team], agent, kind, people[email], now))
    record_events([*_usage_of(keys, since, now), *_usage_of_nobody(now)], now=now)
    create_subscriber(email="lena@acme.example", first_name="Lena", now=now)


def _key(
    acme: Customer,
    subscription: Subscription,
    team: TypeID,
    agent: str,
    agent_type: AgentType | None,
    subscriber: TypeID,
    now: datetime,
) -> Credential:
    kind = AgentKind.APPLICATION if agent_type is None else AgentKind.AGENT
    made = create_agent(team=team, name=agent, kind=kind, agent_type=agent_type or "", requests_per_minute=600, now=now)
    return issue_customer_key(
        acme.pk,
        name=f"{agent} key",
        scopes=["*"],
        subscription=subscription.pk,
        agent=made.pk,
        subscriber=subscriber,
        now=now,
    )


def _usage_of(keys: list[Credential], since: datetime, now: datetime) -> Iterator[NewEvent]:
    """Yield what each key used in the last two hours, or since ``since`` where that is later."""
    input_tokens, output_tokens = TOKENS
    for key, requests in zip(keys, REQUESTS, strict=True):
        for number in range(requests):
            moment = max(now - timedelta(seconds=30 * number), since)
            event = {
                "transaction_id": f"demo-{key.name}-{number}",
                "type": "llm.request",
                "timestamp": moment.isoformat(),
                "credential": key.pk,
                "properties": {
                    "model": "gpt-4o",
                    "input_tokens": input_tokens,
                    "output_tokens": output_tokens,
                    "latency_ms": 200 + number % 90,
                },
            }
            yield parse_event(event, now=now)


def _usage_of_nobody(now: datetime) -> Iterator[NewEvent]:
    """Yield requests that name somebody nobody knows yet: they wait on the UNCLASSIFIED customer."""
    for number in range(25):
        event = {
            "transaction_id": f"demo-nobody-{number}",
            "type": "llm.request",
            "timestamp": (now - timedelta(minutes=number)).isoformat(),
            "subscriber": "omar@acme.example",
            "properties": {"model": "gpt-4o", "input_tokens": 900, "output_tokens": 120},
        }
        yield parse_event(event, now=now)

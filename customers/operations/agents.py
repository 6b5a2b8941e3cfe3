"""Applications and agents: register, change and delete."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.guards import Verdict, deletion_report
from customers.errors import AgentDeletionNeedsConfirmation, DuplicateAgentName, TeamOfAnotherCustomer
from customers.events import AgentDeleted
from customers.models import Agent, AgentKind, AgentType, Team
from customers.operations.customers import lock_customer


@transaction.atomic
def create_agent(
    *,
    team: str,
    name: str,
    kind: str = AgentKind.APPLICATION,
    agent_type: str = "",
    capabilities: Iterable[str] = (),
    now: datetime,
    **rate_limits: int | None,
) -> Agent:
    """
    Register an application or AI agent of ``team`` (an id); ``rate_limits`` are by the names in ``RATE_LIMITS``.

    An AI agent whose type is not given is a CUSTOM one.

    Raises:
        NotFound: unknown team.
        Invalid: an application has no type.
        DuplicateAgentName: a live agent of the team has the name.
    """
    owner = _lock_team(team)
    agent = Agent(
        team=owner,
        name=name,
        kind=kind,
        agent_type=_type_for(kind, agent_type),
        capabilities=_distinct(capabilities),
        **rate_limits,
        created_at=now,
        updated_at=now,
    )
    with refusing({"agent_one_live_per_name": DuplicateAgentName(name=name)}):
        agent.save(force_insert=True)
    return agent


@transaction.atomic
def update_agent(agent_id: str, *, team: str | None = None, now: datetime, **changes: Any) -> Agent:
    """
    Change fields of the agent, or move it to another ``team`` (an id); values it has already are no change.

    One that becomes an application loses its type, one that becomes an AI agent is CUSTOM unless a type is given.

    Raises:
        NotFound: unknown agent or team.
        TeamOfAnotherCustomer: the team is none of the agent's customer.
        Invalid: an application has no type.
        DuplicateAgentName: a live agent of the team has the name.
    """
    # The team first, as where one is deleted, or the two could wait for each other.
    owner = None if team is None else _lock_team(team)
    agent = Agent.objects.live().select_related("team").lock(agent_id)
    if owner is not None:
        if owner.customer_id != agent.team.customer_id:
            raise TeamOfAnotherCustomer(team=owner.id)
        changes["team_id"] = owner.id
    if "capabilities" in changes:
        changes["capabilities"] = _distinct(changes["capabilities"])
    if {"kind", "agent_type"} & set(changes):
        kind = changes.get("kind", agent.kind)
        kept = agent.agent_type if kind == AgentKind.AGENT else ""
        changes["agent_type"] = _type_for(kind, changes.get("agent_type", kept))
    if changed := agent.assign(changes):
        with refusing({"agent_one_live_per_name": DuplicateAgentName(name=agent.name)}):
            agent.save_changes(*changed, now=now)
    return agent


@transaction.atomic
def delete_agent(agent_id: str, *, confirm: bool, now: datetime) -> Agent:
    """
    Delete the agent: it leaves every list and its name is free again, its keys are revoked; usage traced to it stays.

    Raises:
        AgentDeletionNeedsConfirmation: keys are bound to it and ``confirm`` is not set; ``details`` is the report.
    """
    agent = Agent.objects.live().select_related("team").lock(agent_id)
    report = deletion_report(agent)
    if report.verdict is not Verdict.ALLOW and not confirm:
        raise AgentDeletionNeedsConfirmation(agent_id=agent.id, **report.document())
    agent.deleted_at = now
    agent.save_changes("deleted_at", now=now)
    publish(AgentDeleted(customer_id=agent.team.customer_id, agent_id=agent.id, at=now))
    return agent


def _lock_team(team_id: str) -> Team:
    """
    Lock a live team and, before it, its customer, so that neither is deleted under a new agent.

    Raises:
        NotFound: unknown or deleted.
    """
    lock_customer(Team.objects.live().find(team_id, param="team").customer_id)
    return Team.objects.live().lock(team_id, param="team")


def _distinct(capabilities: Iterable[str]) -> list[str]:
    """Return each capability once, in the order given: Unicode composed, runs of white space one blank, none empty."""
    plain = (" ".join(unicodedata.normalize("NFC", one).split()) for one in capabilities)
    return list(dict.fromkeys(one for one in plain if one))


def _type_for(kind: str, agent_type: str) -> str:
    """Return the type of an agent of this kind, or refuse the one given."""
    if kind == AgentKind.AGENT:
        return agent_type or AgentType.CUSTOM
    if agent_type:
        raise Invalid("agent_type", "Only an AI agent has a type")
    return ""

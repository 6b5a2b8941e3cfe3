"""Applications and AI agents: registered with a team, limited, moved, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.kernel.errors import Invalid, NotFound
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.errors import AgentDeletionNeedsConfirmation, DuplicateAgentName, TeamOfAnotherCustomer
from customers.events import AgentDeleted
from customers.models import RATE_LIMITS, Agent, AgentStatus
from customers.operations.agents import create_agent, delete_agent, update_agent
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_agent, suspend_customer
from customers.operations.teams import delete_team
from tests.events import heard
from tests.factories import NOW, make_agent, make_team

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)

#: What the report says of one key that the deletion takes along.
ONE_KEY = {"code": "active_api_keys", "verdict": "WARN", "message": "1 key(s) will be revoked", "count": 1}


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


def key_for(agent: Agent) -> Credential:
    return issue_customer_key(agent.team.customer_id, name="Bot", scopes=["*"], agent=agent.id, now=NOW)


def test_an_agent_has_no_limits_and_no_capabilities_unless_they_are_given() -> None:
    team = make_team()

    plain = create_agent(team=team.id, name="Web shop", now=NOW)
    limited = create_agent(team=team.id, name="Bot", kind="AGENT", agent_type="CLAUDE", requests_per_day=5, now=NOW)

    assert (plain.kind, plain.agent_type, plain.rate_limits, plain.capabilities) == ("APPLICATION", "", {}, [])
    limited.refresh_from_db()
    assert (limited.kind, limited.agent_type, limited.rate_limits) == ("AGENT", "CLAUDE", {"requests_per_day": 5})
    assert limited.team == team


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({"kind": "AGENT"}, "CUSTOM"),
        ({"kind": "AGENT", "agent_type": None}, "CUSTOM"),
        ({"kind": "AGENT", "agent_type": "GPT"}, "GPT"),
        ({"kind": "APPLICATION", "agent_type": ""}, ""),
        ({}, ""),
    ],
)
def test_only_an_agent_has_a_type_and_every_agent_has_one(asked: dict[str, Any], stored: str) -> None:
    assert make_agent(**asked).agent_type == stored


def test_an_application_with_a_type_is_refused() -> None:
    agent = make_agent()

    attempts: list[Callable[[], Agent]] = [
        lambda: make_agent(agent_type="GPT"),
        lambda: update_agent(agent.id, agent_type="GPT", now=LATER),
        lambda: update_agent(agent.id, kind="APPLICATION", agent_type="GPT", now=LATER),
    ]
    for attempt in attempts:
        with pytest.raises(Invalid) as refusal:
            attempt()
        assert refusal.value.param == "agent_type"


def test_a_change_of_kind_takes_the_type_along() -> None:
    agent = make_agent(kind="AGENT", agent_type="GPT")

    assert update_agent(agent.id, kind="AGENT", name="Other", now=LATER).agent_type == "GPT"
    assert update_agent(agent.id, kind="APPLICATION", now=LATER).agent_type == ""
    assert update_agent(agent.id, kind="AGENT", now=LATER).agent_type == "CUSTOM"
    assert update_agent(agent.id, agent_type="CREWAI", now=LATER).agent_type == "CREWAI"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["read", "write", "read"], ["read", "write"]),
        (["  read ", "read"], ["read"]),
        (["call \t the\n tools", "call the tools"], ["call the tools"]),
        (["", "   "], []),
        (["Read", "read"], ["Read", "read"]),
        ([], []),
    ],
)
def test_capabilities_are_kept_once_in_the_order_given_without_stray_blanks(given: list[str], kept: list[str]) -> None:
    agent = make_agent(capabilities=given)

    agent.refresh_from_db()
    assert agent.capabilities == kept
    assert update_agent(make_agent().id, capabilities=given, now=LATER).capabilities == kept


def test_the_same_capabilities_again_are_no_change() -> None:
    agent = make_agent(capabilities=["read", "write"])

    assert update_agent(agent.id, capabilities=["read ", "write", "read"], now=LATER).updated_at == NOW


def test_a_name_is_one_among_the_live_agents_of_a_team_only() -> None:
    first = make_agent(name="Bot")
    second = make_agent(team=first.team)
    elsewhere = make_agent(name="Bot", team=make_team(customer=first.team.customer))

    attempts: list[Callable[[], Agent]] = [
        lambda: make_agent(name="Bot", team=first.team),
        lambda: update_agent(second.id, name="Bot", now=LATER),
        lambda: update_agent(elsewhere.id, team=first.team_id, now=LATER),
    ]
    for attempt in attempts:
        with pytest.raises(DuplicateAgentName) as refusal:
            attempt()
        assert refusal.value.details == {"name": "Bot"}

    delete_agent(first.id, confirm=False, now=LATER)
    assert update_agent(elsewhere.id, team=first.team_id, now=LATER).team == first.team


def test_an_agent_moves_between_the_live_teams_of_its_customer_only() -> None:
    agent = make_agent()
    sibling, stranger = make_team(customer=agent.team.customer), make_team()
    gone = delete_team(make_team(customer=agent.team.customer).id, now=NOW)

    with pytest.raises(TeamOfAnotherCustomer) as refusal:
        update_agent(agent.id, team=stranger.id, now=LATER)
    assert refusal.value.param == "team"
    with pytest.raises(NotFound) as missing:
        update_agent(agent.id, team=gone.id, now=LATER)
    assert missing.value.param == "team"
    assert Agent.objects.get().team_id == agent.team_id

    moved = update_agent(agent.id, team=sibling.id, now=LATER)
    assert (moved.team, Agent.objects.get().team_id) == (sibling, sibling.id)


def test_an_agent_of_a_suspended_customer_stays_as_it_is() -> None:
    agent = make_agent()

    suspend_customer(agent.team.customer_id, now=NOW)

    agent.refresh_from_db()
    assert agent.status(NOW) is AgentStatus.ACTIVE


def test_deleting_an_agent_without_keys_needs_no_confirmation_and_frees_its_name() -> None:
    agent = make_agent(name="Bot")

    with heard(AgentDeleted) as deleted:
        delete_agent(agent.id, confirm=False, now=LATER)

    assert deleted == [AgentDeleted(customer_id=agent.team.customer_id, agent_id=agent.id, at=LATER)]
    assert not Agent.objects.live().exists()
    assert make_agent(name="Bot", team=agent.team).id != agent.id


def test_deleting_an_agent_with_keys_needs_confirmation_and_revokes_them_and_no_others() -> None:
    agent = make_agent()
    key, other = key_for(agent), key_for(make_agent(team=agent.team))

    with pytest.raises(AgentDeletionNeedsConfirmation) as refusal:
        delete_agent(agent.id, confirm=False, now=LATER)
    assert refusal.value.details == {"agent_id": agent.id, "verdict": "WARN", "findings": [ONE_KEY]}
    assert Agent.objects.live().filter(pk=agent.pk).exists()
    assert Credential.objects.get(pk=key.pk).revoked_at is None

    delete_agent(agent.id, confirm=True, now=LATER)
    revoked = {one.pk: one.revoked_at for one in Credential.objects.all()}
    assert revoked == {key.pk: LATER, other.pk: None}


def test_a_deleted_agent_and_one_of_a_deleted_customer_are_not_found() -> None:
    deleted, orphan = make_agent(), make_agent()
    delete_agent(deleted.id, confirm=False, now=NOW)
    delete_customer(orphan.team.customer_id, confirm=True, now=NOW)

    for agent in (deleted, orphan):
        with pytest.raises(NotFound):
            update_agent(agent.id, name="Other", now=LATER)
        with pytest.raises(NotFound):
            delete_agent(agent.id, confirm=True, now=LATER)
        with pytest.raises(NotFound):
            suspend_agent(agent.id, now=LATER)
        with pytest.raises(NotFound):
            make_agent(team=orphan.team)


def test_the_database_refuses_a_type_without_an_agent_and_an_agent_without_a_type() -> None:
    agent = make_agent(kind="AGENT")
    row = Agent.objects.filter(pk=agent.pk)

    for change in ({"kind": "APPLICATION"}, {"agent_type": ""}, {"agent_type": "SKYNET"}, {"kind": "ROBOT"}):
        with refused_by("agent_type_is_that_of_an_agent"):
            row.update(**change)
    assert row.update(kind="APPLICATION", agent_type="") == 1


def test_an_agents_row_is_never_erased() -> None:
    agent = make_agent()

    for erase in (
        agent.delete,
        Agent.objects.all().delete,
        lambda: connection.cursor().execute("DELETE FROM customers_agent WHERE id = %s", [agent.id.uuid]),
    ):
        with pytest.raises(DatabaseError, match="Cannot delete rows"), transaction.atomic():
            erase()
    assert Agent.objects.filter(pk=agent.pk).exists()


def test_lists_go_by_the_agents_own_status_and_the_clock() -> None:
    agent = suspend_agent(make_agent().id, until=LATER, now=NOW)
    one = Agent.objects.filter(pk=agent.pk)

    for now, status, other in ((NOW, "suspended", "active"), (LATER, "active", "suspended")):
        assert one.with_status(status, now).exists()
        assert not one.with_status(other, now).exists()
        assert agent.status(now) == status


def test_rate_limits_are_the_four_that_the_api_names() -> None:
    limits: dict[str, Any] = dict(zip(RATE_LIMITS, range(7, 11), strict=True))

    assert make_agent(**limits).rate_limits == limits
    assert RATE_LIMITS == ("requests_per_second", "requests_per_minute", "requests_per_day", "tokens_per_minute")

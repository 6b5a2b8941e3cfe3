"""Applications and agents over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.operations.credentials import issue_customer_key
from customers.models import Agent
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_agent, suspend_customer
from tests.api_client import code_of, ids_of, refusal_of
from tests.factories import NOW, make_agent, make_team

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NO_LIMITS = {
    "requests_per_second": None, "requests_per_minute": None, "requests_per_day": None, "tokens_per_minute": None
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_an_agent_is_registered_read_changed_and_deleted(api: APIClient, clock: time_machine.Traveller) -> None:
    team = make_team()
    sibling = make_team(customer=team.customer)
    body = {
        "team": team.id, "name": "Bot", "kind": "AGENT", "agent_type": "CLAUDE", "capabilities": ["read", "write"],
    }  # fmt: skip

    created = api.post("/v1/agents", {**body, "rate_limits": {"requests_per_day": 1000, "requests_per_minute": None}})
    agent = created.json()

    assert (created.status_code, created["Location"]) == (201, f"/v1/agents/{agent['id']}")
    assert agent == {
        **body, "id": agent["id"], "customer": team.customer_id, "status": "active",
        "rate_limits": {**NO_LIMITS, "requests_per_day": 1000},
        "created_at": "2026-03-10T12:00:00Z", "updated_at": "2026-03-10T12:00:00Z",
    }  # fmt: skip
    read = api.get(created["Location"])
    assert (read.json(), read["ETag"]) == (agent, created["ETag"])
    assert api.get("/v1/agents").json()["data"] == [agent]

    clock.shift(HOUR)
    limits = {"tokens_per_minute": 5000, "requests_per_day": None}
    changed = api.patch(created["Location"], {"team": sibling.id, "kind": "APPLICATION", "rate_limits": limits})
    assert changed.json() == {
        **agent, "team": sibling.id, "kind": "APPLICATION", "agent_type": None,
        "rate_limits": {**NO_LIMITS, "tokens_per_minute": 5000}, "updated_at": "2026-03-10T13:00:00Z",
    }  # fmt: skip
    assert api.get(created["Location"]).json() == changed.json()

    deleted = api.delete(created["Location"])
    assert (deleted.status_code, deleted.json()) == (
        200, {"id": agent["id"], "deleted": True, "deleted_at": "2026-03-10T13:00:00Z"}
    )  # fmt: skip
    assert code_of(api.get(created["Location"])) == (404, "agent_not_found")


def test_a_name_and_a_team_are_all_an_application_needs(api: APIClient) -> None:
    created = api.post("/v1/agents", {"team": make_team().id, "name": "Web shop"}).json()

    assert (created["kind"], created["agent_type"]) == ("APPLICATION", None)
    assert (created["rate_limits"], created["capabilities"]) == (NO_LIMITS, [])


def test_an_agents_limits_not_named_stay(api: APIClient) -> None:
    agent = make_agent(requests_per_day=5, tokens_per_minute=7)

    changed = api.patch(f"/v1/agents/{agent.id}", {"rate_limits": {"requests_per_day": 6}}).json()

    assert changed["rate_limits"] == {**NO_LIMITS, "requests_per_day": 6, "tokens_per_minute": 7}


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"name": ""}, "invalid_name", "name"),
        ({"kind": "ROBOT"}, "invalid_kind", "kind"),
        ({"agent_type": "claude"}, "invalid_agent_type", "agent_type"),
        ({"agent_type": "CLAUDE"}, "invalid_agent_type", "agent_type"),
        ({"rate_limits": {"requests_per_day": 0}}, "invalid_requests_per_day", "rate_limits.requests_per_day"),
        ({"rate_limits": {"requests_per_day": -1}}, "invalid_requests_per_day", "rate_limits.requests_per_day"),
        ({"rate_limits": {"requests_per_day": 1.5}}, "invalid_requests_per_day", "rate_limits.requests_per_day"),
        ({"rate_limits": {"requests_per_day": 2**63}}, "invalid_requests_per_day", "rate_limits.requests_per_day"),
        ({"rate_limits": {"requests_per_hour": 1}}, "unknown_field", "rate_limits.requests_per_hour"),
        ({"rate_limits": 5}, "invalid_rate_limits", "rate_limits"),
        ({"capabilities": "read"}, "invalid_capabilities", "capabilities"),
        ({"capabilities": [5]}, "invalid_capabilities", "capabilities"),
        ({"capabilities": ["x" * 101]}, "invalid_capabilities", "capabilities[0]"),
        ({"capabilities": ["x"] * 101}, "invalid_capabilities", "capabilities"),
        ({"team": "research"}, "invalid_team", "team"),
        ({"customer": "cust_01h455vb4pex5vsknk084sn02q"}, "unknown_field", "customer"),
        ({"status": "suspended"}, "unknown_field", "status"),
    ],
)
def test_an_agent_that_is_not_well_formed_is_refused(
    api: APIClient, change: dict[str, Any], code: str, param: str
) -> None:
    agent = make_agent()
    body = {"team": agent.team_id, "name": "Bot"}

    assert refusal_of(api.post("/v1/agents", {**body, **change})) == (400, code, param)
    assert refusal_of(api.patch(f"/v1/agents/{agent.id}", change)) == (400, code, param)

    assert Agent.objects.get().updated_at == NOW
    limits = {"requests_per_day": 2**63 - 1, "requests_per_second": 1}
    allowed = {**body, "rate_limits": limits, "capabilities": [str(number) for number in range(100)]}
    assert api.post("/v1/agents", allowed).status_code == 201


def test_a_team_that_is_unknown_or_of_another_customer_is_refused(api: APIClient) -> None:
    agent, stranger = make_agent(), make_team()
    orphan = make_team()
    delete_customer(orphan.customer_id, confirm=True, now=NOW)

    for team in (orphan.id, "team_01h455vb4pex5vsknk084sn02q"):
        assert refusal_of(api.post("/v1/agents", {"team": team, "name": "B"})) == (404, "team_not_found", "team")
        assert refusal_of(api.patch(f"/v1/agents/{agent.id}", {"team": team})) == (404, "team_not_found", "team")
    refused = api.patch(f"/v1/agents/{agent.id}", {"team": stranger.id})
    assert refusal_of(refused) == (409, "team_of_another_customer", "team")
    taken = api.post("/v1/agents", {"team": agent.team_id, "name": agent.name})
    assert refusal_of(taken) == (409, "duplicate_name", "name")


def test_an_agent_is_suspended_and_reactivated_by_itself(api: APIClient, clock: time_machine.Traveller) -> None:
    agent = make_agent()
    path = f"/v1/agents/{agent.id}"

    suspended = api.post(f"{path}/suspend", {"reason": "Loops", "until": "2026-03-10T13:00:00Z"})

    assert suspended.status_code == 200
    assert suspended.json() == {
        "id": agent.id, "status": "suspended", "suspended_at": "2026-03-10T12:00:00Z",
        "suspended_until": "2026-03-10T13:00:00Z", "suspension_reason": "Loops",
    }  # fmt: skip
    assert api.get(path).json()["status"] == "suspended"
    assert api.get(f"/v1/customers/{agent.team.customer_id}").json()["status"] == "active"
    assert refusal_of(api.post(f"{path}/suspend", {"until": "2026-03-10T12:00:00Z"})) == (400, "invalid_until", "until")

    reactivated = api.post(f"{path}/reactivate")
    assert (reactivated.status_code, reactivated.json()["status"]) == (200, "active")
    assert code_of(api.post(f"{path}/reactivate")) == (409, "agent_not_suspended")

    api.post(f"{path}/suspend", {"until": "2026-03-10T13:00:00Z"})
    clock.shift(HOUR)
    assert api.get(path).json()["status"] == "active"


def test_deleting_an_agent_with_keys_needs_confirmation(api: APIClient) -> None:
    agent = make_agent()
    issue_customer_key(agent.team.customer_id, name="Bot", scopes=["*"], agent=agent.id, now=NOW)

    refused = api.delete(f"/v1/agents/{agent.id}")

    assert code_of(refused) == (409, "agent_deletion_needs_confirmation")
    details = refused.json()["error"]["details"]
    assert (details["agent_id"], details["verdict"]) == (agent.id, "WARN")
    assert [finding["code"] for finding in details["findings"]] == ["active_api_keys"]
    assert api.delete(f"/v1/agents/{agent.id}?confirm=true").status_code == 200
    assert not Agent.objects.live().exists()


def test_agents_are_listed_newest_first_and_found(
    api: APIClient, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    old = make_agent(kind="AGENT", agent_type="GPT", now=NOW - HOUR)
    new = make_agent(team=old.team)
    off = suspend_agent(make_agent(kind="AGENT", now=NOW - 2 * HOUR).id, until=NOW + HOUR, now=NOW)
    suspend_customer(old.team.customer_id, now=NOW)
    delete_customer(make_agent().team.customer_id, confirm=True, now=NOW)

    def listed(query: str = "") -> list[str]:
        return ids_of(api.get(f"/v1/agents{query}"))

    with django_assert_max_num_queries(3):
        assert listed() == [new.id, old.id, off.id]
    assert listed(f"?customer={old.team.customer_id}") == [new.id, old.id]
    assert listed(f"?team={off.team_id}") == [off.id]
    assert (listed("?kind=AGENT"), listed("?kind=APPLICATION")) == ([old.id, off.id], [new.id])
    assert (listed("?agent_type=GPT"), listed("?agent_type=CUSTOM")) == ([old.id], [off.id])
    assert (listed("?status=active"), listed("?status=suspended")) == ([new.id, old.id], [off.id])
    assert refusal_of(api.get("/v1/agents?status=off")) == (400, "invalid_status", "status")
    assert refusal_of(api.get("/v1/agents?kind=agent")) == (400, "invalid_kind", "kind")
    assert refusal_of(api.get("/v1/agents?team=research")) == (400, "invalid_team", "team")


def test_a_key_does_what_its_scopes_allow(api_of: Callable[..., APIClient]) -> None:
    reader, writer, nobody = api_of("customers:read"), api_of("customers:write"), APIClient()
    agent = make_agent()
    path, body = f"/v1/agents/{agent.id}", {"team": agent.team_id, "name": "New"}

    assert {reader.get("/v1/agents").status_code, reader.get(path).status_code} == {200}
    assert code_of(writer.get(path)) == (403, "insufficient_scope")
    for client, refusal in ((reader, (403, "insufficient_scope")), (nobody, (401, "authentication_required"))):
        answers = [client.post("/v1/agents", body), client.patch(path, {"name": "New"}), client.delete(path)]
        answers += [client.post(f"{path}/suspend"), client.post(f"{path}/reactivate")]
        assert {code_of(answer) for answer in answers} == {refusal}
    assert [writer.post("/v1/agents", body).status_code, writer.post(f"{path}/suspend").status_code] == [201, 200]

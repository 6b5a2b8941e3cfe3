"""Applications and AI agents at the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.models import Agent
from customers.operations.agents import delete_agent
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_agent, suspend_customer
from tests.factories import NOW, make_agent, make_customer, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What a browser sends for the rows shown below a form.
NO_ROWS = {"credentials-TOTAL_FORMS": "0", "credentials-INITIAL_FORMS": "0"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_agent_{page}", args=arguments)


def found(desk: Client, **query: Any) -> list[Agent]:
    return list(desk.get(url("changelist"), query).context["cl"].result_list)


def test_an_agent_is_registered_with_a_capability_a_line_and_plain_limits(desk: Client) -> None:
    team = make_team()

    desk.post(
        url("add"),
        {
            "team": team.pk,
            "name": "Bot",
            "kind": "AGENT",
            "agent_type": "CLAUDE",
            "requests_per_day": "1000",
            "capabilities": "read\r\n\r\n write \r\nread\r\n",
        },
    )

    agent = Agent.objects.get()
    assert (agent.team, agent.kind, agent.agent_type) == (team, "AGENT", "CLAUDE")
    assert (agent.rate_limits, agent.capabilities) == ({"requests_per_day": 1000}, ["read", "write"])
    assert ">read\nwrite</textarea>" in desk.get(url("change", agent.pk)).content.decode()


def test_an_agent_is_changed_and_moved_to_another_team_of_its_customer_only(desk: Client) -> None:
    agent = make_agent(kind="AGENT", capabilities=["read"], requests_per_day=5)
    sibling, stranger = make_team(customer=agent.team.customer), make_team()
    body = {**NO_ROWS, "name": "New", "kind": "AGENT", "agent_type": "", "change_reason": "Moved"}

    page = desk.get(url("change", agent.pk)).content.decode()
    assert (f'value="{sibling.pk}"' in page, f'value="{stranger.pk}"' in page) == (True, False)
    form = desk.post(url("change", agent.pk), {**body, "team": stranger.pk}).context["adminform"].form
    assert list(form.errors) == ["team"]
    desk.post(url("change", agent.pk), {**body, "team": sibling.pk})

    agent.refresh_from_db()
    row = agent.history.latest("history_id")
    assert (agent.team, agent.name, agent.agent_type, agent.rate_limits) == (sibling, "New", "CUSTOM", {})
    assert (row.history_actor, row.history_change_reason) == ("olga", "Moved")


def test_an_application_with_a_type_is_refused_beside_the_field(desk: Client) -> None:
    body = {"team": make_team().pk, "name": "Shop", "kind": "APPLICATION"}

    form = desk.post(url("add"), {**body, "agent_type": "GPT"}).context["adminform"].form
    assert form.errors == {"agent_type": ["Only an AI agent has a type"]}
    form = desk.post(url("add"), {**body, "requests_per_day": "0"}).context["adminform"].form
    assert list(form.errors) == ["requests_per_day"]

    assert desk.post(url("add"), body).status_code == 302
    assert Agent.objects.get().agent_type == ""


def test_suspending_asks_for_reason_and_end_and_shows_a_banner(desk: Client) -> None:
    agent = make_agent()

    desk.get(url("suspend", agent.pk))
    assert not Agent.objects.suspended(NOW).exists()
    desk.post(url("suspend", agent.pk), {"confirmed": "yes", "reason": "Loops", "until": "2026-03-12T12:00"})

    page = desk.get(url("change", agent.pk))
    row = agent.history.latest("history_id")
    notice = "Suspended since 2026-03-10 12:00 UTC, until 2026-03-12 12:00 UTC. Reason: Loops"
    assert page.context["notice"] == notice
    assert notice in page.content.decode()
    assert (row.history_actor, row.history_change_reason, row.suspension_reason) == ("olga", "Loops", "Loops")

    desk.post(url("reactivate", agent.pk), {"confirmed": "yes", "reason": "Repaired"})
    assert not Agent.objects.suspended(NOW).exists()
    assert desk.get(url("change", agent.pk)).context["notice"] == ""


def test_the_page_of_an_agent_tells_that_its_customer_is_suspended(desk: Client) -> None:
    agent = make_agent()

    suspend_customer(agent.team.customer_id, now=NOW)

    assert desk.get(url("change", agent.pk)).context["notice"] == "Its customer is suspended, so its keys are off."


def test_a_suspension_that_ends_in_the_past_is_refused_beside_its_field(desk: Client) -> None:
    answer = desk.post(
        url("suspend", make_agent().pk), {"confirmed": "yes", "reason": "Loops", "until": "2026-03-10T12:00"}
    )

    assert answer.context["form"].errors == {"until": ["The end of a suspension must be in the future"]}


def test_several_agents_are_suspended_and_reactivated_at_once(desk: Client) -> None:
    agents = [make_agent() for _ in range(2)]
    other = make_agent()
    chosen = {"_selected_action": [agent.pk for agent in agents], "index": "0"}

    desk.post(url("changelist"), {**chosen, "action": "suspend"})
    assert not Agent.objects.suspended(NOW).exists()
    desk.post(url("changelist"), {**chosen, "action": "suspend", "confirmed": "yes", "reason": "Loops"})
    assert set(Agent.objects.suspended(NOW)) == set(agents)
    assert other not in Agent.objects.suspended(NOW)

    desk.post(url("changelist"), {**chosen, "action": "reactivate", "confirmed": "yes", "reason": "Repaired"})
    assert not Agent.objects.suspended(NOW).exists()


def test_deleting_an_agent_with_keys_asks_for_confirmation_and_revokes_them(desk: Client) -> None:
    agent = make_agent()
    issue_customer_key(agent.team.customer_id, name="Bot", scopes=["*"], agent=agent.id, now=NOW)

    desk.post(url("delete", agent.pk), {"confirmed": "yes", "reason": "Retired"})
    assert Agent.objects.live().exists()
    desk.post(url("delete", agent.pk), {"confirmed": "yes", "confirm": "on", "reason": "Retired"})

    assert not Agent.objects.live().exists()
    assert Credential.objects.get().revoked_at == NOW
    assert desk.get(url("change", agent.pk)).status_code == 302


def test_the_list_is_searched_and_filtered_and_leaves_deleted_ones_out(desk: Client) -> None:
    zebra = make_team(customer=make_customer(name="Zebra"), name="Research")
    agent = make_agent(team=zebra, name="Crawler", kind="AGENT", agent_type="GPT")
    off = suspend_agent(make_agent(name="Web shop").id, now=NOW)
    delete_agent(make_agent().id, confirm=False, now=NOW)
    delete_customer(make_agent().team.customer_id, confirm=True, now=NOW)

    assert set(found(desk)) == {agent, off}
    for words in ("zebra", "research", "crawl"):
        assert found(desk, q=words) == [agent]
    assert (found(desk, status="active"), found(desk, status="suspended")) == ([agent], [off])
    assert (found(desk, kind__exact="AGENT"), found(desk, agent_type__exact="GPT")) == ([agent], [agent])
    assert found(desk, team__id__exact=off.team_id) == [off]
    assert found(desk, team__customer__id__exact=zebra.customer_id) == [agent]


def test_a_list_of_many_agents_asks_no_more_than_one_of_few(
    desk: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(12):
        make_agent()

    with django_assert_max_num_queries(10):
        assert len(found(desk)) == 12


def test_a_reader_sees_everything_and_changes_nothing(reader: Client) -> None:
    agent = make_agent()

    assert reader.get(url("changelist")).status_code == 200
    assert reader.get(url("change", agent.pk)).status_code == 200
    paths = [url("change", agent.pk), url("delete", agent.pk), url("suspend", agent.pk), url("reactivate", agent.pk)]
    answers = [reader.post(path, {"confirmed": "yes", "reason": "x"}) for path in paths]
    assert {answer.status_code for answer in answers} == {403}
    assert reader.get(url("add")).status_code == 403

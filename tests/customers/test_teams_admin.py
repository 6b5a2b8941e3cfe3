"""Teams at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.operations.usage import record_events
from config.kernel.admin import change_url
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Team
from customers.operations.deletion import delete_customer
from customers.operations.teams import delete_team
from tests.factories import (
    NOW,
    make_agent,
    make_charge,
    make_customer,
    make_event,
    make_metric,
    make_plan,
    make_subscription,
    make_team,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What a browser sends for the rows shown below a form.
NO_ROWS = {"agents-TOTAL_FORMS": "0", "agents-INITIAL_FORMS": "0"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_team_{page}", args=arguments)


def found(desk: Client, **query: Any) -> list[Team]:
    return list(desk.get(url("changelist"), query).context["cl"].result_list)


def spend(team: Team, calls: int) -> None:
    """Let an agent of the team make so many calls at a dollar each."""
    plan = make_plan(charges=[make_charge(make_metric(event_type="call"), unit_amount="1")])
    subscription = make_subscription(customer=team.customer, plan=plan, now=NOW - timedelta(hours=1))
    agent = make_agent(team=team)
    key = issue_customer_key(
        team.customer_id, name="Bot", scopes=["*"], agent=agent.id, subscription=subscription.id, now=NOW
    )
    events = [make_event(subscription, at=NOW, credential=key.id) for _ in range(calls)]
    record_events(events, now=NOW)


def test_a_team_is_created_changed_and_deleted(desk: Client) -> None:
    customer = make_customer()

    desk.post(
        url("add"),
        {
            "customer": customer.pk,
            "name": "Research",
            "external_id": "",
            "budget_amount": "250.5",
            "budget_period": "month",
        },
    )
    team = Team.objects.get()
    assert (team.customer, team.external_id, team.budget_amount) == (customer, None, Decimal("250.5"))

    desk.post(
        url("change", team.pk),
        {**NO_ROWS, "name": "Sales", "budget_amount": "", "budget_period": "year", "change_reason": "Reorganised"},
    )
    team.refresh_from_db()
    assert (team.name, team.budget_amount, team.budget_period) == ("Sales", None, "year")

    desk.post(url("delete", team.pk), {"confirmed": "yes", "reason": "Closed"})
    rows = team.history.order_by("history_id")
    assert not Team.objects.live().exists()
    assert [(row.history_actor, row.history_change_reason) for row in rows] == [
        ("olga", ""), ("olga", "Reorganised"), ("olga", "Closed")
    ]  # fmt: skip
    assert desk.get(url("history", team.pk)).status_code == 302


def test_a_name_that_is_taken_and_the_unclassified_customer_are_refused_on_the_form(desk: Client) -> None:
    team = make_team(name="Research")
    body = {"customer": team.customer_id, "name": "Research", "budget_period": "month"}

    form = desk.post(url("add"), body).context["adminform"].form
    assert form.errors == {"name": ["The customer has a team 'Research' already"]}
    form = desk.post(url("add"), {**body, "customer": UNCLASSIFIED_ID}).context["adminform"].form
    assert "UNCLASSIFIED" in form.errors["customer"][0]
    form = desk.post(url("add"), {**body, "name": "Sales", "budget_amount": "-1"}).context["adminform"].form
    assert "budget" in str(form.errors)
    assert Team.objects.count() == 1


def test_the_customer_of_a_team_stays(desk: Client) -> None:
    team = make_team()

    body = {**NO_ROWS, "name": "New", "budget_period": "month"}
    desk.post(url("change", team.pk), {**body, "customer": make_customer().pk})

    assert Team.objects.get().customer == team.customer
    assert Team.objects.get().name == "New"


def test_a_team_with_agents_is_left_alone_and_its_report_links_to_them(desk: Client) -> None:
    blocked, free = make_agent().team, make_team()
    chosen = {"action": "delete_selected", "_selected_action": [blocked.pk, free.pk], "index": "0"}

    page = desk.get(url("delete", blocked.pk)).content.decode()
    assert f"{reverse('admin:customers_agent_changelist')}?team__id__exact={blocked.pk}" in page
    desk.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Cleared"})

    assert list(Team.objects.live()) == [blocked]


def test_the_budget_and_what_is_used_of_it_are_shown_in_the_customers_currency(desk: Client) -> None:
    team = make_team(customer=make_customer(), budget_amount=Decimal(2))
    spend(team, 2)

    for page in (url("changelist"), url("change", team.pk)):
        assert "$2.00" in desk.get(page).content.decode()
        assert "over budget" not in desk.get(page).content.decode()

    Team.objects.filter(pk=team.pk).update(budget_amount=Decimal("1.99"))
    for page in (url("changelist"), url("change", team.pk)):
        assert "$2.00, over budget" in desk.get(page).content.decode()


def test_a_list_of_many_teams_asks_no_more_than_one_of_few(
    desk: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(12):
        make_team(budget_amount=Decimal(5))

    with django_assert_max_num_queries(14):
        assert len(found(desk)) == 12


def test_the_list_is_searched_and_filtered_and_leaves_deleted_ones_out(desk: Client) -> None:
    zebra = make_team(customer=make_customer(name="Zebra"), name="Research", external_id="CC-7")
    yearly = make_team(name="Sales", budget_period="year")
    delete_team(make_team().id, now=NOW)
    delete_customer(make_team().customer_id, confirm=True, now=NOW)

    assert set(found(desk)) == {zebra, yearly}
    for words in ("zebra", "research", "cc-7", "zebra research"):
        assert found(desk, q=words) == [zebra]
    assert found(desk, customer__id__exact=yearly.customer_id) == [yearly]
    assert found(desk, budget_period__exact="year") == [yearly]


def test_the_page_lists_its_agents_that_are_not_deleted(desk: Client) -> None:
    agent = make_agent(name="Web shop")
    other = make_agent(name="Stranger")

    page = desk.get(url("change", agent.team_id)).content.decode()

    assert change_url(agent) in page
    assert change_url(other) not in page


def test_a_reader_sees_everything_and_changes_nothing(reader: Client) -> None:
    team = make_team()

    assert reader.get(url("changelist")).status_code == 200
    assert reader.get(url("change", team.pk)).status_code == 200
    answers = [reader.get(url("add")), reader.post(url("change", team.pk)), reader.get(url("delete", team.pk))]
    assert {answer.status_code for answer in answers} == {403}

"""Teams: a customer's departments and projects, each with a budget of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from config.kernel.errors import NotFound
from customers.errors import DuplicateTeamExternalId, DuplicateTeamName, SystemCustomer, TeamDeletionBlocked
from customers.models import UNCLASSIFIED_ID, Team
from customers.operations.agents import create_agent, delete_agent
from customers.operations.deletion import delete_customer
from customers.operations.teams import create_team, delete_team, update_team
from tests.factories import NOW, make_agent, make_customer, make_team

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


def test_a_team_has_a_budget_for_each_month_unless_it_says_otherwise() -> None:
    customer = make_customer()

    plain = create_team(customer=customer.id, name="Research", now=NOW)
    yearly = create_team(
        customer=customer.id, name="Sales", external_id="CC-7", budget_amount=Decimal("0.005"), budget_period="year",
        now=NOW,
    )  # fmt: skip

    assert (plain.budget_amount, plain.budget_period, plain.external_id) == (None, "month", None)
    yearly.refresh_from_db()
    assert (yearly.budget_amount, yearly.budget_period, yearly.external_id) == (Decimal("0.005"), "year", "CC-7")
    assert (yearly.customer, yearly.created_at, yearly.updated_at) == (customer, NOW, NOW)


def test_the_unclassified_customer_and_a_deleted_one_have_no_teams_and_an_ordinary_one_has() -> None:
    gone = delete_customer(make_customer().id, confirm=True, now=NOW)

    with pytest.raises(SystemCustomer):
        create_team(customer=UNCLASSIFIED_ID, name="Research", now=NOW)
    with pytest.raises(NotFound):
        create_team(customer=gone.id, name="Research", now=NOW)

    assert create_team(customer=make_customer().id, name="Research", now=NOW).name == "Research"
    assert Team.objects.count() == 1


def test_name_and_external_id_are_one_among_the_live_teams_of_a_customer_only() -> None:
    first = make_team(name="Research", external_id="CC-7")
    second = make_team(customer=first.customer, name="Sales")

    with pytest.raises(DuplicateTeamName):
        make_team(customer=first.customer, name="Research")
    with pytest.raises(DuplicateTeamExternalId):
        make_team(customer=first.customer, external_id="CC-7")
    with pytest.raises(DuplicateTeamName):
        update_team(second.id, name="Research", now=LATER)
    with pytest.raises(DuplicateTeamExternalId):
        update_team(second.id, external_id="CC-7", now=LATER)

    assert make_team(name="Research", external_id="CC-7").customer != first.customer
    delete_team(first.id, now=LATER)
    assert update_team(second.id, name="Research", external_id="CC-7", now=LATER).name == "Research"


def test_a_change_that_is_none_leaves_the_team_as_it_was() -> None:
    team = make_team(name="Research")

    assert update_team(team.id, name="Research", budget_amount=None, now=LATER).updated_at == NOW
    assert update_team(team.id, budget_amount=Decimal(5), now=LATER).updated_at == LATER


def test_a_team_with_agents_stays_and_goes_once_the_last_is_deleted() -> None:
    team = make_team()
    agents = [make_agent(team=team) for _ in range(2)]

    with pytest.raises(TeamDeletionBlocked) as refusal:
        delete_team(team.id, now=LATER)
    assert refusal.value.details == {
        "team_id": team.id,
        "verdict": "BLOCK",
        "findings": [
            {
                "code": "agents",
                "verdict": "BLOCK",
                "message": "2 application(s) or agent(s) belong to the team; move or delete them first",
                "count": 2,
            }
        ],
    }
    assert Team.objects.live().filter(pk=team.pk).exists()

    for agent in agents:
        delete_agent(agent.id, confirm=False, now=LATER)
    assert delete_team(team.id, now=LATER).deleted_at == LATER
    assert not Team.objects.live().exists()


def test_a_deleted_team_is_not_found_and_takes_no_agents() -> None:
    team = delete_team(make_team().id, now=NOW)

    with pytest.raises(NotFound):
        update_team(team.id, name="Other", now=LATER)
    with pytest.raises(NotFound):
        delete_team(team.id, now=LATER)
    with pytest.raises(NotFound) as refusal:
        create_agent(team=team.id, name="Bot", now=LATER)
    assert (refusal.value.noun, refusal.value.param) == ("team", "team")


def test_the_teams_of_a_deleted_customer_are_gone_with_it() -> None:
    team, other = make_team(), make_team()

    delete_customer(team.customer_id, confirm=True, now=NOW)

    assert list(Team.objects.live()) == [other]
    with pytest.raises(NotFound):
        update_team(team.id, name="Other", now=LATER)


def test_the_database_refuses_a_negative_budget_and_an_unknown_period_and_takes_none_and_zero() -> None:
    team = make_team()
    row = Team.objects.filter(pk=team.pk)

    with refused_by("team_budget_is_not_negative"):
        row.update(budget_amount=Decimal("-0.000000000001"))
    with refused_by("team_budget_period_is_known"):
        row.update(budget_period="week")
    for amount in (None, Decimal(0)):
        assert row.update(budget_amount=amount, budget_period="quarter") == 1


def test_the_database_refuses_twins_to_raw_sql_too() -> None:
    first, second = (make_team(customer=customer) for customer in [make_customer()] * 2)

    with refused_by("team_one_live_per_name"), connection.cursor() as cursor:
        cursor.execute("UPDATE customers_team SET name = %s WHERE id = %s", [first.name, second.id.uuid])


def test_a_team_with_agents_is_never_erased() -> None:
    agent = make_agent()

    with pytest.raises(ProtectedError):
        agent.team.delete()
    with refused_by("customers_agent_team_id"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DELETE FROM customers_team WHERE id = %s", [agent.team_id.uuid])
    assert Team.objects.filter(pk=agent.team_id).exists()

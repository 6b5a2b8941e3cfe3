"""What teams used of their budgets: whose usage counts, in which period, at which part of a tiered price."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.queries.activity import calendar_period
from credentials.operations.credentials import issue_customer_key, revoke_credential
from customers.activity import activity
from customers.models import Agent, BudgetPeriod, Customer, Subscription, Team
from customers.operations.agents import delete_agent
from tests.billing.activity_wire import use
from tests.factories import (
    NOW,
    make_agent,
    make_charge,
    make_customer,
    make_metric,
    make_plan,
    make_subscription,
    make_team,
)

pytestmark = pytest.mark.django_db

PERIODS = [
    ("month", "UTC", "2026-03-10T12:00:00", "2026-03-01T00:00:00", "2026-04-01T00:00:00"),
    ("month", "UTC", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
    ("month", "Asia/Kolkata", "2026-03-31T18:30:00", "2026-03-31T18:30:00", "2026-04-30T18:30:00"),
    ("month", "America/New_York", "2026-03-10T12:00:00", "2026-03-01T05:00:00", "2026-04-01T04:00:00"),
    ("quarter", "UTC", "2026-03-31T23:59:59", "2026-01-01T00:00:00", "2026-04-01T00:00:00"),
    ("quarter", "UTC", "2026-04-01T00:00:00", "2026-04-01T00:00:00", "2026-07-01T00:00:00"),
    ("quarter", "UTC", "2026-12-01T00:00:00", "2026-10-01T00:00:00", "2027-01-01T00:00:00"),
    ("year", "UTC", "2028-02-29T12:00:00", "2028-01-01T00:00:00", "2029-01-01T00:00:00"),
]


@pytest.mark.parametrize(("length", "timezone", "now", "start", "end"), PERIODS)
def test_a_budget_runs_on_the_customers_calendar(length: str, timezone: str, now: str, start: str, end: str) -> None:
    moment, first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, start, end))

    period = calendar_period(BudgetPeriod(length), timezone, moment)

    assert (period.start, period.end) == (first, last)


def metered(customer: Customer, interval: str = "month") -> Subscription:
    """Return a subscription since January that charges 1 for each of ten calls of a period and 0.5 for each more."""
    tiers = [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.500000000001"}]
    charge = make_charge(make_metric(event_type="call"), model="GRADUATED", properties={"tiers": tiers})
    plan = make_plan(charges=[charge], interval=interval)
    return make_subscription(customer=customer, plan=plan, starts_at=datetime(2026, 1, 1, tzinfo=UTC))


def key_of(agent: Agent) -> str:
    customer = agent.team.customer_id
    return str(issue_customer_key(customer, name="k", scopes=["*"], agent=agent.id, now=NOW).id)


def used(*teams: Team, now: datetime = NOW) -> list[Decimal]:
    found = activity().budgets_used(teams, now=now)
    assert set(found) == {team.id for team in teams}
    return [found[team.id] for team in teams]


def test_a_team_used_what_its_agents_credentials_cost() -> None:
    customer = make_customer()
    metered(customer)
    team, other = make_team(customer=customer), make_team(customer=customer)
    keys = [key_of(make_agent(team=team)) for _ in range(2)]
    stranger = key_of(make_agent(team=other))
    for credential in [*keys, stranger]:
        use("2026-03-05T10:00:00Z", credential=credential)
    use("2026-03-05T10:00:00Z", customer=customer.id)

    assert used(team, other) == [2, 1]


def test_a_teams_part_of_a_tiered_price_is_exact() -> None:
    customer = make_customer()
    metered(customer)
    team = make_team(customer=customer)
    key = key_of(make_agent(team=team))
    for _ in range(9):
        use("2026-03-05T10:00:00Z", customer=customer.id)
    for hour in ("11", "12", "13"):
        use(f"2026-03-05T{hour}:00:00Z", credential=key)

    # Nine calls of others came first: one more at the full price, two in the next tier.
    assert used(team) == [Decimal("2.000000000002")]


@pytest.mark.parametrize(
    ("length", "cost"), [("month", 1), ("quarter", 3), ("year", 4)], ids=["month", "quarter", "year"]
)
def test_a_budget_counts_its_own_period(length: str, cost: int) -> None:
    customer = make_customer()
    metered(customer)
    team = make_team(customer=customer, budget_period=length)
    key = key_of(make_agent(team=team))
    for at in ("2026-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"):
        use(at, credential=key)

    assert used(team, now=NOW) == [cost]


def test_tiers_are_walked_since_the_subscriptions_period_began_not_the_budgets() -> None:
    customer = make_customer()
    metered(customer, interval="year")
    team = make_team(customer=customer)
    key = key_of(make_agent(team=team))
    for _ in range(10):
        use("2026-01-15T10:00:00Z", credential=key)
    use("2026-03-05T10:00:00Z", credential=key)

    assert used(team) == [Decimal("0.500000000001")]


def test_months_of_the_subscription_within_the_budgets_year_begin_their_tiers_anew() -> None:
    customer = make_customer()
    metered(customer)
    team = make_team(customer=customer, budget_period="year")
    key = key_of(make_agent(team=team))
    for month in ("01", "02"):
        for _ in range(11):
            use(f"2026-{month}-15T10:00:00Z", credential=key)

    assert used(team) == [Decimal("21.000000000002")]


def test_teams_of_several_customers_are_read_together() -> None:
    teams, keys = [], []
    for timezone in ("UTC", "Asia/Kolkata", "America/New_York"):
        customer = make_customer(timezone=timezone)
        metered(customer)
        teams.append(make_team(customer=customer, budget_period="year"))
        keys.append(key_of(make_agent(team=teams[-1])))
    for number, key in enumerate(keys, start=1):
        for _ in range(number):
            use("2026-03-05T10:00:00Z", credential=key)

    with CaptureQueriesContext(connection) as for_three:
        assert used(*teams) == [1, 2, 3]
    with CaptureQueriesContext(connection) as for_one:
        used(teams[0])
    assert len(for_three) == len(for_one)


def test_a_team_without_credentials_used_nothing() -> None:
    customer = make_customer()
    metered(customer)
    use("2026-03-05T10:00:00Z", customer=customer.id)

    assert used(make_team(customer=customer)) == [0]


def test_usage_of_a_revoked_key_and_a_deleted_agent_was_the_teams() -> None:
    customer = make_customer()
    metered(customer)
    team = make_team(customer=customer)
    agent = make_agent(team=team)
    key = key_of(agent)
    use("2026-03-05T10:00:00Z", credential=key)
    revoke_credential(key, now=NOW)
    delete_agent(agent.id, confirm=True, now=NOW)

    assert used(team) == [1]


def test_usage_without_a_subscription_costs_no_team_anything() -> None:
    customer = make_customer()
    team = make_team(customer=customer)
    use("2026-03-05T10:00:00Z", credential=key_of(make_agent(team=team)))

    assert used(team) == [0]

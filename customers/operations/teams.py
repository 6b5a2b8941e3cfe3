"""Teams: create, change and delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from config.kernel.constraints import refusing
from config.kernel.guards import Verdict, deletion_report
from customers.errors import DuplicateTeamExternalId, DuplicateTeamName, TeamDeletionBlocked
from customers.models import BudgetPeriod, Team
from customers.operations.customers import lock_customer


@transaction.atomic
def create_team(
    *,
    customer: str,
    name: str,
    external_id: str | None = None,
    budget_amount: Decimal | None = None,
    budget_period: str = BudgetPeriod.MONTH,
    now: datetime,
) -> Team:
    """
    Create a team of ``customer`` (an id); the budget is in the customer's currency, None for no budget.

    Raises:
        NotFound: unknown customer.
        SystemCustomer: it is the UNCLASSIFIED one, which has no teams.
        DuplicateTeamName, DuplicateTeamExternalId: a live team of the customer has it.
    """
    team = Team(
        customer=lock_customer(customer, param="customer"),
        name=name,
        external_id=external_id,
        budget_amount=budget_amount,
        budget_period=budget_period,
        created_at=now,
        updated_at=now,
    )
    with _one_live_team(team):
        team.save(force_insert=True)
    return team


@transaction.atomic
def update_team(team_id: str, *, now: datetime, **changes: Any) -> Team:
    """
    Change ``name``, ``external_id``, ``budget_amount`` or ``budget_period``; values it has already are no change.

    Raises:
        DuplicateTeamName, DuplicateTeamExternalId: another live team of the customer has it.
    """
    team = Team.objects.live().lock(team_id)
    if changed := team.assign(changes):
        with _one_live_team(team):
            team.save_changes(*changed, now=now)
    return team


@transaction.atomic
def delete_team(team_id: str, *, now: datetime) -> Team:
    """
    Delete the team: it leaves every list and its name is free again; usage traced to it stays.

    Raises:
        TeamDeletionBlocked: it has agents; ``details`` is the report.
    """
    team = Team.objects.live().lock(team_id)
    report = deletion_report(team)
    if report.verdict is not Verdict.ALLOW:
        raise TeamDeletionBlocked(team_id=team.id, **report.document())
    team.deleted_at = now
    team.save_changes("deleted_at", now=now)
    return team


@contextmanager
def _one_live_team(team: Team) -> Iterator[None]:
    """Tell the two unique constraints as refusals."""
    refusals = {
        "team_one_live_per_name": DuplicateTeamName(name=team.name),
        "team_one_live_per_external_id": DuplicateTeamExternalId(external_id=team.external_id),
    }
    with refusing(refusals):
        yield

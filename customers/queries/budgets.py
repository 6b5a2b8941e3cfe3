"""What is used of the budgets of teams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from customers.activity import activity
from customers.models import Team

ZERO = Decimal(0)


def with_budgets_used(teams: Iterable[Team], *, now: datetime) -> list[Any]:
    """
    Return the teams, each with its usage in the running budget period as ``budget_used``.

    It is in the customer's currency and unrounded; all of them are asked for at once.
    """
    found = list(teams)
    used = activity().budgets_used(found, now=now) if found else {}
    for team in found:
        team.budget_used = used.get(team.pk, ZERO)  # type: ignore[attr-defined]
    return found

"""What higher apps know of a customer's use, asked for by the pages and answers of this one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class MonthOfUse:
    """A customer's use in the running month on its own calendar, and the prepaid money that is left to spend."""

    requests: int
    tokens: Decimal
    #: In the customer's currency, over all its open wallets.
    credits_remaining: Decimal


class Activity(Protocol):
    """Answers from above; whoever knows of use provides one."""

    def last_active(self, customer_ids: Collection[str]) -> Mapping[str, datetime]:
        """Return when each of the customers that ever were was active last."""

    def month_of_use(self, customer: Any, *, now: datetime) -> MonthOfUse:
        """Return the running month of one customer."""

    def budgets_used(self, teams: Collection[Any], *, now: datetime) -> Mapping[str, Decimal]:
        """Return, by team id, what each team's usage came to in its running budget period, unrounded."""


_providers: list[Activity] = []


def provide_activity(provider: Activity) -> None:
    """Let ``provider`` answer; called once at start-up."""
    _providers[:] = [provider]


def activity() -> Activity:
    """Return who answers."""
    return _providers[0]

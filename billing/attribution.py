"""Whose an event is: what attribution finds out and roll-ups are kept by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from catalog.models import Metric
from config.kernel.ids import TypeID
from customers.models import UNCLASSIFIED_ID

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """
    Whose an event is; ``zone`` is the customer's, ``metrics`` those that the subscription's plan charges.

    ``amounts`` are the properties that the plan's DYNAMIC charges of these metrics take as what the event costs.
    ``named`` is what an event named that landed on UNCLASSIFIED (``subscription sub_…``), empty for all others.
    """

    customer: TypeID
    subscription: TypeID | None = None
    credential: TypeID | None = None
    subscriber: TypeID | None = None
    zone: ZoneInfo = UTC_ZONE
    metrics: Sequence[Metric] = ()
    amounts: Sequence[str] = ()
    named: str = ""

    @property
    def owners(self) -> tuple[TypeID, TypeID | None, TypeID | None, TypeID | None]:
        """Customer, subscription, credential and subscriber: what roll-ups are kept by, in the order of columns."""
        return self.customer, self.subscription, self.credential, self.subscriber


def unclassified(named: str, subscriber: TypeID | None = None) -> Attribution:
    """Return the attribution of an event that named nobody alive but perhaps an UNCLASSIFIED subscriber."""
    return Attribution(customer=UNCLASSIFIED_ID, subscriber=subscriber, named=named)

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
    """Whose an event is; ``zone`` is the customer's, ``metrics`` those that the subscription's plan charges."""

    customer: TypeID
    subscription: TypeID | None = None
    credential: TypeID | None = None
    zone: ZoneInfo = UTC_ZONE
    metrics: Sequence[Metric] = ()


UNCLASSIFIED = Attribution(customer=UNCLASSIFIED_ID)

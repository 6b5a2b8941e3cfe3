"""Metrics that are counted by the event, what events make of them, and the time it is held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.held_time import HeldTime
from billing.levels import Levels
from billing.rating import HourOfUnits, rate_charges
from billing.tallies import ChargedEvent
from catalog.models import Charge, Metric
from customers.periods import Period

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ZERO = Decimal(0)
TIERS = {
    "tiers": [
        {"up_to": "3", "unit_amount": "1.1", "flat_amount": "5"},
        {"up_to": "20", "unit_amount": "0.3", "flat_amount": "2"},
        {"up_to": None, "unit_amount": "0.000000000007"},
    ]
}
PRICES: dict[str, dict[str, Any]] = {
    "STANDARD": {"unit_amount": "0.7"},
    "GRADUATED": TIERS,
    "VOLUME": TIERS,
    "PACKAGE": {"package_size": "7", "amount": "3", "free_units": "4"},
}


def metric_of(aggregation: str, **fields: Any) -> Metric:
    """Return a metric over “storage” events that no database knows."""
    return Metric(**{"aggregation": aggregation, "event_type": "storage", "property": "value", "code": "m", **fields})


def charge_of(metric: Metric, model: str = "STANDARD", unit_amount: str = "1", **fields: Any) -> Charge:
    """Return a charge that no database knows."""
    properties = fields.pop("properties", {"unit_amount": unit_amount} if model == "STANDARD" else PRICES[model])
    return Charge(metric=metric, model=model, properties=properties, **fields)


def held(start: datetime = START, end: datetime = END, *, whole: Period | None = None, zone: str = "UTC") -> HeldTime:
    """Return the time of a period, which is whole unless said otherwise."""
    period = Period(start, end)
    return HeldTime(period=period, whole=whole or period, days=period, timezone=zone)


def event(value: Any, at: datetime = START, operation: str | None = None, **properties: Any) -> ChargedEvent:
    """Return an event that carries ``value``."""
    said = {} if operation is None else {"operation_type": operation}
    return ChargedEvent(at=at, hour=at, type="storage", properties={"value": value, **said, **properties})


def rated(charge: Charge, events: Iterable[ChargedEvent], time: HeldTime | None = None) -> tuple[Any, Any]:
    """Return the units that ``events`` come to, and their amount."""
    levels = Levels([charge], time or held())
    for one in events:
        levels.take(one)
    [found] = rate_charges([charge], [], levels=levels)
    return found.units, found.rating.amount


def hour_of(charge: Charge, units: Decimal) -> HourOfUnits:
    """Return an hour in which ``units`` came with one event."""
    return HourOfUnits(
        hour=START, metric=charge.metric_id, credential=None, model="", dimensions={}, events=1, total=units,
        maximum=units,
    )  # fmt: skip

"""Tallies: what the events of a period cost one by one, under the charges that price each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.ingestion import quantity
from billing.rollups import dimensions_of, units_of
from catalog.matching import charge_for
from catalog.models import PRICED_BY_EVENT, Charge, Metric
from catalog.pricing import DynamicPrice, EventPrice, Rating, Tally, parse_price


@dataclass(frozen=True, kw_only=True)
class ChargedEvent:
    """One event of a subscription, ``at`` its time; ``hour`` is when its hour began on the customer's clock."""

    at: datetime
    hour: datetime
    type: str
    properties: Mapping[str, Any]
    subscription: str | None = None
    credential: str | None = None
    subscriber: str | None = None


@dataclass(frozen=True, kw_only=True)
class EventCost:
    """What an event added to the units of a charge, and to its amount, unrounded."""

    charge: Charge
    dimensions: dict[str, str]
    units: Decimal
    amount: Decimal


class Tallies:
    """The running amounts of one plan's charges that price each event; events are added in the order they happened."""

    def __init__(self, charges: Sequence[Charge]) -> None:
        """Begin with no events; ``charges`` are all of the plan's, because the others claim events too."""
        # The others are not even parsed: plans can have hundreds, and most have none that prices events.
        priced = [charge for charge in charges if charge.model in PRICED_BY_EVENT]
        prices = {charge.id: parse_price(charge.model, charge.properties) for charge in priced}
        self._prices = {pk: price for pk, price in prices.items() if isinstance(price, EventPrice)}
        self._tallies = {pk: Tally(price) for pk, price in self._prices.items()}
        self._metrics: dict[str, dict[str, Metric]] = defaultdict(dict)
        for charge in priced:
            self._metrics[charge.metric.event_type][charge.metric_id] = charge.metric
        self._claimants: dict[str, list[Charge]] = defaultdict(list)
        for charge in charges if priced else ():
            self._claimants[charge.metric_id].append(charge)

    @property
    def event_types(self) -> list[str]:
        """The types of the events that are priced one by one; none, where no charge of the plan does that."""
        return sorted(self._metrics)

    def add(self, event: ChargedEvent) -> list[EventCost]:
        """Count ``event`` where it is priced, and return what it adds; one without the property is not counted."""
        found = (self._count(event, metric) for metric in self._metrics.get(event.type, {}).values())
        return [cost for cost in found if cost is not None]

    def rating(self, charge: Charge) -> Rating:
        """Return what ``charge``, which prices each event, comes to for those added."""
        return self._tallies[charge.id].rating()

    def _count(self, event: ChargedEvent, metric: Metric) -> EventCost | None:
        """Count ``event`` where a charge of ``metric`` claims and prices it."""
        units, dimensions = units_of(metric, event.properties), dimensions_of(metric, event.properties)
        charge = charge_for(self._claimants[metric.id], dimensions)
        if units is None or charge is None or charge.id not in self._tallies:
            return None
        price = self._prices[charge.id]
        carried = quantity(event.properties.get(price.property)) if isinstance(price, DynamicPrice) else units
        if carried is None:
            return None
        amount = self._tallies[charge.id].add(carried)
        return EventCost(charge=charge, dimensions=dimensions, units=units, amount=amount)

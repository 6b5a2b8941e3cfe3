"""Roll-ups: what a set of accepted events adds to each hourly row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.attribution import Attribution
from billing.ingestion import InvalidEvent, NewEvent, quantity, tokens_of
from catalog.models import Aggregation, Metric
from config.kernel.digests import digest_of
from config.kernel.time import hour_start

ZERO = Decimal(0)

#: What an event says in ``properties.operation_type`` that takes a value back, which a metric counts once.
REMOVE = "remove"
OPERATIONS = ("add", REMOVE)


@dataclass(kw_only=True)
class UsageAddition:
    """What is added to one ``UsageHour``."""

    attribution: Attribution
    hour: datetime
    type: str
    model: str
    events: int = 0
    tokens: Decimal = ZERO
    events_with_tokens: int = 0
    latency_ms: Decimal = ZERO
    events_with_latency: int = 0


@dataclass(kw_only=True)
class MetricAddition:
    """What is added to one ``MetricHour``."""

    attribution: Attribution
    hour: datetime
    metric: Metric
    model: str
    dimensions: dict[str, str]
    events: int = 0
    total: Decimal = ZERO
    maximum: Decimal | None = None


class RollUp:
    """Groups events into additions, one for each hourly row they belong to, by the id of the row."""

    def __init__(self) -> None:
        self.usage: dict[UUID, UsageAddition] = {}
        self.metrics: dict[UUID, MetricAddition] = {}

    def add(self, event: NewEvent, attribution: Attribution) -> None:
        """Count ``event``, whose properties ``check_units`` has passed."""
        hour = hour_start(event.timestamp, attribution.zone)
        self._add_usage(event, attribution, hour)
        for metric in attribution.metrics:
            units = units_of(metric, event.properties)
            if units is not None:
                self._add_units(event, attribution, hour, metric, units)

    def _add_usage(self, event: NewEvent, attribution: Attribution, hour: datetime) -> None:
        key = digest_of("usage", *attribution.owners, hour, event.type, event.model)
        row = self.usage.get(key)
        if row is None:
            row = UsageAddition(attribution=attribution, hour=hour, type=event.type, model=event.model)
            self.usage[key] = row
        row.events += 1
        if (tokens := tokens_of(event.properties)) is not None:
            row.tokens += tokens
            row.events_with_tokens += 1
        if (latency := quantity(event.properties.get("latency_ms"))) is not None:
            row.latency_ms += latency
            row.events_with_latency += 1

    def _add_units(
        self, event: NewEvent, attribution: Attribution, hour: datetime, metric: Metric, units: Decimal
    ) -> None:
        dimensions = dimensions_of(metric, event.properties)
        key = digest_of("metric", *attribution.owners, hour, metric.id, event.model, dimensions)
        row = self.metrics.get(key)
        if row is None:
            row = MetricAddition(
                attribution=attribution, hour=hour, metric=metric, model=event.model, dimensions=dimensions
            )
            self.metrics[key] = row
        row.events += 1
        row.total += units
        row.maximum = units if row.maximum is None else max(row.maximum, units)


def units_of(metric: Metric, properties: Mapping[str, Any]) -> Decimal | None:
    """
    Return what an event adds to ``metric``: 1 for a count, else its property; None where it has no such property.

    What a UNIQUE_COUNT makes of it depends on the events before; here it is 1 for each that names a value.

    Raises:
        InvalidEvent: the property cannot be counted.
    """
    if metric.aggregation == Aggregation.COUNT:
        return Decimal(1)
    if metric.aggregation == Aggregation.UNIQUE_COUNT:
        return None if value_of(metric, properties) is None else Decimal(1)
    value = properties.get(metric.property)
    if value is None:
        return None
    units = quantity(value)
    if units is None:
        param = f"properties.{metric.property}"
        raise InvalidEvent("invalid_properties", param, f"'{param}' is a number, as the metric {metric.code} sums it")
    return units


def value_of(metric: Metric, properties: Mapping[str, Any]) -> str | None:
    """
    Return the value that a UNIQUE_COUNT tells an event by: 7, 7.0 and "7" are not all the same text.

    Raises:
        InvalidEvent: it is neither a text nor a number, or the event neither adds nor removes it.
    """
    value = properties.get(metric.property)
    if value is None:
        return None
    if not isinstance(value, (str, int, Decimal)):
        param = f"properties.{metric.property}"
        sentence = f"'{param}' is a text or a number, as the metric {metric.code} counts its different values"
        raise InvalidEvent("invalid_properties", param, sentence)
    if properties.get("operation_type", OPERATIONS[0]) not in OPERATIONS:
        sentence = f"'properties.operation_type' is {' or '.join(OPERATIONS)}, as {metric.code} counts what is there"
        raise InvalidEvent("invalid_properties", "properties.operation_type", sentence)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def dimensions_of(metric: Metric, properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the metric's dimensions that an event has, as text."""
    return {name: str(properties[name])[:255] for name in metric.dimensions if properties.get(name) is not None}


def check_units(event: NewEvent, attribution: Attribution) -> None:
    """
    Refuse an event that a charged metric could not count, before anything is written.

    Raises:
        InvalidEvent: naming the property.
    """
    for metric in attribution.metrics:
        units_of(metric, event.properties)
    for name in attribution.amounts:
        value = event.properties.get(name)
        if value is not None and quantity(value) is None:
            param = f"properties.{name}"
            raise InvalidEvent("invalid_properties", param, f"'{param}' is a number, as events are priced by it")

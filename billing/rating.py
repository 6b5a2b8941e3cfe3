"""Rating: what the usage of a subscription's period costs, charge by charge and hour by hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from billing.ingestion import model_of
from billing.levels import Levels
from billing.tallies import ChargedEvent, EventCost, Tallies
from catalog.matching import charge_for
from catalog.models import Aggregation, Charge
from catalog.pricing import EventPrice, Rating, UnitPrice, parse_price, rate
from config.kernel.money import EXACT

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class HourOfUnits:
    """The units of one metric in one hour for one combination of credential, subscriber, model and dimensions."""

    hour: datetime
    metric: str
    credential: str | None
    model: str
    dimensions: dict[str, str]
    events: int
    total: Decimal
    maximum: Decimal | None
    subscription: str | None = None
    subscriber: str | None = None


@dataclass(frozen=True, kw_only=True)
class RatedCharge:
    """What a charge comes to: its units and events, and the unrounded amount with its tiers."""

    charge: Charge
    units: Decimal
    events: int
    rating: Rating


@dataclass(frozen=True, kw_only=True)
class HourCost:
    """What one row of units added to the amount of its charge, unrounded."""

    row: HourOfUnits
    charge: Charge
    amount: Decimal


def rate_charges(
    charges: Sequence[Charge],
    rows: Iterable[HourOfUnits],
    events: Iterable[ChargedEvent] = (),
    levels: Levels | None = None,
) -> list[RatedCharge]:
    """
    Return what each of ``charges`` (of one plan, with their metrics) comes to for the ``rows`` of one period.

    ``events`` are those of the period that charges price one by one, in the order they happened; ``levels`` have
    counted the period for the metrics that need its events. Else units are counted by the rows.
    """
    tallies = Tallies(charges)
    for event in events:
        tallies.add(event)
    taken = _by_charge(charges, rows)
    with localcontext(EXACT):
        return [_rated(charge, taken[charge.id], tallies, levels) for charge in charges]


def hourly_costs(charges: Sequence[Charge], rows: Iterable[HourOfUnits]) -> list[HourCost]:
    """
    Return what each of the ``rows`` of one period added to the bill; the parts add up to the whole.

    An hour costs F(units up to its end) minus F(units up to its start); within an hour that is shared by units, the
    last row taking what the others leave. What a charge costs without any unit is no hour's cost. Where each event is
    priced, :func:`event_costs` tells, where each is counted, :func:`level_costs`.
    """
    costs: list[HourCost] = []
    for charge_id, taken in _by_charge(charges, rows).items():
        charge = next(one for one in charges if one.id == charge_id)
        price = parse_price(charge.model, charge.properties)
        if not isinstance(price, EventPrice) and not charge.metric.is_counted_by_event():
            with localcontext(EXACT):
                costs += _costs_of(charge, price, taken)
    return costs


def event_costs(charges: Sequence[Charge], events: Iterable[ChargedEvent]) -> Iterator[HourCost]:
    """
    Yield what each of the ``events`` of one period, in the order they happened, added to the charges that price it.

    Each is a row of units by itself, so that its own credential, subscriber and model bear its cost. All together add
    up to what the charges come to, and those of an hour to F(events up to its end) minus F(events up to its start).
    """
    tallies = Tallies(charges)
    for event in events:
        for cost in tallies.add(event):
            yield HourCost(row=_row_of(event, cost), charge=cost.charge, amount=cost.amount)


def level_costs(levels: Levels, begin: ChargedEvent, events: Iterable[ChargedEvent]) -> Iterator[HourCost]:
    """
    Yield what each of the ``events`` of one period, in the order they happened, added to charges that count by event.

    What ``levels`` begin with is a row of no event in the hour of ``begin``, in which the period begins. All is taken
    as held until the period's end: what comes costs its whole rest in the hour it comes in, what goes gives back there.
    """
    for cost in levels.carried():
        yield HourCost(row=_row_of(begin, cost, events=0), charge=cost.charge, amount=cost.amount)
    for event in events:
        for cost in levels.add(event):
            yield HourCost(row=_row_of(event, cost), charge=cost.charge, amount=cost.amount)


def units_after(aggregation: str, before: Decimal, rows: Iterable[HourOfUnits]) -> Decimal:
    """Return the units of a period once ``rows`` come on top of ``before``."""
    if aggregation == Aggregation.COUNT:
        return before + sum(row.events for row in rows)
    if aggregation == Aggregation.SUM:
        return before + sum((row.total for row in rows), ZERO)
    return max([before, *(row.maximum for row in rows if row.maximum is not None)])


def _by_charge(charges: Sequence[Charge], rows: Iterable[HourOfUnits]) -> dict[str, list[HourOfUnits]]:
    """Give every row to the one charge that claims it."""
    of_metric: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        of_metric[charge.metric_id].append(charge)
    taken: dict[str, list[HourOfUnits]] = defaultdict(list)
    for row in rows:
        claimant = charge_for(of_metric[row.metric], row.dimensions)
        if claimant is not None:
            taken[claimant.id].append(row)
    return taken


def _row_of(event: ChargedEvent, cost: EventCost, *, events: int = 1) -> HourOfUnits:
    """Return the row of units that one event would be."""
    return HourOfUnits(
        hour=event.hour,
        metric=cost.charge.metric_id,
        subscription=event.subscription,
        credential=event.credential,
        subscriber=event.subscriber,
        model=model_of(event.properties),
        dimensions=cost.dimensions,
        events=events,
        total=cost.units,
        maximum=cost.units,
    )


def _rated(charge: Charge, rows: Sequence[HourOfUnits], tallies: Tallies, levels: Levels | None) -> RatedCharge:
    events = sum(row.events for row in rows)
    if charge.metric.is_counted_by_event():
        if levels is None:
            raise ValueError(f"{charge.metric.code} is counted by the event, and no events were counted")
        units, rating = levels.rated(charge)
        return RatedCharge(charge=charge, units=units, events=events, rating=rating)
    units = charge.metric.rounded(_units(charge, ZERO, rows))
    price = parse_price(charge.model, charge.properties)
    rating = tallies.rating(charge) if isinstance(price, EventPrice) else rate(price, units)
    return RatedCharge(charge=charge, units=units, events=events, rating=rating)


def _units(charge: Charge, before: Decimal, rows: Iterable[HourOfUnits]) -> Decimal:
    return units_after(charge.metric.aggregation, before, rows)


def _costs_of(charge: Charge, price: UnitPrice, rows: Sequence[HourOfUnits]) -> list[HourCost]:
    """Walk the hours of one charge, earliest first."""
    costs: list[HourCost] = []
    before = ZERO
    by_hour: dict[datetime, list[HourOfUnits]] = defaultdict(list)
    for row in rows:
        by_hour[row.hour].append(row)
    paid = rate(price, ZERO).amount
    for hour in sorted(by_hour):
        after = _units(charge, before, by_hour[hour])
        amount = rate(price, charge.metric.rounded(after)).amount
        costs += _share(charge, by_hour[hour], amount - paid)
        before, paid = after, amount
    return costs


def _share(charge: Charge, rows: Sequence[HourOfUnits], amount: Decimal) -> list[HourCost]:
    """Share the cost of one hour among its rows by their units."""
    weights = [max(_units(charge, ZERO, [row]), ZERO) for row in rows]
    whole = sum(weights, ZERO)
    parts = [(amount * weight / whole).quantize(Decimal("1e-12")) if whole else ZERO for weight in weights]
    parts[-1] = amount - sum(parts[:-1], ZERO)
    return [HourCost(row=row, charge=charge, amount=part) for row, part in zip(rows, parts, strict=True)]

"""Charges and metrics that fit each other: which model can price what a metric counts, and what can be prorated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models import PRICED_BY_EVENT, Aggregation, ChargeModel, Metric

#: What each model that prices events one by one can take as an event.
EVENTS_OF = {
    ChargeModel.PERCENTAGE: frozenset({Aggregation.SUM}),
    ChargeModel.DYNAMIC: frozenset({Aggregation.COUNT, Aggregation.SUM, Aggregation.MAX}),
}

#: Where a part of a unit has a price: what stands between two steps or is cut at a tier's end has none elsewhere.
PRORATED_MODELS = (ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME)

#: Whose units are added and removed, so that each of them is held for some days.
PRORATED_AGGREGATIONS = (Aggregation.SUM, Aggregation.UNIQUE_COUNT)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a charge cannot price what its metric counts; ``param`` is the field of the charge that would have to go."""

    param: str
    reason: str


def misfit(metric: Metric, *, model: str, properties: Mapping[str, Any], prorated: bool) -> Misfit | None:
    """Return why a charge whose ``properties`` are a price of ``model`` does not fit ``metric``; None where it does."""
    if model in PRICED_BY_EVENT and (reason := _why_not_by_event(metric, ChargeModel(model))):
        return Misfit("model", reason)
    if prorated and (reason := _why_not_prorated(metric, model, properties)):
        return Misfit("prorated", reason)
    return None


def _why_not_by_event(metric: Metric, model: ChargeModel) -> str:
    """Return why a model cannot price the events of ``metric`` one by one; nothing where it can."""
    if metric.aggregation not in EVENTS_OF[model]:
        if model == ChargeModel.PERCENTAGE:
            return f"PERCENTAGE is a share of what each event adds to a SUM; {metric.code} is a {metric.aggregation}"
        return f"{model} prices events one by one; the units of {metric.code}, a {metric.aggregation}, are of no event"
    if metric.recurring:
        return f"{model} prices the events of a period; {metric.code} also carries units of earlier periods"
    if metric.rounding_function:
        return f"{model} prices each event as it is; {metric.code} rounds the units of a period"
    return ""


def _why_not_prorated(metric: Metric, model: str, properties: Mapping[str, Any]) -> str:
    """Return why a charge cannot be prorated; nothing where it can."""
    if not metric.recurring or metric.aggregation not in PRORATED_AGGREGATIONS:
        return f"Only a recurring SUM or UNIQUE_COUNT is prorated by the days its units are held, not {metric.code}"
    if metric.rounding_function:
        return f"{metric.code} rounds the units of a period, so parts of them cannot be prorated"
    if model not in PRORATED_MODELS:
        return f"{model} has no price for a part of a unit; {', '.join(PRORATED_MODELS)} can be prorated"
    if any("package_size" in tier for tier in properties.get("tiers", ())):
        return "A tier priced per started package has no price for a part of a unit"
    return ""

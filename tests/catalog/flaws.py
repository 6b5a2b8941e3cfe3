"""Catalogs with flaws, some of which could only have come in before operations refused them."""

from __future__ import annotations

from typing import Any

from catalog.flaws import Flaw, Severity
from catalog.models import Charge, Metric, RatePlan
from tests.factories import make_metric, make_plan

ANY: dict[str, Any] = {}
LIMITED: dict[str, Any] = {"match": {"model": ["a"]}}


def tiers(*rows: tuple[str | None, str, str]) -> dict[str, Any]:
    return {"tiers": [{"up_to": up_to, "unit_amount": unit, "flat_amount": flat} for up_to, unit, flat in rows]}


def by_model() -> Metric:
    return make_metric(name="Tokens", aggregation="SUM", property="tokens", dimensions=["model"])


def stored(plan: RatePlan, metric: Metric, **fields: Any) -> Charge:
    """Return a charge as it might have come in before operations refused it."""
    position = plan.charges.count() + 1
    defaults = {"model": "STANDARD", "properties": {"unit_amount": "1"}}
    return Charge.objects.create(plan=plan, metric=metric, position=position, **{**defaults, **fields})


def drafted(*charges: dict[str, Any], metric: Metric | None = None) -> RatePlan:
    plan, of = make_plan(active=False), metric or by_model()
    for charge in charges:
        stored(plan, of, **charge)
    return plan


def codes(flaws: list[Flaw]) -> list[tuple[str, Severity]]:
    return [(flaw.code, flaw.severity) for flaw in flaws]

"""Rate plans: draft with charges, activate, archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from catalog.charge_fits import misfit
from catalog.errors import ChargesCouldTie, DuplicateCode, InvalidCharge, RatePlanNotActive, RatePlanNotDraft
from catalog.matching import first_tie
from catalog.models import Charge, Metric, PlanStatus, Product, RatePlan
from catalog.operations.gateway_mappings import check_mappings_of
from catalog.operations.links import replace_taxes
from catalog.operations.plan_terms import limits_asked, refuse_terms
from catalog.pricing import InvalidPrice, as_decimal_strings, parse_price
from config.kernel.constraints import refusing


@dataclass(frozen=True, kw_only=True)
class ChargeSpec:
    """A charge as an interface takes it; ``metric`` is an id, ``minimum_amount`` is of a whole period."""

    metric: str
    model: str
    properties: Mapping[str, object]
    match: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name: str = ""
    minimum_amount: Decimal = Decimal(0)
    prorated: bool = False


@transaction.atomic
def create_rate_plan(
    *,
    product: str,
    code: str,
    name: str,
    interval: str,
    amount: Decimal,
    currency: str,
    pay_in_advance: bool = False,
    trial_days: int = 0,
    minimum_commitment: Decimal | None = None,
    maximum_spend: Decimal | None = None,
    limits: Mapping[str, object] | None = None,
    charges: Sequence[ChargeSpec] = (),
    taxes: Sequence[str] = (),
    now: datetime,
) -> RatePlan:
    """
    Draft a rate plan of ``product`` (an id) with its charges and ``taxes`` (ids).

    Raises:
        Invalid: the maximum spend is below what the plan costs at least.
        LimitsNotUsable: the limits contradict each other, or name what is none.
        DuplicateCode: another plan has the code.
        Invalid, NotFound: a tax is named twice, or there is no such tax.
        InvalidCharge: a price or match cannot be used.
        ChargesCouldTie: two charges of a metric could claim the same event.
    """
    plan = RatePlan(
        product=Product.objects.find(product),
        code=code,
        name=name,
        interval=interval,
        amount=amount,
        currency=currency,
        pay_in_advance=pay_in_advance,
        trial_days=trial_days,
        minimum_commitment=minimum_commitment,
        maximum_spend=maximum_spend,
        limits=limits_asked(limits or {}),
        created_at=now,
        updated_at=now,
    )
    refuse_terms(plan)
    with refusing({"rate_plan_one_per_code_and_version": DuplicateCode(value=code)}):
        plan.save(force_insert=True)
    replace_taxes(plan, taxes)
    _write_charges(plan, charges)
    return plan


@transaction.atomic
def update_rate_plan(
    plan_id: str,
    *,
    charges: Sequence[ChargeSpec] | None = None,
    taxes: Sequence[str] | None = None,
    now: datetime,
    **changes: Any,
) -> RatePlan:
    """
    Change a draft's own fields; ``charges``, ``limits`` and ``taxes``, when given, replace all it had.

    Raises:
        RatePlanNotDraft: its prices are frozen.
        Invalid, LimitsNotUsable, DuplicateCode, NotFound, InvalidCharge, ChargesCouldTie: as when it is created.
    """
    plan = _lock_draft(plan_id)
    if "limits" in changes:
        changes["limits"] = limits_asked(changes["limits"])
    changed = plan.assign(changes)
    refuse_terms(plan)
    has_other_taxes = taxes is not None and replace_taxes(plan, taxes)
    if changed or has_other_taxes or charges is not None:
        # New charges are a new version of the plan, also where none of its own fields changed.
        with refusing({"rate_plan_one_per_code_and_version": DuplicateCode(value=plan.code)}):
            plan.save_changes(*changed, now=now)
    if charges is not None:
        for charge in plan.charges.all():
            charge.delete()
        _write_charges(plan, charges)
    return plan


@transaction.atomic
def activate_rate_plan(plan_id: str, *, now: datetime) -> RatePlan:
    """
    Freeze the draft's prices and open it to subscriptions.

    Raises:
        RatePlanNotDraft: it is active or archived already.
    """
    plan = _lock_draft(plan_id)
    plan.status = PlanStatus.ACTIVE
    plan.save_changes("status", now=now)
    check_mappings_of(plan.product_id, now=now)
    return plan


@transaction.atomic
def archive_rate_plan(plan_id: str, *, now: datetime) -> RatePlan:
    """
    Close the plan to new subscriptions; those it has go on.

    Raises:
        RatePlanNotActive: it is a draft or archived already.
    """
    plan = RatePlan.objects.lock(plan_id)
    if plan.status != PlanStatus.ACTIVE:
        raise RatePlanNotActive(status=plan.status)
    plan.status = PlanStatus.ARCHIVED
    plan.save_changes("status", now=now)
    return plan


def _lock_draft(plan_id: str) -> RatePlan:
    """Lock the plan and refuse unless it is a draft."""
    plan = RatePlan.objects.lock(plan_id)
    if plan.status != PlanStatus.DRAFT:
        raise RatePlanNotDraft(status=plan.status)
    return plan


def _write_charges(plan: RatePlan, specs: Sequence[ChargeSpec]) -> None:
    """Check ``specs`` against each other and their metrics, then insert them in their order."""
    metrics = _lock_metrics(specs)
    for position, (spec, metric) in enumerate(zip(specs, metrics, strict=True)):
        _check_charge(position, spec, metric)
    for metric in set(metrics):
        positions = [index for index, other in enumerate(metrics) if other == metric]
        if tie := first_tie([specs[index].match for index in positions]):
            raise ChargesCouldTie(first=positions[tie[0]] + 1, second=positions[tie[1]] + 1)
    for position, (spec, metric) in enumerate(zip(specs, metrics, strict=True), start=1):
        Charge.objects.create(
            plan=plan,
            position=position,
            metric=metric,
            name=spec.name,
            model=spec.model,
            properties=as_decimal_strings(spec.properties),
            match={name: list(values) for name, values in spec.match.items()},
            minimum_amount=spec.minimum_amount,
            prorated=spec.prorated,
        )


def _lock_metrics(specs: Sequence[ChargeSpec]) -> list[Metric]:
    """Return the metric of each of ``specs``, kept from being deleted until the transaction ends."""
    # In one order, so that two drafts never wait for each other in a circle.
    locked = {metric: Metric.objects.lock(metric) for metric in sorted({spec.metric for spec in specs})}
    return [locked[spec.metric] for spec in specs]


def _check_charge(position: int, spec: ChargeSpec, metric: Metric) -> None:
    """Refuse a price that cannot be computed for the metric and a match on a dimension it is not kept by."""
    try:
        parse_price(spec.model, spec.properties)
    except InvalidPrice as error:
        path = error.param if error.param == "model" else f"properties.{error.param}"
        raise InvalidCharge(param=f"charges[{position}].{path}", reason=str(error)) from error
    if found := misfit(metric, model=spec.model, properties=spec.properties, prorated=spec.prorated):
        raise InvalidCharge(param=f"charges[{position}].{found.param}", reason=found.reason)
    unknown = sorted(set(spec.match) - set(metric.dimensions))
    if unknown:
        raise InvalidCharge(
            param=f"charges[{position}].match.{unknown[0]}",
            reason=f"The metric {metric.code} is not kept by the dimension '{unknown[0]}'",
        )
    empty = sorted(name for name, values in spec.match.items() if not values)
    if empty:
        raise InvalidCharge(
            param=f"charges[{position}].match.{empty[0]}", reason=f"The match on '{empty[0]}' names no value"
        )

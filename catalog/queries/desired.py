"""What a gateway has to enforce for a product, as our record says it now."""

from __future__ import annotations

from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import GatewayAdapter, Support
from catalog.limits import Limit, limits_of
from catalog.models import GatewayMapping, MaturityStage, PlanStatus, Product, RatePlan

#: Stages in which customers use a product.
OPEN_STAGES = (MaturityStage.BETA, MaturityStage.GA, MaturityStage.DEPRECATED)


def document_for(mapping: GatewayMapping) -> DesiredDocument:
    """
    Return our record of a mapping, for which its product and gateway are loaded.

    Archived plans are part of it, because the subscriptions they have go on. A product that customers do not use yet,
    or no more, has no plans at a gateway.
    """
    product = mapping.product
    is_open = product.maturity_stage in OPEN_STAGES
    return DesiredDocument(
        mark=mapping.gateway.mark,
        product=product.id,
        code=product.code,
        name=product.name,
        description=product.description,
        is_open=is_open,
        plans=tuple(desired_plan(plan) for plan in _plans_in_use(product)) if is_open else (),
    )


def desired_plan(plan: RatePlan) -> DesiredPlan:
    """Return what gateways are told of ``plan``."""
    return DesiredPlan(
        ref=plan.id, code=plan.code, version=plan.version, name=str(plan), limits=tuple(limits_of(plan.limits))
    )


def imperfect_limits(
    document: DesiredDocument, adapter: type[GatewayAdapter], settings: dict[str, str]
) -> list[tuple[DesiredPlan, Limit, Support]]:
    """Return the limits that the gateway cannot enforce exactly, each with how well it can and why not better."""
    judged = [(plan, limit, adapter.supports(limit, settings)) for plan in document.plans for limit in plan.limits]
    return [(plan, limit, support) for plan, limit, support in judged if support.level != "exact"]


def _plans_in_use(product: Product) -> list[RatePlan]:
    sold = (PlanStatus.ACTIVE, PlanStatus.ARCHIVED)
    return list(RatePlan.objects.filter(product=product, status__in=sold).order_by("code", "version"))

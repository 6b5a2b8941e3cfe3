"""How well gateways can enforce the limits of rate plans, before anything is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.gateways import vendor_of
from catalog.gateways.document import DesiredPlan
from catalog.gateways.interface import Support
from catalog.limits import LIMIT_KINDS, Limit
from catalog.models import Gateway, GatewayMapping
from catalog.queries.desired import document_for, imperfect_limits

#: A count that no gateway is too small or too coarse for.
USUAL_COUNT = 1000


@dataclass(frozen=True, kw_only=True)
class JudgedLimit:
    """A limit with how well a gateway can enforce it; ``plan`` is None where the limit is no plan's."""

    limit: Limit
    support: Support
    plan: DesiredPlan | None = None


def limits_at(gateway: Gateway) -> list[JudgedLimit]:
    """Return every kind of limit with how well the gateway can enforce it."""
    adapter = vendor_of(gateway.vendor)
    limits = [Limit(USUAL_COUNT, kind) for kind in LIMIT_KINDS]
    return [JudgedLimit(limit=one, support=adapter.supports(one, gateway.settings)) for one in limits]


def imperfect_limits_of(mapping: GatewayMapping) -> list[JudgedLimit]:
    """Return the limits of a mapping's plans that its gateway cannot enforce exactly; both its sides are loaded."""
    found = imperfect_limits(document_for(mapping), vendor_of(mapping.gateway.vendor), mapping.gateway.settings)
    return [JudgedLimit(limit=limit, support=support, plan=plan) for plan, limit, support in found]

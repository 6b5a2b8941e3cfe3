"""Reasons of the catalog why a product or a gateway may not simply be deleted."""

from __future__ import annotations

from catalog.models import Gateway, GatewayMapping, PlanStatus, Product, RatePlan
from config.kernel.guards import Finding, Verdict, counted


def product_has_rate_plans(product: Product) -> Finding | None:
    """Warn that the product's rate plans go with it."""
    plans = RatePlan.objects.filter(product=product)
    active = plans.filter(status=PlanStatus.ACTIVE).count()
    return counted(
        plans.count(),
        code="rate_plans",
        verdict=Verdict.WARN,
        message=f"{{count}} rate plan(s), {active} of them active, will be deleted with the product",
        at="catalog_rateplan",
        query=f"product__id__exact={product.pk}",
    )


def product_has_gateway_mappings(product: Product) -> Finding | None:
    """Warn that the product's links to gateways go with it, and what is there stays."""
    return counted(
        GatewayMapping.objects.filter(product=product).count(),
        code="gateway_mappings",
        verdict=Verdict.WARN,
        message="{count} gateway mapping(s) will be deleted; what is at the gateways stays there",
        at="catalog_gatewaymapping",
        query=f"product__id__exact={product.pk}",
    )


def gateway_has_mappings(gateway: Gateway) -> Finding | None:
    """Block while products are linked to the gateway."""
    return counted(
        GatewayMapping.objects.filter(gateway=gateway).count(),
        code="gateway_mappings",
        verdict=Verdict.BLOCK,
        message="{count} product(s) are mapped to the gateway",
        at="catalog_gatewaymapping",
        query=f"gateway__id__exact={gateway.pk}",
    )

"""Reasons of the catalog why a product may not simply be deleted."""

from __future__ import annotations

from catalog.models import PlanStatus, Product, RatePlan
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

"""Reasons of the catalog why a product may not simply be deleted."""

from __future__ import annotations

from django.urls import reverse

from catalog.models import PlanStatus, Product, RatePlan
from config.kernel.guards import Finding, Verdict


def product_has_rate_plans(product: Product) -> Finding | None:
    """Warn that the product's rate plans go with it."""
    plans = RatePlan.objects.filter(product=product)
    count = plans.count()
    if not count:
        return None
    active = plans.filter(status=PlanStatus.ACTIVE).count()
    return Finding(
        code="rate_plans",
        verdict=Verdict.WARN,
        message=f"{count} rate plan(s), {active} of them active, will be deleted with the product",
        count=count,
        link=f"{reverse('admin:catalog_rateplan_changelist')}?product__id__exact={product.pk}",
    )

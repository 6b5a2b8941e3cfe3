"""Reasons of the catalog why what it holds may not simply be deleted."""

from __future__ import annotations

from catalog.models import (
    AddOn,
    Coupon,
    Gateway,
    GatewayMapping,
    Metric,
    PlanStatus,
    Product,
    RatePlan,
    Tax,
)
from config.kernel.guards import Finding, Verdict, counted

#: How many plans a finding names; the rest are counted.
NAMED_PLANS = 5


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


def plan_is_on_sale(plan: RatePlan) -> Finding | None:
    """Warn that an active plan can be subscribed to."""
    if plan.status != PlanStatus.ACTIVE:
        return None
    message = "The plan is active: customers can subscribe to it until it is gone"
    return Finding(code="active_plan", verdict=Verdict.WARN, message=message, count=0)


def metric_is_charged(metric: Metric) -> Finding | None:
    """Block while a rate plan charges for the metric, whatever the plan's status."""
    plans = RatePlan.objects.filter(charges__metric=metric).distinct().order_by("name", "version", "id")
    count = plans.count()
    names = ", ".join(str(plan) for plan in plans[:NAMED_PLANS])
    more = f" and {count - NAMED_PLANS} more" if count > NAMED_PLANS else ""
    # The message is a format string, and a plan may be called anything.
    named = f"{names}{more}".replace("{", "{{").replace("}", "}}")
    return counted(
        count,
        code="charges",
        verdict=Verdict.BLOCK,
        message=f"{{count}} rate plan(s) charge for it: {named}; take it out of drafts, or delete the plans first",
        at="catalog_rateplan",
        query=f"charges__metric__id__exact={metric.pk}",
    )


def product_has_limited_coupons(product: Product) -> Finding | None:
    """Block while a coupon is limited to a plan of the product: without the plan it would be limited to less."""
    return counted(
        Coupon.objects.filter(plans__product=product).distinct().count(),
        code="limited_coupons",
        verdict=Verdict.BLOCK,
        message="{count} coupon(s) are limited to rate plans of the product; delete them first",
        at="catalog_coupon",
        query=f"plans__product__id__exact={product.pk}",
    )


def tax_is_default(tax: Tax) -> Finding | None:
    """Block while the tax applies wherever no other is named."""
    if not tax.is_default:
        return None
    message = "The tax is a default one, which applies wherever no other is named; make it no default first"
    return Finding(code="default_tax", verdict=Verdict.BLOCK, message=message, count=0)


def tax_has_rate_plans(tax: Tax) -> Finding | None:
    """Block while a rate plan has the tax, whatever the plan's status: an archived one still bills subscriptions."""
    return counted(
        RatePlan.objects.filter(taxes=tax).count(),
        code="rate_plans",
        verdict=Verdict.BLOCK,
        message="{count} rate plan(s) have the tax; take it off them first",
        at="catalog_rateplan",
        query=f"taxes__id__exact={tax.pk}",
    )


def tax_has_add_ons(tax: Tax) -> Finding | None:
    """Block while an add-on has the tax."""
    return counted(
        AddOn.objects.filter(taxes=tax).count(),
        code="add_ons",
        verdict=Verdict.BLOCK,
        message="{count} add-on(s) have the tax; take it off them first",
        at="catalog_addon",
        query=f"taxes__id__exact={tax.pk}",
    )

"""Reasons of this app why a product or customer may not be deleted."""

from __future__ import annotations

from django.urls import reverse

from catalog.models import Product
from config.kernel.guards import Finding, Verdict
from customers.models import Customer, Subscription


def customer_has_subscriptions(customer: Customer) -> Finding | None:
    """Block while a subscription is active or pending."""
    count = Subscription.objects.live().filter(customer=customer).count()
    return _live_subscriptions(count, f"customer__id__exact={customer.pk}") if count else None


def product_has_subscriptions(product: Product) -> Finding | None:
    """Block while somebody subscribes to the product, and for good where somebody ever did."""
    everything = Subscription.objects.filter(plan__product=product)
    live = everything.live().count()
    link = f"plan__product__id__exact={product.pk}"
    if live:
        return _live_subscriptions(live, link)
    ended = everything.count()
    if not ended:
        return None
    return Finding(
        code="billed_subscriptions",
        verdict=Verdict.BLOCK,
        message=f"{ended} ended subscription(s) were billed by this product's plans; retire it instead",
        count=ended,
        link=f"{reverse('admin:customers_subscription_changelist')}?{link}",
    )


def _live_subscriptions(count: int, query: str) -> Finding:
    return Finding(
        code="active_subscriptions",
        verdict=Verdict.BLOCK,
        message=f"{count} subscription(s) are active or pending; terminate them first",
        count=count,
        link=f"{reverse('admin:customers_subscription_changelist')}?{query}",
    )

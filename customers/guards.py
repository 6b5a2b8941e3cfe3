"""Reasons of this app why a product or customer may not be deleted."""

from __future__ import annotations

from catalog.models import Product
from config.kernel.guards import Finding, Verdict, counted
from customers.models import Customer, Subscription


def customer_has_subscriptions(customer: Customer) -> Finding | None:
    """Block while a subscription is active or pending."""
    count = Subscription.objects.live().filter(customer=customer).count()
    return _live_subscriptions(count, f"customer__id__exact={customer.pk}")


def product_has_subscriptions(product: Product) -> Finding | None:
    """Block while somebody subscribes to the product, and for good where somebody ever did."""
    everything = Subscription.objects.filter(plan__product=product)
    query = f"plan__product__id__exact={product.pk}"
    return _live_subscriptions(everything.live().count(), query) or counted(
        everything.count(),
        code="billed_subscriptions",
        verdict=Verdict.BLOCK,
        message="{count} ended subscription(s) were billed by this product's plans; retire it instead",
        at="customers_subscription",
        query=query,
    )


def _live_subscriptions(count: int, query: str) -> Finding | None:
    return counted(
        count,
        code="active_subscriptions",
        verdict=Verdict.BLOCK,
        message="{count} subscription(s) are active or pending; terminate them first",
        at="customers_subscription",
        query=query,
    )

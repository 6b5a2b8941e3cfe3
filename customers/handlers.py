"""What this app does when something happened in the catalog."""

from __future__ import annotations

from catalog.events import ProductRetiring
from customers.errors import ProductHasSubscriptions
from customers.models import Subscription


def refuse_retirement_of_subscribed_product(event: ProductRetiring) -> None:
    """
    Keep a product from retiring under its subscribers.

    Raises:
        ProductHasSubscriptions: a subscription to it has not ended.
    """
    count = Subscription.objects.live().filter(plan__product_id=event.product_id).count()
    if count:
        raise ProductHasSubscriptions(count=count)

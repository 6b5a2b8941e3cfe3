"""What this app knows that keeps fields of a customer as they are."""

from __future__ import annotations

from customers.models import Customer, Subscription


def subscribed_customer(customer: Customer) -> str | None:
    """Keep external id and currency once the customer has subscribed."""
    return "subscriptions" if Subscription.objects.filter(customer=customer).exists() else None

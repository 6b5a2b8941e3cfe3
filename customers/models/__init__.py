"""Customers and their subscriptions."""

from customers.models.customer import UNCLASSIFIED_ID, Customer, CustomerStatus, Tier
from customers.models.subscription import BillingTime, Subscription, SubscriptionStatus

__all__ = [
    "UNCLASSIFIED_ID",
    "BillingTime",
    "Customer",
    "CustomerStatus",
    "Subscription",
    "SubscriptionStatus",
    "Tier",
]

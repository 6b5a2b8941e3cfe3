"""Customers and subscriptions in the admin."""

from customers.admin.customers import CustomerAdmin
from customers.admin.subscriptions import SubscriptionAdmin

__all__ = ["CustomerAdmin", "SubscriptionAdmin"]

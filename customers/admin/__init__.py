"""Customers, what belongs to them, and subscriptions in the admin."""

from customers.admin import plans
from customers.admin.agents import AgentAdmin
from customers.admin.customers import CustomerAdmin
from customers.admin.subscribers import SubscriberAdmin
from customers.admin.subscriptions import SubscriptionAdmin
from customers.admin.teams import TeamAdmin

__all__ = ["AgentAdmin", "CustomerAdmin", "SubscriberAdmin", "SubscriptionAdmin", "TeamAdmin", "plans"]

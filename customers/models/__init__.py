"""Customers, their teams, agents and subscribers, and their subscriptions."""

from customers.models.agent import RATE_LIMITS, Agent, AgentKind, AgentStatus, AgentType
from customers.models.billing_identity import ADDRESS_PARTS, BillingMode, PaymentProvider
from customers.models.customer import MAX_DEPTH, UNCLASSIFIED_ID, Customer, CustomerStatus
from customers.models.limits import TIER_LIMITS, Limits, Tier
from customers.models.subscriber import Subscriber
from customers.models.subscription import BillingTime, Subscription, SubscriptionStatus
from customers.models.team import BudgetPeriod, Team

__all__ = [
    "ADDRESS_PARTS",
    "MAX_DEPTH",
    "RATE_LIMITS",
    "TIER_LIMITS",
    "UNCLASSIFIED_ID",
    "Agent",
    "AgentKind",
    "AgentStatus",
    "AgentType",
    "BillingMode",
    "BillingTime",
    "BudgetPeriod",
    "Customer",
    "CustomerStatus",
    "Limits",
    "PaymentProvider",
    "Subscriber",
    "Subscription",
    "SubscriptionStatus",
    "Team",
    "Tier",
]

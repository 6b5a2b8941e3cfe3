"""Wiring of the credentials app."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    """Credentials of customers and subscriptions, and operator keys."""

    name = "credentials"
    verbose_name = "Credentials"

    def ready(self) -> None:
        """Register guards, subscribe handlers."""
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from credentials import guards, handlers
        from customers.events import (
            AgentDeleted,
            CustomerCreated,
            CustomerDeleted,
            SubscriberDeleted,
            SubscriptionCanceled,
            SubscriptionStarted,
            SubscriptionTerminated,
        )
        from customers.models import Agent, Customer, Subscriber

        register_guard(Customer, guards.customer_has_active_keys)
        register_guard(Agent, guards.agent_has_active_keys)
        register_guard(Subscriber, guards.subscriber_has_active_keys)
        subscribe(CustomerCreated, handlers.issue_first_customer_key)
        subscribe(CustomerDeleted, handlers.revoke_keys_of_deleted_customer)
        subscribe(SubscriptionStarted, handlers.issue_subscription_credential)
        subscribe(SubscriptionTerminated, handlers.revoke_or_move_keys_of_ended_subscription)
        subscribe(SubscriptionCanceled, handlers.revoke_keys_of_canceled_subscription)
        subscribe(AgentDeleted, handlers.revoke_keys_of_deleted_agent)
        subscribe(SubscriberDeleted, handlers.revoke_keys_of_deleted_subscriber)

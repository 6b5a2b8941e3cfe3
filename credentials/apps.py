"""Wiring of the credentials app."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    """Credentials of customers and subscriptions, and operator keys."""

    name = "credentials"
    verbose_name = "Credentials"

    def ready(self) -> None:
        """Register guards, subscribe handlers."""
        from catalog.events import GatewayMappingUnlinked, GatewayReconnected, GatewayRestored
        from catalog.models import GatewayMapping
        from config.kernel.events import subscribe
        from config.kernel.guards import register_guard
        from config.kernel.sealing import register_sealed
        from credentials import guards, handlers
        from credentials.events import GatewayKeysWaiting
        from credentials.models import GatewayKey
        from customers.events import (
            AgentDeleted,
            AgentReactivated,
            AgentSuspended,
            CustomerCreated,
            CustomerDeleted,
            CustomerReactivated,
            CustomerSuspended,
            SubscriberDeleted,
            SubscriptionCanceled,
            SubscriptionStarted,
            SubscriptionTerminated,
        )
        from customers.models import Agent, Customer, Subscriber

        register_sealed(GatewayKey, "sealed", "made")
        register_guard(Customer, guards.customer_has_active_keys)
        register_guard(Agent, guards.agent_has_active_keys)
        register_guard(Subscriber, guards.subscriber_has_active_keys)
        register_guard(GatewayMapping, guards.mapping_has_keys)
        subscribe(CustomerCreated, handlers.issue_first_customer_key)
        subscribe(CustomerDeleted, handlers.revoke_keys_of_deleted_customer)
        subscribe(SubscriptionStarted, handlers.issue_subscription_credential)
        subscribe(SubscriptionTerminated, handlers.revoke_or_move_keys_of_ended_subscription)
        subscribe(SubscriptionCanceled, handlers.revoke_keys_of_canceled_subscription)
        subscribe(AgentDeleted, handlers.revoke_keys_of_deleted_agent)
        subscribe(SubscriberDeleted, handlers.revoke_keys_of_deleted_subscriber)
        subscribe(CustomerSuspended, handlers.follow_access_of_customer)
        subscribe(CustomerReactivated, handlers.follow_access_of_customer)
        subscribe(AgentSuspended, handlers.follow_access_of_agent)
        subscribe(AgentReactivated, handlers.follow_access_of_agent)
        subscribe(GatewayRestored, handlers.look_at_keys_of_restored_gateway)
        subscribe(GatewayReconnected, handlers.send_keys_to_reconnected_gateway)
        subscribe(GatewayMappingUnlinked, handlers.forget_keys_of_unlinked_mapping)
        subscribe(GatewayKeysWaiting, handlers.wake_deliverer)

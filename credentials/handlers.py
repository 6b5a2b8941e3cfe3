"""What this app does when something happened to a customer, or to a subscription, agent or subscriber of one."""

from __future__ import annotations

from django.db import transaction

from catalog.events import GatewayMappingUnlinked, GatewayReconnected, GatewayRestored
from credentials.events import GatewayKeysWaiting
from credentials.models import Credential
from credentials.operations import credentials, gateway_keys, moves
from credentials.tasks import deliver_keys_of_gateway
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


def issue_first_customer_key(event: CustomerCreated) -> None:
    """Issue a customer key with full scopes where the creator asked for one."""
    if event.wants_key:
        scopes = credentials.FULL_SCOPES
        credentials.issue_customer_key(event.customer_id, name="Default key", scopes=scopes, now=event.at)


def issue_subscription_credential(event: SubscriptionStarted) -> None:
    """Issue the credential that fits the product; after a change of plan the one that there is goes on."""
    if event.previous_id is None:
        credentials.issue_subscription_credential(event.subscription_id, now=event.at)


def revoke_or_move_keys_of_ended_subscription(event: SubscriptionTerminated) -> None:
    """Revoke every key bound to the subscription; after a change of plan move them to what goes on."""
    if event.successor_id is not None:
        moves.move_credentials(subscription_id=event.subscription_id, successor_id=event.successor_id, now=event.at)
        return
    bound = Credential.objects.filter(subscription_id=event.subscription_id).select_for_update()
    credentials.revoke_all(list(bound), wipe=False, now=event.at)


def revoke_keys_of_canceled_subscription(event: SubscriptionCanceled) -> None:
    """Revoke every key bound to the subscription."""
    bound = Credential.objects.filter(subscription_id=event.subscription_id).select_for_update()
    credentials.revoke_all(list(bound), wipe=False, now=event.at)


def revoke_keys_of_deleted_agent(event: AgentDeleted) -> None:
    """Revoke every key bound to the agent."""
    bound = Credential.objects.filter(agent_id=event.agent_id).select_for_update()
    credentials.revoke_all(list(bound), wipe=False, now=event.at)


def revoke_keys_of_deleted_subscriber(event: SubscriberDeleted) -> None:
    """Revoke every key bound to the subscriber."""
    bound = Credential.objects.filter(subscriber_id=event.subscriber_id).select_for_update()
    credentials.revoke_all(list(bound), wipe=False, now=event.at)


def revoke_keys_of_deleted_customer(event: CustomerDeleted) -> None:
    """Revoke every key of the customer and wipe the digests."""
    owned = Credential.objects.filter(customer_id=event.customer_id).select_for_update()
    credentials.revoke_all(list(owned), wipe=True, now=event.at)


def follow_access_of_customer(event: CustomerSuspended | CustomerReactivated) -> None:
    """Suspend the customer's keys at gateways, or switch them on again."""
    owned = Credential.objects.filter(customer_id=event.customer_id)
    gateway_keys.follow_access(gateway_keys.with_access(owned), now=event.at)


def follow_access_of_agent(event: AgentSuspended | AgentReactivated) -> None:
    """Suspend the agent's keys at gateways, or switch them on again."""
    bound = Credential.objects.filter(agent_id=event.agent_id)
    gateway_keys.follow_access(gateway_keys.with_access(bound), now=event.at)


def look_at_keys_of_restored_gateway(event: GatewayRestored) -> None:
    """Have the keys looked at too: one that has vanished with the rest has to be rotated."""
    gateway_keys.look_again(event.mapping_id, now=event.at)


def send_keys_to_reconnected_gateway(event: GatewayReconnected) -> None:
    """Try again what could not be delivered, because the gateway may be reached now."""
    gateway_keys.try_again_at(event.gateway_id, now=event.at)


def forget_keys_of_unlinked_mapping(event: GatewayMappingUnlinked) -> None:
    """Forget which keys are at the gateway."""
    gateway_keys.forget_keys(event.mapping_id)


def wake_deliverer(event: GatewayKeysWaiting) -> None:
    """Wake a worker for the gateway once the keys are written; where no broker can be reached, beat finds them."""
    gateway = str(event.gateway_id)
    transaction.on_commit(lambda: deliver_keys_of_gateway.apply_async((gateway,), retry=False), robust=True)

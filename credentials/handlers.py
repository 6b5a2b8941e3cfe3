"""What this app does when something happened to a customer, or to a subscription, agent or subscriber of one."""

from __future__ import annotations

from credentials.models import Credential
from credentials.operations import credentials, moves
from customers.events import (
    AgentDeleted,
    CustomerCreated,
    CustomerDeleted,
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

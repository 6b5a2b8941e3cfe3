"""What this app does when something happened to a customer or subscription."""

from __future__ import annotations

from credentials.models import Credential
from credentials.operations import credentials
from customers.events import CustomerCreated, CustomerDeleted, SubscriptionEvent, SubscriptionStarted


def issue_first_customer_key(event: CustomerCreated) -> None:
    """Issue a customer key with full scopes where the creator asked for one."""
    if event.wants_key:
        scopes = credentials.FULL_SCOPES
        credentials.issue_customer_key(event.customer_id, name="Default key", scopes=scopes, now=event.at)


def issue_subscription_credential(event: SubscriptionStarted) -> None:
    """Issue the credential that fits the product."""
    credentials.issue_subscription_credential(event.subscription_id, now=event.at)


def revoke_keys_of_ended_subscription(event: SubscriptionEvent) -> None:
    """Revoke every key bound to the subscription."""
    bound = Credential.objects.filter(subscription_id=event.subscription_id).select_for_update()
    credentials.revoke_all(list(bound), wipe=False, now=event.at)


def revoke_keys_of_deleted_customer(event: CustomerDeleted) -> None:
    """Revoke every key of the customer and wipe the digests."""
    owned = Credential.objects.filter(customer_id=event.customer_id).select_for_update()
    credentials.revoke_all(list(owned), wipe=True, now=event.at)

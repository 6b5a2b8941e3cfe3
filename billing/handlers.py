"""What billing does when something happened in its own or a lower app."""

from __future__ import annotations

from billing.models import Wallet
from billing.operations.billing import bill_customer, close_cursor, open_cursor, reschedule_cursor
from billing.operations.invoices import finalize_drafts
from billing.operations.purges import request_purge
from billing.operations.reassignment import reassign_usage_of_subscriber
from billing.operations.wallets import terminate_wallet
from customers.events import (
    CustomerDeleted,
    CustomerTerminating,
    SubscriberReassigned,
    SubscriptionCanceled,
    SubscriptionStarted,
    SubscriptionTerminated,
    SubscriptionUpdated,
)


def begin_billing(event: SubscriptionStarted) -> None:
    """Bill the subscription from its start on."""
    open_cursor(event.subscription_id)


def follow_planned_end(event: SubscriptionUpdated) -> None:
    """Bill the last period when the subscription is to end now."""
    if "ends_at" in event.fields:
        reschedule_cursor(event.subscription_id)


def draw_final_invoice(event: SubscriptionTerminated) -> None:
    """Bill the subscription up to its end."""
    close_cursor(event.subscription_id)
    bill_customer(event.customer_id, now=event.at)


def stop_billing(event: SubscriptionCanceled) -> None:
    """Leave a subscription that never began unbilled."""
    close_cursor(event.subscription_id)


def finalize_drafts_of_terminated_customer(event: CustomerTerminating) -> None:
    """Bill what came late, and let no draft outlive its customer; what is due on them can still be paid."""
    bill_customer(event.customer_id, now=event.at)
    finalize_drafts(event.customer_id, in_grace=True, now=event.at)


def terminate_wallets_of_deleted_customer(event: CustomerDeleted) -> None:
    """Release the customer's holds, void the balances and close the wallets."""
    for wallet_id in Wallet.objects.filter(customer_id=event.customer_id).open().values_list("pk", flat=True):
        terminate_wallet(wallet_id, now=event.at)


def purge_usage_of_deleted_customer(event: CustomerDeleted) -> None:
    """Have the customer's usage removed; that takes longer than a deletion may."""
    request_purge(event.customer_id, now=event.at)


def move_usage_of_reassigned_subscriber(event: SubscriberReassigned) -> None:
    """Move what an UNCLASSIFIED subscriber used to the customer it belongs to by now."""
    reassign_usage_of_subscriber(event.subscriber_id, now=event.at)

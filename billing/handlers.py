"""What billing does when something happened in its own or a lower app."""

from __future__ import annotations

from billing.models import Wallet
from billing.operations.billing import bill_customer, close_cursor, open_cursor
from billing.operations.wallets import terminate_wallet
from customers.events import (
    CustomerDeleted,
    SubscriptionCanceled,
    SubscriptionStarted,
    SubscriptionTerminated,
)


def begin_billing(event: SubscriptionStarted) -> None:
    """Bill the subscription from its start on."""
    open_cursor(event.subscription_id)


def draw_final_invoice(event: SubscriptionTerminated) -> None:
    """Bill the subscription up to its end."""
    close_cursor(event.subscription_id)
    bill_customer(event.customer_id, now=event.at)


def stop_billing(event: SubscriptionCanceled) -> None:
    """Leave a subscription that never began unbilled."""
    close_cursor(event.subscription_id)


def terminate_wallets_of_deleted_customer(event: CustomerDeleted) -> None:
    """Release the customer's holds, void the balances and close the wallets."""
    for wallet_id in Wallet.objects.filter(customer_id=event.customer_id).open().values_list("pk", flat=True):
        terminate_wallet(wallet_id, now=event.at)

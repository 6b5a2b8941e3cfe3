"""What billing knows that keeps fields of a customer as they are."""

from __future__ import annotations

from billing.models import Invoice, Wallet
from customers.models import Customer


def billed_customer(customer: Customer) -> str | None:
    """Keep external id and currency once money is involved."""
    if Invoice.objects.filter(customer=customer).exists():
        return "invoices"
    return "wallets" if Wallet.objects.filter(customer=customer).exists() else None

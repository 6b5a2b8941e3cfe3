"""Reasons of billing why a customer may not simply be deleted."""

from __future__ import annotations

from billing.models import Hold, Invoice, Wallet
from config.kernel.guards import Finding, Verdict, counted
from config.kernel.money import display_money
from customers.models import Customer


def customer_has_wallet_balance(customer: Customer) -> Finding | None:
    """Warn that prepaid money will be lost to the customer."""
    funded = list(Wallet.objects.filter(customer=customer).open().funded())
    amounts = ", ".join(display_money(wallet.balance, wallet.currency) for wallet in funded)
    return counted(
        len(funded),
        code="wallet_balance",
        verdict=Verdict.WARN,
        message=f"{{count}} wallet(s) with a balance ({amounts}) will be forfeited",
        at="billing_wallet",
        query=f"customer__id__exact={customer.pk}",
    )


def customer_has_pending_holds(customer: Customer) -> Finding | None:
    """Warn that holds will be released."""
    return counted(
        Hold.objects.filter(wallet__customer=customer).open().count(),
        code="pending_holds",
        verdict=Verdict.WARN,
        message="{count} pending hold(s) will be released",
        at="billing_hold",
        query=f"status__exact=open&wallet__customer__id__exact={customer.pk}",
    )


def customer_has_open_invoices(customer: Customer) -> Finding | None:
    """Block while something is due or about to be."""
    return counted(
        Invoice.objects.filter(customer=customer).unsettled().count(),
        code="open_invoices",
        verdict=Verdict.BLOCK,
        message="{count} invoice(s) are drafts or have something due; collect them first",
        at="billing_invoice",
        query=f"customer__id__exact={customer.pk}",
    )

"""Reasons of billing why a customer may not simply be deleted."""

from __future__ import annotations

from django.urls import reverse

from billing.models import Hold, Invoice, Wallet
from config.kernel.guards import Finding, Verdict
from config.kernel.money import display_money
from customers.models import Customer


def customer_has_wallet_balance(customer: Customer) -> Finding | None:
    """Warn that prepaid money will be lost to the customer."""
    funded = list(Wallet.objects.filter(customer=customer).open().funded())
    if not funded:
        return None
    amounts = ", ".join(display_money(wallet.balance, wallet.currency) for wallet in funded)
    return Finding(
        code="wallet_balance",
        verdict=Verdict.WARN,
        message=f"{len(funded)} wallet(s) with a balance ({amounts}) will be forfeited",
        count=len(funded),
        link=f"{reverse('admin:billing_wallet_changelist')}?customer__id__exact={customer.pk}",
    )


def customer_has_pending_holds(customer: Customer) -> Finding | None:
    """Warn that holds will be released."""
    count = Hold.objects.filter(wallet__customer=customer).open().count()
    if not count:
        return None
    return Finding(
        code="pending_holds",
        verdict=Verdict.WARN,
        message=f"{count} pending hold(s) will be released",
        count=count,
        link=f"{reverse('admin:billing_hold_changelist')}?status__exact=open&wallet__customer__id__exact={customer.pk}",
    )


def customer_has_open_invoices(customer: Customer) -> Finding | None:
    """Block while something is due or about to be."""
    count = Invoice.objects.filter(customer=customer).unsettled().count()
    if not count:
        return None
    return Finding(
        code="open_invoices",
        verdict=Verdict.BLOCK,
        message=f"{count} invoice(s) are drafts or have something due; collect them first",
        count=count,
        link=f"{reverse('admin:billing_invoice_changelist')}?customer__id__exact={customer.pk}",
    )

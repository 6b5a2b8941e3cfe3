"""Reasons of billing why a customer may not simply be deleted."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef

from billing.models import BilledPeriod, Hold, Invoice, InvoiceStatus, LateUsage, Wallet
from config.kernel.guards import Finding, Verdict, counted
from customers.models import Customer


def customer_has_wallet_balance(customer: Customer) -> Finding | None:
    """Warn that prepaid money will be lost to the customer."""
    funded = list(Wallet.objects.filter(customer=customer).open().funded())
    return counted(
        len(funded),
        code="wallet_balance",
        verdict=Verdict.WARN,
        message="{count} wallet(s) with a balance ({money}) will be forfeited",
        at="billing_wallet",
        query=f"customer__id__exact={customer.pk}",
        amounts=[(wallet.balance, wallet.currency) for wallet in funded],
    )


def customer_has_pending_holds(customer: Customer) -> Finding | None:
    """Warn that holds will be released."""
    pending = list(Hold.objects.filter(wallet__customer=customer).open().select_related("wallet"))
    return counted(
        len(pending),
        code="pending_holds",
        verdict=Verdict.WARN,
        message="{count} pending hold(s) will be released",
        at="billing_hold",
        query=f"status__exact=open&wallet__customer__id__exact={customer.pk}",
        amounts=[(hold.rest, hold.wallet.currency) for hold in pending],
    )


def customer_has_open_invoices(customer: Customer) -> Finding | None:
    """
    Block while something is due or about to be; a termination finalizes drafts, and what is due stays due.

    Usage that came late to ended subscriptions counts as the invoice, one a currency, that a run will draw for it.
    """
    unsettled = list(Invoice.objects.filter(customer=customer).unsettled())
    billed = BilledPeriod.objects.filter(
        subscription=OuterRef("subscription"),
        invoice__status=InvoiceStatus.FINALIZED,
        starts_at__lt=OuterRef("hour") + timedelta(hours=1),
        ends_at__gt=OuterRef("hour"),
    )
    late = LateUsage.objects.filter(Exists(billed), subscription__customer=customer)
    to_come = late.values("subscription__plan__currency").distinct().count()
    still_to_come = ", or are still to be drawn for late usage" if to_come else ""
    return counted(
        len(unsettled) + to_come,
        code="open_invoices",
        verdict=Verdict.BLOCK,
        message=f"{{count}} invoice(s) are drafts or have something due{still_to_come}; collect them first",
        at="billing_invoice",
        query=f"customer__id__exact={customer.pk}",
        amounts=[(invoice.amount_due, invoice.currency) for invoice in unsettled],
        ends_with_termination=True,
    )

"""Payments recorded by hand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.errors import InvoiceNotOpen
from billing.events import InvoicePaid, PaymentSucceeded
from billing.models import Invoice, InvoiceStatus, Payment, PaymentMethod
from config.kernel.errors import Invalid
from config.kernel.events import publish
from config.kernel.money import round_money


@transaction.atomic
def record_payment(
    invoice_id: str,
    *,
    amount: Decimal,
    method: str = PaymentMethod.BANK_TRANSFER,
    reference: str = "",
    received_at: datetime | None = None,
    now: datetime,
) -> Payment:
    """
    Record ``amount`` (in the invoice's currency) received for an invoice.

    What is due is settled; what the payment brings beyond it stays with the customer as unapplied credit.

    Raises:
        InvoiceNotOpen: a draft, or nothing is due.
        Invalid: an amount that is not positive or finer than the currency's minor unit, or a receipt in the future.
    """
    invoice = Invoice.objects.lock(invoice_id)
    if invoice.status != InvoiceStatus.FINALIZED or not invoice.amount_due:
        raise InvoiceNotOpen(status=invoice.status)
    if amount <= 0 or amount != round_money(amount, invoice.currency):
        raise Invalid("amount", f"The amount must be positive and in whole minor units of {invoice.currency}")
    if received_at is not None and received_at > now:
        raise Invalid("received_at", "The payment cannot have been received in the future")

    payment = Payment(
        customer_id=invoice.customer_id,
        invoice=invoice,
        currency=invoice.currency,
        amount=amount,
        applied=min(amount, invoice.amount_due),
        method=method,
        reference=reference,
        received_at=received_at or now,
        created_at=now,
        updated_at=now,
    )
    payment.save(force_insert=True)
    invoice.amount_paid += payment.applied
    invoice.save_changes("amount_paid", now=now)
    whose = {"invoice_id": invoice.id, "customer_id": invoice.customer_id}
    publish(PaymentSucceeded(**whose, payment_id=payment.id, amount=amount, applied=payment.applied))
    if not invoice.amount_due:
        publish(InvoicePaid(**whose))
    return payment

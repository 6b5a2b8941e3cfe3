"""Payments: money that came in, recorded by hand."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.models.invoice import Invoice
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField, CurrencyField
from customers.models import Customer


class PaymentMethod(models.TextChoices):
    """How the money came."""

    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    CHEQUE = "cheque", "Cheque"
    CASH = "cash", "Cash"
    OTHER = "other", "Other"


class PaymentQuerySet(RecordQuerySet["Payment"]):
    """Payments."""


class Payment(Record):
    """``amount`` received for an invoice, ``applied`` of which settled it; the rest is unapplied credit."""

    id = TypeIDField("pay")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    currency = CurrencyField()
    amount = AmountField()
    applied = AmountField()
    method = models.CharField(max_length=20, choices=PaymentMethod, default=PaymentMethod.BANK_TRANSFER)
    reference = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField()

    objects = PaymentQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="payment_applies_no_more_than_it_brings",
                condition=Q(amount__gt=0, applied__gte=0, applied__lte=F("amount")),
            ),
        ]
        triggers = [pgtrigger.Protect(name="payment_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.reference}".strip()

    @property
    def unapplied(self) -> Decimal:
        """What the payment brought beyond what was due."""
        return Decimal(self.amount - self.applied)

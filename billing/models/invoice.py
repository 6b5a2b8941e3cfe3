"""Invoices: drafts that follow usage until they are finalized, numbered and frozen."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from catalog.models import Charge
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import AmountField, CurrencyField
from customers.models import Customer, Subscription


class InvoiceStatus(models.TextChoices):
    """A draft follows usage; a finalized invoice never changes."""

    DRAFT = "draft", "Draft"
    FINALIZED = "finalized", "Finalized"


class PaymentStatus(models.TextChoices):
    """How far an invoice is paid."""

    PENDING = "pending", "Pending"
    PARTIAL = "partial", "Partial"
    PAID = "paid", "Paid"
    OVERDUE = "overdue", "Overdue"


class LineKind(models.TextChoices):
    """What a line is for."""

    BASE = "base", "Base fee"
    USAGE = "usage", "Usage"
    LATE_USAGE = "late_usage", "Late usage"
    TRUE_UP = "true_up", "True-up"


class InvoiceQuerySet(RecordQuerySet["Invoice"]):
    """Invoices."""

    def drafts(self) -> Self:
        """Keep those not finalized yet."""
        return self.filter(status=InvoiceStatus.DRAFT)

    def finalized(self) -> Self:
        """Keep those that are final."""
        return self.filter(status=InvoiceStatus.FINALIZED)

    def open(self) -> Self:
        """Keep those with something due: finalized and not fully paid."""
        return self.finalized().filter(amount_paid__lt=F("total"))

    def unsettled(self) -> Self:
        """Keep the open ones and those about to be: drafts."""
        is_open = Q(status=InvoiceStatus.FINALIZED, amount_paid__lt=F("total"))
        return self.filter(Q(status=InvoiceStatus.DRAFT) | is_open)

    def overdue(self, now: datetime) -> Self:
        """Keep those whose due date has passed."""
        return self.filter(due_at__lte=now)

    def with_payment_status(self, status: str, now: datetime) -> Self:
        """Keep those whose payment stands at ``status`` at ``now``."""
        if status == PaymentStatus.PAID:
            return self.finalized().filter(amount_paid__gte=F("total"))
        if status == PaymentStatus.OVERDUE:
            return self.open().overdue(now)
        unpaid = self.exclude(pk__in=self.finalized().filter(amount_paid__gte=F("total")).values("pk"))
        not_overdue = unpaid.filter(Q(due_at__isnull=True) | Q(due_at__gt=now))
        is_partial = Q(amount_paid__gt=0)
        return not_overdue.filter(is_partial if status == PaymentStatus.PARTIAL else ~is_partial)


MAY_CHANGE_WHEN_FINAL = ("amount_paid", "updated_at")


class Invoice(Record):
    """What a customer owes for a billing day; amounts in ``currency``, rounded to its minor unit."""

    id = TypeIDField("inv")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40, null=True, blank=True, unique=True, editable=False)
    status = models.CharField(max_length=20, choices=InvoiceStatus, default=InvoiceStatus.DRAFT, editable=False)
    currency = CurrencyField()
    billing_day = models.DateField()
    finalize_at = models.DateTimeField(help_text="When the grace period is over and the draft becomes final.")
    issued_at = models.DateTimeField(null=True, blank=True, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The billing identity as it was when the invoice was finalized; it outlives the customer.
    billed_to = models.JSONField(default=dict, editable=False)
    total = AmountField(default=0)
    amount_paid = AmountField(default=0)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects = InvoiceQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="invoice_of_customer", fields=["customer", "-created_at"]),
            models.Index(name="invoice_draft_by_grace", fields=["finalize_at"], condition=Q(status="draft")),
            models.Index(
                name="invoice_open_of_customer",
                fields=["customer", "currency"],
                condition=Q(status="finalized", amount_paid__lt=F("total")),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="invoice_paid_between_nothing_and_total",
                condition=Q(amount_paid__gte=0, amount_paid__lte=F("total")),
            ),
            models.CheckConstraint(
                name="invoice_final_is_dated_and_hashed",
                condition=Q(status="draft", issued_at__isnull=True, number__isnull=True)
                | (Q(status="finalized", issued_at__isnull=False, due_at__isnull=False) & ~Q(content_hash="")),
            ),
            models.CheckConstraint(
                name="invoice_final_has_a_number_unless_zero",
                condition=~Q(status="finalized")
                | Q(total=0, number__isnull=True)
                | Q(total__gt=0, number__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="invoice_final_is_not_deleted",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.status <> 'draft'"),
            ),
            pgtrigger.Trigger(
                name="invoice_final_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.status <> 'draft'"),
                func=f"""
                    IF to_jsonb(OLD) - ARRAY{list(MAY_CHANGE_WHEN_FINAL)}
                       IS DISTINCT FROM to_jsonb(NEW) - ARRAY{list(MAY_CHANGE_WHEN_FINAL)} THEN
                        RAISE EXCEPTION 'a finalized invoice never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.get_status_display()} {self.billing_day:%Y-%m-%d}"

    @property
    def amount_due(self) -> Decimal:
        """What is left to pay."""
        return Decimal(self.total - self.amount_paid)

    def payment_status(self, now: datetime) -> PaymentStatus:
        """Return how far the invoice is paid at ``now``; one without anything to pay is paid."""
        if self.status == InvoiceStatus.FINALIZED and not self.amount_due:
            return PaymentStatus.PAID
        if self.due_at is not None and self.due_at <= now:
            return PaymentStatus.OVERDUE
        return PaymentStatus.PARTIAL if self.amount_paid else PaymentStatus.PENDING


class InvoiceLineQuerySet(RecordQuerySet["InvoiceLine"]):
    """Lines."""


class InvoiceLine(models.Model):
    """One amount of an invoice, rounded to the currency, with how it came about."""

    id = TypeIDField("line")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=LineKind)
    description = models.CharField(max_length=500)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, null=True, related_name="+")
    units = AmountField()
    amount = AmountField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    #: The tiers that made up the amount, numbers as decimal strings, as ``catalog.pricing`` gives them.
    tiers = models.JSONField(default=list)

    objects = InvoiceLineQuerySet.as_manager()

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            # Deferred, because a refreshed draft renumbers its lines one by one.
            models.UniqueConstraint(
                name="invoice_line_has_its_own_position",
                fields=["invoice", "position"],
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]
        indexes = [models.Index(name="invoice_line_of_period", fields=["subscription", "period_start"])]
        triggers = [
            pgtrigger.Trigger(
                name="line_of_a_final_invoice_is_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM billing_invoice invoice
                        WHERE invoice.id IN (NEW.invoice_id, OLD.invoice_id) AND invoice.status <> 'draft'
                    ) THEN
                        RAISE EXCEPTION 'the lines of a finalized invoice never change'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.description

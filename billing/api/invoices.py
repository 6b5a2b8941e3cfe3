"""Invoices with their lines."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.payments import NewPaymentSerializer, PaymentSerializer
from billing.models import Invoice, InvoiceLine, InvoiceStatus, PaymentStatus
from billing.models.invoice import InvoiceQuerySet
from billing.operations.invoices import finalize_invoice, refresh_invoice
from billing.operations.payments import record_payment
from config.api.fields import AmountField, AwareDateTimeField, EnumField, JSONObjectField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved


class LinePeriodSerializer(StrictSerializer):
    """The stretch of time a line is for, [``start``, ``end``)."""

    start = AwareDateTimeField(source="period_start")
    end = AwareDateTimeField(source="period_end")


class LineTierSerializer(StrictSerializer):
    """
    What one tier adds to a line: ``units`` of it, above ``above`` and up to ``up_to`` (null: without end).

    Where each event is priced, a tier is the events priced alike: ``events`` of them, with their flat amounts together.
    """

    above = AmountField()
    up_to = AmountField(allow_null=True)
    units = AmountField()
    unit_amount = AmountField()
    flat_amount = AmountField()
    package_size = AmountField(allow_null=True, help_text="Where given, unit_amount is per started package.")
    events = serializers.IntegerField(required=False, help_text="Only where each event is priced.")
    amount = AmountField(help_text="Unrounded.")


class InvoiceLineSerializer(StrictModelSerializer):
    """A line; its amount is rounded to the currency."""

    period = LinePeriodSerializer(source="*")
    tiers = LineTierSerializer(many=True)

    class Meta:
        model = InvoiceLine
        fields = ["id", "kind", "description", "subscription", "charge", "units", "amount", "period", "tiers"]


class InvoiceSummarySerializer(StrictModelSerializer):
    """An invoice as lists show it."""

    payment_status = serializers.SerializerMethodField()
    amount_due = AmountField(read_only=True)
    billed_to = JSONObjectField(
        read_only=True,
        help_text="The billing identity as it was when the invoice was issued, address and remittance instructions "
        "included; it stays when the customer moves or is deleted. Empty on a draft.",
    )

    class Meta:
        model = Invoice
        fields = [
            "id", "number", "status", "payment_status", "customer", "currency", "billing_day", "finalize_at",
            "issued_at", "due_at", "billed_to", "total", "amount_paid", "amount_due", "created_at", "updated_at",
        ]  # fmt: skip

    @extend_schema_field(EnumField(choices=PaymentStatus.choices))
    def get_payment_status(self, invoice: Invoice) -> str:
        """Return how far it is paid now."""
        return invoice.payment_status(timezone.now()).value


class InvoiceSerializer(InvoiceSummarySerializer):
    """An invoice with its lines."""

    lines = InvoiceLineSerializer(many=True, read_only=True)

    class Meta(InvoiceSummarySerializer.Meta):
        fields = [*InvoiceSummarySerializer.Meta.fields, "lines"]


class InvoiceFilter(StrictFilterSet):
    """Which invoices."""

    customer = TypeIDFilter(prefix="cust")
    number = CharFilter()
    status = ChoiceFilter(choices=InvoiceStatus.choices)
    payment_status = ChoiceFilter(choices=PaymentStatus.choices, method="with_payment_status")

    def with_payment_status(self, invoices: InvoiceQuerySet, name: str, value: str) -> InvoiceQuerySet:
        """Keep those whose payment stands there now."""
        return invoices.with_payment_status(value, timezone.now())


class InvoiceViewSet(Listed, Retrieved, ApiViewSet):
    """Invoices."""

    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter
    scope_read, scope_write = "billing:read", "billing:write"
    bodies = {"payments": NewPaymentSerializer}
    answers = {"list": InvoiceSummarySerializer, "payments": PaymentSerializer}

    @action(detail=True, methods=["post"])
    def finalize(self, request: Request, pk: str) -> Response:
        """Refresh a draft a last time, number it and freeze it, without waiting for the end of its grace period."""
        return self.answer(finalize_invoice(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        """Rate a draft again, so that it holds the usage that came since."""
        return self.answer(refresh_invoice(self.get_object().id, now=timezone.now()))

    @extend_schema(responses={201: PaymentSerializer})
    @action(detail=True, methods=["post"])
    def payments(self, request: Request, pk: str) -> Response:
        """
        Record a payment that was received for a finalized invoice.

        What it brings beyond what is due stays with the customer as unapplied credit.
        """
        body: dict[str, Any] = self.body()
        payment = record_payment(self.get_object().id, **body, now=timezone.now())
        return self.created(payment, location=f"/v1/payments/{payment.id}")

"""Payments; they are recorded below their invoice's address."""

from __future__ import annotations

from rest_framework import serializers

from billing.models import Payment, PaymentMethod
from config.api.fields import AmountField, AwareDateTimeField, EnumField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved


class PaymentSerializer(StrictModelSerializer):
    """A payment: ``applied`` settled its invoice, ``unapplied`` is the customer's credit."""

    unapplied = AmountField(read_only=True)

    class Meta:
        model = Payment
        fields = [
            "id", "customer", "invoice", "currency", "amount", "applied", "unapplied", "method", "reference",
            "received_at", "created_at",
        ]  # fmt: skip


class NewPaymentSerializer(StrictSerializer):
    """What was received."""

    amount = AmountField(positive=True, help_text="In the invoice's currency.")
    method = EnumField(choices=PaymentMethod.choices, default=PaymentMethod.BANK_TRANSFER.value)
    reference = serializers.CharField(max_length=255, allow_blank=True, default="")
    received_at = AwareDateTimeField(required=False, help_text="Now; not in the future.")


class PaymentFilter(StrictFilterSet):
    """Which payments."""

    customer = TypeIDFilter(prefix="cust")
    invoice = TypeIDFilter(prefix="inv")


class PaymentViewSet(Listed, Retrieved, ApiViewSet):
    """Payments."""

    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    scope_read = "billing:read"

"""What the running periods of a customer come to so far."""

from __future__ import annotations

from decimal import localcontext
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.lines import describe
from billing.queries.current_usage import CurrentUsage, current_usage
from config.api.fields import AmountField, AwareDateTimeField, CurrencyField, TypeIDField
from config.api.serializers import StrictSerializer
from config.api.views import ApiView
from config.kernel.money import EXACT, ZERO
from customers.models import Customer


class CurrentChargeSerializer(StrictSerializer):
    """What one charge comes to so far, unrounded; ``filters`` are the dimensions it is limited to."""

    charge = TypeIDField("chrg", source="charge.id")
    metric = TypeIDField("metr", source="charge.metric_id")
    description = serializers.SerializerMethodField()
    units = AmountField()
    events = serializers.IntegerField()
    amount = AmountField(source="rating.amount")
    filters = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), source="charge.match")

    def get_description(self, rated: Any) -> str:
        """Return what the line of an invoice would be called."""
        return describe(rated.charge)


class RunningPeriodSerializer(StrictSerializer):
    """The running period of one subscription, [``from``, ``to``)."""

    subscription = TypeIDField("sub", source="subscription.id")
    amount = AmountField()
    charges = CurrentChargeSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; two have names that Python keeps for itself."""
        begin, end = AwareDateTimeField(source="period.start"), AwareDateTimeField(source="period.end")
        return {"from": begin, "to": end, **super().get_fields()}


class CurrentUsageSerializer(StrictSerializer):
    """
    What the running periods come to so far: usage as it was rated, without base fees.

    Minimums and the maximum spend of a plan are settled when the period is over.
    """

    customer_id = TypeIDField("cust")
    currency = CurrencyField()
    total_amount = AmountField()
    subscriptions = RunningPeriodSerializer(many=True)


class CurrentUsageView(ApiView):
    """``/v1/customers/{id}/current-usage``."""

    queryset = Customer.objects.live()
    scope_read = "billing:read"
    answers = {"get": CurrentUsageSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """Return what the running period of each active subscription comes to so far, charge by charge."""
        customer: Customer = self.get_object()
        return self.answer(current_usage_document(customer, current_usage(customer, now=timezone.now())))


def current_usage_document(customer: Customer, running: list[CurrentUsage]) -> dict[str, Any]:
    """Return ``running`` as :class:`CurrentUsageSerializer` takes it."""
    with localcontext(EXACT):
        total = sum((one.amount for one in running), ZERO)
    return {
        "customer_id": customer.id,
        "currency": customer.currency,
        "total_amount": total,
        "subscriptions": running,
    }

"""What a month of a customer's usage would cost on a plan, as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.queries.month_usage import month_of, usage_of_month
from catalog.api.prices import PriceSerializer
from catalog.models import RatePlan
from catalog.queries.plan_prices import plan_price
from catalog.queries.prices import PlanPrice, UnitsUsed
from config.api.fields import AmountField, CurrencyField, TypeIDField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView
from customers.api.subscription_serializers import PeriodSerializer
from customers.models import Customer

#: A month of the years that the API counts in.
MONTH = re.compile(r"^(19[7-9][0-9]|[2-8][0-9]{3})-(0[1-9]|1[0-2])$")


class PlanPriceQuery(QuerySerializer):
    """Which plan, and which month on the customer's calendar."""

    plan = TypeIDField("plan")
    month = serializers.RegexField(
        MONTH, required=False, max_length=7, trim_whitespace=False,
        help_text="For example 2026-10; last month, unless another is named.",
    )  # fmt: skip


class UsedSerializer(StrictSerializer):
    """A quantity of the month, as `POST /rate-plans/{id}/price` takes it: units, or what each event carries."""

    metric = TypeIDField("metr")
    units = AmountField(required=False)
    event_amounts = serializers.ListField(child=AmountField(), required=False)
    dimensions = serializers.DictField(child=serializers.CharField())

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the quantity with the one of the two that there is."""
        shown: dict[str, Any] = super().to_representation(instance)
        return {name: value for name, value in shown.items() if value is not None}


class PlanPriceSerializer(PriceSerializer):
    """
    What the usage of a month comes to on a plan, as `POST /rate-plans/{id}/price` says it.

    The month counts as one whole period of the plan, whatever its interval. Units of a prorated charge count for the
    days they were held. Without any usage ``usage`` is empty.
    """

    customer_id = TypeIDField("cust")
    plan = TypeIDField("plan", source="plan.id")
    currency = CurrencyField(source="plan.currency", help_text="The plan's.")
    period = PeriodSerializer()
    usage = UsedSerializer(many=True)
    uncharged_usage = UsedSerializer(many=True, help_text="What no charge of the plan claims; it costs nothing there.")


class PlanPriceView(ApiView):
    """``/v1/customers/{id}/price-on-plan``."""

    queryset = Customer.objects.live()
    scope_read = "billing:read"
    queries = {"get": PlanPriceQuery}
    answers = {"get": PlanPriceSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """
        Say what a month of a customer's usage would cost on a plan, be it a draft; nothing is written.

        The usage is that of all the customer's subscriptions in the month, on the customer's calendar. Where the plan
        prices each event, or charges what was not counted for this customer, at most 10000 events are read; beyond
        that the answer is 400 `too_many_events`.
        """
        customer: Customer = self.get_object()
        asked = self.query()
        plan = RatePlan.objects.find(asked["plan"], param="plan")
        named = asked.get("month")
        month = date.fromisoformat(f"{named}-01") if named else None
        period = month_of(customer, month, now=timezone.now())
        usage = usage_of_month(customer, period, [plan])
        found = plan_price(plan, usage)
        return Response(self.get_serializer(_document(customer, found, usage) | {"period": period}).data)


def _document(customer: Customer, price: PlanPrice, usage: Sequence[UnitsUsed]) -> dict[str, Any]:
    """Return a price as :class:`PlanPriceSerializer` takes it."""
    return {
        "customer_id": customer.id,
        "plan": price.plan,
        "usage": usage,
        "charges": price.charges,
        "amount": price.amount,
        "settlement": price.settlement,
        "true_ups": price.true_ups,
        "total": price.total,
        "uncharged_usage": [usage[position] for position in price.uncharged],
    }

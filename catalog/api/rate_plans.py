"""Rate plans as JSON, and what usage would cost under them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.charges import ChargeSerializer, NewChargeSerializer
from catalog.api.quotes import QuoteSerializer, UsageSerializer
from catalog.models import Interval, PlanStatus, Product, RatePlan
from catalog.operations.rate_plans import activate_rate_plan, archive_rate_plan, create_rate_plan, update_rate_plan
from catalog.queries.quotes import quote
from config.api.fields import AmountField, CurrencyField, EnumField, ReferenceField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import StrictModelSerializer
from config.api.views import ApiViewSet, Listed, Retrieved

#: A plan's charges are compared with each other, and each is a line of every invoice.
MAX_CHARGES = 200


class RatePlanSerializer(StrictModelSerializer):
    """A rate plan with its charges."""

    product = ReferenceField(prefix="prod", read_only=True)
    charges = ChargeSerializer(many=True)

    class Meta:
        model = RatePlan
        fields = (
            "id", "product", "code", "name", "version", "status", "interval", "amount", "currency", "charges",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class RatePlanChangesSerializer(StrictModelSerializer):
    """What of a draft can change; charges replace all that it had."""

    interval = EnumField(choices=Interval.choices, default=Interval.MONTH.value)
    amount = AmountField(min_value=0, default=Decimal(0), help_text="The base fee of an interval.")
    currency = CurrencyField(default="USD")
    charges = NewChargeSerializer(many=True, max_length=MAX_CHARGES, required=False)

    class Meta:
        model = RatePlan
        fields = ("code", "name", "interval", "amount", "currency", "charges")


class NewRatePlanSerializer(RatePlanChangesSerializer):
    """What makes a rate plan."""

    product = ReferenceField(Product.objects.all())

    class Meta(RatePlanChangesSerializer.Meta):
        fields = ("product", *RatePlanChangesSerializer.Meta.fields)  # type: ignore[assignment]

    def validate_product(self, product: Product) -> str:
        """Return the id, which operations take."""
        return product.id


class RatePlanFilter(StrictFilterSet):
    """Which rate plans."""

    product = TypeIDFilter(prefix="prod")
    status = ChoiceFilter(choices=PlanStatus.choices)

    class Meta:
        model = RatePlan
        fields = ()


class RatePlanViewSet(Listed, Retrieved, ApiViewSet):
    """Rate plans."""

    queryset = RatePlan.objects.prefetch_related("charges")
    serializer_class = RatePlanSerializer
    filterset_class = RatePlanFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    # Pricing assumed usage writes nothing.
    scopes = {"price": "catalog:read"}
    bodies = {
        "create": NewRatePlanSerializer,
        "partial_update": RatePlanChangesSerializer,
        "price": UsageSerializer,
    }
    answers = {"price": QuoteSerializer}

    def create(self, request: Request) -> Response:
        """Draft a rate plan with its charges."""
        return self.created(create_rate_plan(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a draft."""
        return self.answer(update_rate_plan(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Freeze a draft's prices and open it to subscriptions."""
        return self.answer(activate_rate_plan(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Close an active rate plan to new subscriptions."""
        return self.answer(archive_rate_plan(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["post"])
    def price(self, request: Request, pk: str) -> Response:
        """
        Price assumed usage.

        Nothing is written, amounts are not rounded, and the plan's own amount is not in the total. Usage that no charge
        claims costs nothing.
        """
        plan: Any = self.get_object()
        return self.answer(quote(plan, self.body()["usage"]))

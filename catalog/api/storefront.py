"""The storefront: what customers and partners are shown of the catalog, with its prices, as JSON."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import CharFilter, ChoiceFilter

from catalog.api.plan_terms import TERMS, PlanLimitsSerializer
from catalog.api.rate_plans import MatchField
from catalog.models import Audience, Charge, MaturityStage, Product, ProductType, RatePlan, Tax
from catalog.models.product import SUBSCRIBABLE_STAGES
from config.api.authentication import caller_of
from config.api.fields import JSONObjectField
from config.api.filters import StrictFilterSet
from config.api.permissions import has_scope
from config.api.serializers import StrictModelSerializer
from config.api.views import ApiViewSet, Listed, Retrieved

#: What a key needs besides the storefront's own scope to be shown what is meant for partners.
PARTNER_SCOPE = "storefront:partner"


class OfferedChargeSerializer(StrictModelSerializer):
    """What usage costs: the numbers in ``properties`` go by the model, as decimal strings."""

    properties = JSONObjectField(read_only=True)
    match = MatchField(read_only=True)

    class Meta:
        model = Charge
        fields = ["id", "name", "metric", "model", "properties", "match", "minimum_amount", "prorated"]
        read_only_fields = fields

    def to_representation(self, instance: Charge) -> dict[str, Any]:
        """Call a charge without a name by its metric."""
        return {**super().to_representation(instance), "name": instance.name or instance.metric.name}


class OfferedTaxSerializer(StrictModelSerializer):
    """What is added to the prices."""

    class Meta:
        model = Tax
        fields = ["name", "rate_percent"]
        read_only_fields = fields


class OfferSerializer(StrictModelSerializer):
    """A rate plan that can be subscribed to; without ``taxes`` of its own those apply that the customer has."""

    taxes = OfferedTaxSerializer(many=True, read_only=True)
    limits = PlanLimitsSerializer(read_only=True)
    charges = OfferedChargeSerializer(many=True, read_only=True)

    class Meta:
        model = RatePlan
        fields = ["id", "code", "name", "version", "interval", "amount", "currency", *TERMS, "taxes", "charges"]
        read_only_fields = fields


class StorefrontProductSerializer(StrictModelSerializer):
    """A product of the storefront with its active rate plans."""

    rate_plans = OfferSerializer(many=True, read_only=True)

    class Meta:
        model = Product
        fields = [
            "id", "code", "name", "description", "product_type", "audience", "maturity_stage", "rate_plans",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class StorefrontFilter(StrictFilterSet):
    """Which products of the storefront."""

    code = CharFilter()
    product_type = ChoiceFilter(choices=ProductType.choices)
    maturity_stage = ChoiceFilter(
        choices=[(stage.value, stage.label) for stage in MaturityStage if stage in SUBSCRIBABLE_STAGES]
    )


class StorefrontViewSet(Listed, Retrieved, ApiViewSet):
    """
    Products in the storefront: PUBLISHED, in BETA or GA, for an EXTERNAL audience.

    A key with the scope ``storefront:partner`` is shown what is for partners too; nobody what is INTERNAL.
    """

    queryset = Product.objects.all()
    serializer_class = StorefrontProductSerializer
    filterset_class = StorefrontFilter
    scope_read = "storefront:read"

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the caller may see, with the prices of what can be subscribed to."""
        caller = caller_of(self.request)
        is_partner = caller is not None and has_scope(caller, PARTNER_SCOPE)
        audiences = [Audience.EXTERNAL, *([Audience.PARTNER] if is_partner else [])]
        charges = Charge.objects.select_related("metric").order_by("position")
        offers = RatePlan.objects.active().prefetch_related(Prefetch("charges", queryset=charges), "taxes")
        return Product.objects.in_storefront(*audiences).prefetch_related(Prefetch("rate_plans", queryset=offers))

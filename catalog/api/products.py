"""Products and their life cycle, as JSON."""

from __future__ import annotations

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import MaturityStage, Product, ProductType
from catalog.models.product import Audience, validate_code
from catalog.operations.products import (
    ProductFields,
    advance_product,
    create_product,
    delete_product,
    update_product,
)
from config.api.deletion import ConfirmationQuery, DeletionReportSerializer
from config.api.fields import EnumField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report


class ProductSerializer(StrictModelSerializer):
    """A product."""

    class Meta:
        model = Product
        fields = [
            "id", "code", "name", "description", "product_type", "audience", "maturity_stage", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ProductChangesSerializer(StrictSerializer):
    """What of a product can change."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False)
    audience = EnumField(choices=Audience.choices, required=False)


class NewProductSerializer(ProductChangesSerializer):
    """What makes a product; its type is fixed from then on."""

    product_type = EnumField(choices=ProductType.choices)


class AdvanceSerializer(StrictSerializer):
    """The stage a product moves to: the one that follows its own."""

    to = EnumField(choices=MaturityStage.choices)


class ProductFilter(StrictFilterSet):
    """Which products."""

    code = CharFilter()
    product_type = ChoiceFilter(choices=ProductType.choices)
    maturity_stage = ChoiceFilter(choices=MaturityStage.choices)


class ProductViewSet(Listed, Retrieved, ApiViewSet):
    """Products."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {
        "create": NewProductSerializer,
        "partial_update": ProductChangesSerializer,
        "advance": AdvanceSerializer,
    }
    queries = {"destroy": ConfirmationQuery}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """Create a product in EXPERIMENTAL."""
        body = self.body()
        product_type = body.pop("product_type")
        return self.created(create_product(ProductFields(**body), product_type=product_type, now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a product."""
        return self.answer(update_product(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a product and its rate plans, unless something stands in the way."""
        product, now = self.get_object(), timezone.now()
        delete_product(product.id, confirm=self.query()["confirm"])
        return self.answer({"id": product.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["post"])
    def advance(self, request: Request, pk: str) -> Response:
        """Move a product one stage forward in its life cycle."""
        return self.answer(advance_product(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a product."""
        return self.answer(deletion_report(self.get_object()).document())

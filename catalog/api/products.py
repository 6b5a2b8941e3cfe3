"""Products and their life cycle, as JSON."""

from __future__ import annotations

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Audience, DocumentationStatus, MaturityStage, Product, ProductType, PublishStatus
from catalog.models.product import validate_code
from catalog.operations.product_clones import clone_product
from catalog.operations.products import (
    ProductFields,
    advance_product,
    create_product,
    delete_product,
    set_publish_status,
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

    documentation_status = EnumField(choices=DocumentationStatus.choices, read_only=True, allow_null=True)

    class Meta:
        model = Product
        fields = [
            "id", "code", "name", "description", "product_type", "audience", "maturity_stage",
            "publish_status", "openapi_url", "documentation_status", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ProductChangesSerializer(StrictSerializer):
    """What of a product can change."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False)
    audience = EnumField(choices=Audience.choices, required=False)
    openapi_url = serializers.CharField(
        max_length=500, allow_blank=True, required=False, help_text="An https address on the public internet."
    )


class NewProductSerializer(ProductChangesSerializer):
    """What makes a product; its type is fixed from then on."""

    product_type = EnumField(choices=ProductType.choices)


class AdvanceSerializer(StrictSerializer):
    """The stage a product moves to: the one that follows its own."""

    to = EnumField(choices=MaturityStage.choices)


class PublishStatusSerializer(StrictSerializer):
    """The publish status a product moves to: one that may follow its own."""

    to = EnumField(choices=PublishStatus.choices)


class CloneSerializer(StrictSerializer):
    """What the clone is called."""

    name = serializers.CharField(max_length=200)
    code = serializers.CharField(max_length=100, validators=[validate_code])


class ProductFilter(StrictFilterSet):
    """Which products."""

    code = CharFilter()
    product_type = ChoiceFilter(choices=ProductType.choices)
    audience = ChoiceFilter(choices=Audience.choices)
    maturity_stage = ChoiceFilter(choices=MaturityStage.choices)
    publish_status = ChoiceFilter(choices=PublishStatus.choices)


class ProductViewSet(Listed, Retrieved, ApiViewSet):
    """Products."""

    queryset = Product.objects.with_documentation_status()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {
        "create": NewProductSerializer,
        "partial_update": ProductChangesSerializer,
        "advance": AdvanceSerializer,
        "publish_status": PublishStatusSerializer,
        "clone": CloneSerializer,
    }
    queries = {"destroy": ConfirmationQuery}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def found(self, product_id: str) -> Product:
        """Return the product as it is answered."""
        return Product.objects.with_documentation_status().find(product_id)

    def create(self, request: Request) -> Response:
        """Create a product, EXPERIMENTAL and DRAFT."""
        body = self.body()
        product_type = body.pop("product_type")
        product = create_product(ProductFields(**body), product_type=product_type, now=timezone.now())
        return self.created(self.found(product.id))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a product."""
        product = update_product(self.get_object().id, **self.body(), now=timezone.now())
        return self.answer(self.found(product.id))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a product and its rate plans, unless something stands in the way."""
        product, now = self.get_object(), timezone.now()
        delete_product(product.id, confirm=self.query()["confirm"])
        return self.answer({"id": product.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["post"])
    def advance(self, request: Request, pk: str) -> Response:
        """Move a product one stage forward in its life cycle."""
        product = advance_product(self.get_object().id, **self.body(), now=timezone.now())
        return self.answer(self.found(product.id))

    @action(detail=True, methods=["post"], url_path="publish-status")
    def publish_status(self, request: Request, pk: str) -> Response:
        """
        Move a product to another publish status.

        DRAFT goes to IN_REVIEW, IN_REVIEW to PUBLISHED or back to DRAFT, PUBLISHED to ARCHIVED and ARCHIVED to DRAFT.
        What is EXPERIMENTAL is not published.
        """
        product = set_publish_status(self.get_object().id, **self.body(), now=timezone.now())
        return self.answer(self.found(product.id))

    @extend_schema(responses={201: ProductSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """
        Copy a product with its rate plans into a new one, EXPERIMENTAL and DRAFT.

        Its plans are drafts with the same charges; what is archived is left behind. Subscriptions, gateway mappings
        and the publication are not copied. The code of a plan's copy begins with the code of the clone.
        """
        clone = clone_product(self.get_object().id, **self.body(), now=timezone.now())
        return self.created(self.found(clone.id), location=f"/v1/products/{clone.id}")

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a product."""
        return self.answer(deletion_report(self.get_object()).document())

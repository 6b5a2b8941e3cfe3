"""Products as JSON."""

from __future__ import annotations

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.deletion import DeletionQuery, DeletionReportSerializer
from catalog.models import MaturityStage, Product, ProductType
from catalog.operations.products import ProductFields, advance_product, create_product, delete_product, update_product
from config.api.fields import EnumField, TypeIDField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report


class ProductSerializer(StrictModelSerializer):
    """A product."""

    class Meta:
        model = Product
        fields = (
            "id", "code", "name", "description", "product_type", "audience", "maturity_stage", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class NewProductSerializer(StrictModelSerializer):
    """What makes a product; its type is fixed from then on."""

    class Meta:
        model = Product
        fields = ("code", "name", "description", "product_type", "audience")


class ProductChangesSerializer(StrictModelSerializer):
    """What of a product can change."""

    class Meta:
        model = Product
        fields = ("code", "name", "description", "audience")


class AdvanceSerializer(StrictSerializer):
    """The stage that follows."""

    to = EnumField(choices=MaturityStage.choices)


class ProductDeletionReportSerializer(DeletionReportSerializer):
    """What stands in the way of deleting a product."""

    product_id = TypeIDField("prod")


class ProductFilter(StrictFilterSet):
    """Which products."""

    product_type = ChoiceFilter(choices=ProductType.choices)
    maturity_stage = ChoiceFilter(choices=MaturityStage.choices)
    code = CharFilter()

    class Meta:
        model = Product
        fields = ()


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
    queries = {"destroy": DeletionQuery}
    answers = {"destroy": DeletedSerializer, "deletion_check": ProductDeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """Create a product in EXPERIMENTAL."""
        body = self.body()
        product_type = body.pop("product_type")
        product = create_product(ProductFields(**body), product_type=product_type, now=timezone.now())
        return self.created(product)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a product."""
        return self.answer(update_product(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """
        Delete a product together with its rate plans.

        Refused with 409 while somebody subscribes or ever did, and without `confirm=true` where there are rate plans;
        `details` is the report of `deletion-check`.
        """
        product = self.get_object()
        delete_product(product.id, confirm=self.query()["confirm"])
        return self.answer({"id": product.id, "deleted_at": timezone.now()})

    @action(detail=True, methods=["post"])
    def advance(self, request: Request, pk: str) -> Response:
        """
        Move a product one stage forward.

        EXPERIMENTAL, BETA, GA, DEPRECATED, RETIRED: nothing is skipped and nothing goes back.
        """
        return self.answer(advance_product(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Report what stands in the way of deleting a product."""
        product = self.get_object()
        return self.answer({"product_id": product.id, **deletion_report(product).document()})

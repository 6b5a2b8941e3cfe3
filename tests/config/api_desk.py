"""A small API over products, written as our apps write theirs, for the tests of what all of them share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import include, path
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from catalog.models import Product
from catalog.models.product import Audience
from catalog.operations.products import ProductFields, advance_product, create_product, update_product
from config.api.authentication import BearerAuthentication, Caller
from config.api.document import OpenApiDocument, ReferencePages
from config.api.filters import MomentFilter, StrictFilterSet
from config.api.routers import ApiRouter
from config.api.views import ApiView, ApiViewSet, Listed, Retrieved
from config.kernel.secrets import IssuedSecret, hand_over
from tests.config.api_desk_serializers import (
    Advance,
    Anything,
    Loud,
    NewProductSerializer,
    ProductChanges,
    ProductSerializer,
    Quote,
)

handler400 = "config.api.pages.bad_request"
handler403 = "config.api.pages.permission_denied"
handler404 = "config.api.pages.page_not_found"
handler500 = "config.api.pages.server_error"

SECRET = "sk-cust-0123456789abcdef"


@dataclass(frozen=True)
class DeskCaller:
    """An operator key of the tests."""

    id: str
    name: str
    scopes: tuple[str, ...]


CALLERS: dict[str, Caller] = {
    "all": DeskCaller("opk_all", "Everything", ("*",)),
    "reader": DeskCaller("opk_reader", "Reader", ("catalog:read",)),
    "other": DeskCaller("opk_other", "Other", ("*",)),
}


class DeskAuthentication(BearerAuthentication):
    """Know the callers of the tests."""

    def find_caller(self, secret: str) -> Caller | None:
        """Return whose name is the secret."""
        return CALLERS.get(secret)


class ProductFilter(StrictFilterSet):
    """Filters of the list."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Product
        fields = ("audience", "code")


#: What the slow action waits for, and what tells that it runs.
go_on, running = threading.Event(), threading.Event()

runs: list[str] = []


class ProductViewSet(Listed, Retrieved, ApiViewSet):
    """Products."""

    authentication_classes = (DeskAuthentication,)
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    secret_fields = ("api_key", "credential.key")
    bodies = {
        "create": NewProductSerializer,
        "partial_update": ProductChanges,
        "advance": Advance,
        "quote": Quote,
        "slow": NewProductSerializer,
        "broken": NewProductSerializer,
        "unprintable": NewProductSerializer,
    }
    queries = {"shout": Loud}
    answers = {"quote": Anything, "shout": Anything, "key": Anything}

    def create(self, request: Request) -> Response:
        """
        Create a product.

        It begins as EXPERIMENTAL.
        """
        return self.created(self.make())

    def make(self) -> Product:
        """Return the product that the body asks for."""
        body = self.body()
        runs.append(body["code"])
        kind = body.pop("product_type")
        return create_product(ProductFields(**body), product_type=kind, now=timezone.now())

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a product."""
        return self.answer(update_product(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a product."""
        product = self.get_object()
        return Response({"id": product.pk, "deleted": True, "deleted_at": timezone.now()})

    @action(detail=True, methods=["post"])
    def advance(self, request: Request, pk: str) -> Response:
        """Advance a product."""
        return self.answer(advance_product(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """Answer the body as it was understood."""
        body = self.body()
        for line in body.get("lines", ()):
            line["product"] = line["product"].pk
        return self.answer(body)

    @action(detail=True, methods=["get"])
    def shout(self, request: Request, pk: str) -> Response:
        """Say the name loudly."""
        return self.answer({"shout": self.get_object().name.upper() * self.query()["times"]})

    @action(detail=False, methods=["post"])
    def slow(self, request: Request) -> Response:
        """Create a product and dawdle."""
        product = self.make()
        running.set()
        go_on.wait(20)
        return self.created(product)

    @action(detail=False, methods=["post"])
    def broken(self, request: Request) -> Response:
        """Create a product and fail."""
        self.make()
        raise RuntimeError(f"the reason is {SECRET}")

    @action(detail=False, methods=["post"])
    def unprintable(self, request: Request) -> Response:
        """Create a product and answer what JSON cannot hold."""
        self.make()
        return Response({"made": object()})

    @action(detail=False, methods=["post"])
    def key(self, request: Request) -> Response:
        """Make a key."""
        runs.append("key")
        secret = {"key": SECRET}
        hand_over(
            IssuedSecret(
                owner="x",
                credential="key_1",
                kind="api_key",
                name="n",
                prefix="sk",
                last_four="cdef",
                shown_once=secret,
            )
        )
        credential = {"id": "key_1", "key": "declared", "last_four": "ared"}
        return self.answer({"api_key": "also declared", "credential": credential, "forgotten": [{"text": SECRET}]})


class Undeclared(ApiView):
    """A view that forgot its scope."""

    authentication_classes = (DeskAuthentication,)

    def get(self, request: Request) -> Response:
        """Never runs."""
        return Response({})


class Race(ApiView):
    """A write that the database refuses because another was faster."""

    authentication_classes = (DeskAuthentication,)
    scope_write = "catalog:write"

    def post(self, request: Request) -> Response:
        """Insert the same row twice."""
        for _ in range(2):
            with transaction.atomic():
                now = timezone.now()
                Product(code="twin", name="Twin", product_type="AI_AGENT", created_at=now, updated_at=now).save()
        return Response({})


class Numbers(ApiView):
    """Numbers that a float would not keep."""

    authentication_classes = (DeskAuthentication,)
    scope_read = "catalog:read"

    def get(self, request: Request) -> Response:
        """Print them."""
        return Response({"small": Decimal("0.000000000001"), "large": Decimal("123456789012345678.120")})


router = ApiRouter()
router.register("products", ProductViewSet)

urlpatterns = [
    path("v1/openapi.json", OpenApiDocument.as_view()),
    path("v1/docs", ReferencePages.as_view()),
    path("v1/undeclared", Undeclared.as_view()),
    path("v1/race", Race.as_view()),
    path("v1/numbers", Numbers.as_view()),
    path("v1/", include(router.urls)),
]


def api(caller: str = "all", **options: Any) -> APIClient:
    """Return a client that calls as ``caller``."""
    client = APIClient(**options)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {caller}")
    return client


def new_product(code: str = "llm") -> dict[str, Any]:
    """Return the body of a product."""
    return {"code": code, "name": "LLM API", "product_type": "STANDARD_API", "audience": Audience.EXTERNAL.value}


def make_product(code: str = "llm") -> Product:
    """Return a stored product."""
    return create_product(ProductFields(code=code, name=code.upper()), product_type="STANDARD_API", now=timezone.now())

"""The documentation of a product, as JSON: read from its OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Documentation, DocumentationStatus, Product
from catalog.operations.documentation import remove_documentation, request_documentation, upload_documentation
from config.api.fields import AwareDateTimeField, EnumField, TypeIDField
from config.api.json import MEBIBYTE
from config.api.serializers import DeletedSerializer, StrictSerializer
from config.api.versions import refuse_other_version
from config.api.views import ApiViewSet
from config.kernel.errors import NotFound

DOCUMENTATION_ROUTES: Any = {"get": "retrieve", "post": "create", "delete": "destroy"}


class ServerSerializer(StrictSerializer):
    """Where the API is served."""

    url = serializers.CharField()
    description = serializers.CharField()


class ContentSerializer(StrictSerializer):
    """A media type of a body, with its JSON schema; what a schema refers to is in ``schemas``."""

    media_type = serializers.CharField()
    schema = serializers.JSONField(allow_null=True)


class ParameterSerializer(StrictSerializer):
    """A parameter of an operation."""

    name = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    deprecated = serializers.BooleanField()
    description = serializers.CharField()
    schema = serializers.JSONField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Add ``in``, which is a word of Python."""
        return {**super().get_fields(), "in": serializers.CharField()}


class RequestBodySerializer(StrictSerializer):
    """The body that an operation takes."""

    description = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    content = ContentSerializer(many=True)


class OperationAnswerSerializer(StrictSerializer):
    """What an operation answers."""

    status = serializers.CharField(help_text="200, 4XX, default")
    description = serializers.CharField()
    content = ContentSerializer(many=True)


class OperationSerializer(StrictSerializer):
    """An operation of the API."""

    method = serializers.CharField()
    path = serializers.CharField()
    operation_id = serializers.CharField()
    summary = serializers.CharField()
    description = serializers.CharField()
    deprecated = serializers.BooleanField()
    parameters = ParameterSerializer(many=True)
    request = RequestBodySerializer(allow_null=True)
    responses = OperationAnswerSerializer(many=True)


class TagSerializer(StrictSerializer):
    """Operations that belong together."""

    name = serializers.CharField()
    description = serializers.CharField()
    operations = OperationSerializer(many=True)


class DocumentationSerializer(StrictSerializer):
    """
    What the last document that could be read says, and where the newest request stands.

    ``error`` says why the newest request failed; until a first document could be read, nothing is described.
    """

    product = TypeIDField("prod")
    status = EnumField(choices=DocumentationStatus.choices)
    error = serializers.CharField()
    source_url = serializers.CharField(help_text="Empty where the document was uploaded.")
    requested_at = AwareDateTimeField()
    fetched_at = AwareDateTimeField(allow_null=True)
    openapi = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    servers = ServerSerializer(many=True)
    tags = TagSerializer(many=True)
    schemas = serializers.DictField()

    def to_representation(self, instance: Documentation) -> dict[str, Any]:
        """Print what has been described already."""
        described = {"servers": [], "tags": [], "schemas": {}, **(instance.outline or {})}
        return {
            "product": instance.product_id,
            **{name: getattr(instance, name) for name in ("status", "error", "source_url")},
            "requested_at": instance.requested_at,
            "fetched_at": instance.fetched_at,
            **{name: described.get(name) for name in ("openapi", "title", "version", "description")},
            **{name: described[name] for name in ("servers", "tags", "schemas")},
        }


class UploadSerializer(StrictSerializer):
    """An OpenAPI 3 document, as text in JSON or YAML; a worker checks it."""

    document = serializers.CharField(trim_whitespace=False)


class DocumentationViewSet(ApiViewSet):
    """The documentation of one product."""

    queryset = Documentation.objects.all()
    serializer_class = DocumentationSerializer
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": UploadSerializer}
    answers = {"destroy": DeletedSerializer}
    max_body_bytes = 8 * MEBIBYTE

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the product has; raises ``NotFound`` for an unknown product."""
        return Documentation.objects.filter(product=Product.objects.find(self.kwargs["product_pk"]))

    def get_object(self) -> Documentation:
        """Return the documentation; raises ``NotFound`` where the product has none."""
        found: Documentation | None = self.get_queryset().first()
        if found is None:
            raise NotFound("documentation", f"of {self.kwargs['product_pk']}")
        if self.request.method not in SAFE_METHODS:
            refuse_other_version(self.request, found)
        return found

    def retrieve(self, request: Request, product_pk: str) -> Response:
        """Return the documentation of a product."""
        return self.answer(self.get_object())

    def create(self, request: Request, product_pk: str) -> Response:
        """Upload the OpenAPI document of a product; a worker checks it, and what there is stays until then."""
        document = self.body()["document"].encode()
        found = upload_documentation(product_pk, document=document, now=timezone.now())
        return self.created(found, location=f"/v1/products/{product_pk}/documentation")

    def fetch(self, request: Request, product_pk: str) -> Response:
        """Fetch the OpenAPI document of a product from its URL again; what there is stays until then."""
        return self.answer(request_documentation(product_pk, now=timezone.now()))

    def destroy(self, request: Request, product_pk: str) -> Response:
        """Remove the documentation of a product."""
        now = timezone.now()
        found = self.get_object()
        remove_documentation(product_pk)
        return self.answer({"id": found.id, "deleted": True, "deleted_at": now})

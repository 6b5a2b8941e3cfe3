"""
Bases of all endpoints.

A view set declares what it takes and gives; its methods translate, call one operation, translate::

    class CustomerViewSet(Listed, Retrieved, ApiViewSet):
        \"\"\"Customers.\"\"\"

        queryset = Customer.objects.all()
        serializer_class = CustomerSerializer                 # what is answered
        filterset_class = CustomerFilter                      # a StrictFilterSet
        scope_read, scope_write = "customers:read", "customers:write"
        secret_fields = ("api_key",)
        bodies = {"create": NewCustomerSerializer, "partial_update": CustomerChangesSerializer, "suspend": Suspension}
        queries = {"destroy": DeletionQuery}
        answers = {"suspend": CustomerSuspensionSerializer, "destroy": DeletedSerializer}

        def create(self, request: Request) -> Response:
            \"\"\"Create a customer.\"\"\"
            return self.created(create_customer(**self.body(), now=timezone.now()))

        def partial_update(self, request: Request, pk: str) -> Response:
            \"\"\"Change a customer.\"\"\"
            customer = self.get_object()                      # 404, and 409 on another If-Match
            return self.answer(change_customer(customer.id, **self.body(), now=timezone.now()))

        @action(detail=True, methods=["post"])
        def suspend(self, request: Request, pk: str) -> Response:
            \"\"\"Suspend a customer.\"\"\"
            return self.answer(suspend_customer(self.get_object().id, **self.body(), now=timezone.now()))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ViewSetMixin

from config.api.frame import Frame
from config.api.versions import etag_of, refuse_other_version
from config.kernel.models import RecordQuerySet


class Endpoint(Frame):
    """What a view calls to read the request and to answer it."""

    def body(self, **context: Any) -> dict[str, Any]:
        """
        Return the validated body; of a PATCH only the fields given.

        Raises:
            ValidationError: it is not what ``bodies`` declares.
        """
        serializer = self.bodies[self.verb](
            data=self.request.data,
            partial=self.request.method == "PATCH",
            context={**self.get_serializer_context(), **context},
        )
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def query(self) -> dict[str, Any]:
        """
        Return the validated query parameters that ``queries`` declares.

        Raises:
            ValidationError: they are not what it declares.
        """
        # A QueryDict would make DRF read absent booleans as false, as in an HTML form.
        data = {name: self.request.query_params.get(name) for name in self.request.query_params}
        declared = self.queries[self.verb]
        for name, field in getattr(declared(), "fields", {}).items():
            if name in data and name in self.repeatable_parameters and hasattr(field, "child"):
                data[name] = self.request.query_params.getlist(name)  # type: ignore[assignment]
        serializer = declared(data=data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def answer(self, found: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return ``found`` as this action answers it, with its ETag where it is an object with a version."""
        data = self.get_serializer(found).data
        etag = etag_of(found)
        return Response(data, status=status, headers={**({"ETag": etag} if etag else {}), **(headers or {})})

    def created(self, found: Any, *, location: str | None = None) -> Response:
        """Return the 201 for a new object; ``location`` is its path, by default below the collection's."""
        return self.answer(found, status=201, headers={"Location": location or f"{self.request.path}/{found.pk}"})

    def page(self, rows: Any) -> Response:
        """Return the page of ``rows`` (a query set or a sequence) that the request asks for."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def get_object(self) -> Any:
        """
        Return the object named in the path.

        Raises:
            NotFound: there is none, or the text is no id of this kind.
            VersionMismatch: ``If-Match`` on a write names another version; the row is locked for the comparison.
        """
        pk = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        queryset = self.get_queryset()
        if not isinstance(queryset, RecordQuerySet):
            raise TypeError(f"{type(queryset).__name__} is no RecordQuerySet")
        found = queryset.find(pk)
        if self.request.method not in SAFE_METHODS:
            refuse_other_version(self.request, found)
        self.check_object_permissions(self.request, found)
        return found

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what this action answers with."""
        declared = self.answers.get(self.verb)
        return declared if declared is not None else super().get_serializer_class()


class ApiView(Endpoint):
    """An endpoint that is no set of objects; declares its serializers by method: ``bodies = {"post": …}``."""


class ApiViewSet(ViewSetMixin, Endpoint):
    """The base of all view sets over the objects of one model."""


class Listed(Endpoint):
    """Adds ``list``."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the objects, newest first."""
        return self.page(self.filter_queryset(self.get_queryset()))


class Retrieved(Endpoint):
    """Adds ``retrieve``."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one object."""
        return self.answer(self.get_object())

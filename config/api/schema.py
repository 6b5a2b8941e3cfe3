"""The OpenAPI document: our conventions added to what drf-spectacular reads from the view sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from config.api import idempotency, schema_fields
from config.api.filters import TypeIDFilter
from config.api.models import MAX_KEY_LENGTH
from config.api.serializers import DeletedSerializer, StrictMixin
from config.kernel.ids import TypeIDField

__all__ = ["AutoSchema", "BearerScheme", "schema_fields"]

#: What each status tells, in the words of the document.
REFUSALS: Mapping[int, str] = {
    400: "The request is malformed, or a value is not one the API takes.",
    401: "No API key, or one that is malformed, unknown, expired or revoked.",
    403: "The API key lacks the scope.",
    404: "There is no such object.",
    409: "The state of the objects does not allow it.",
    413: "The body is too large.",
    415: "The body is not of a type this address takes.",
    429: "Too many requests.",
}

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "type", "request_id"],
            "properties": {
                "code": {"type": "string", "examples": ["customer_not_found"]},
                "message": {"type": "string", "examples": ["Customer cust_unknown not found"]},
                "type": {
                    "type": "string",
                    "enum": [
                        "validation_error",
                        "authentication_error",
                        "permission_error",
                        "not_found_error",
                        "method_not_allowed_error",
                        "conflict_error",
                        "payload_too_large_error",
                        "unsupported_media_type_error",
                        "rate_limit_error",
                        "api_error",
                    ],
                },
                "param": {"type": "string", "description": "The input it concerns, for example charges[0].metric."},
                "details": {
                    "type": "object",
                    "description": "Figures of the refusal; of several invalid fields all, in “fields”.",
                },
                "request_id": {"type": "string"},
            },
        }
    },
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Operator keys as the document's security scheme."""

    target_class = "config.api.authentication.BearerAuthentication"
    match_subclasses = True
    name = "operatorKey"

    def get_security_definition(self, auto_schema: BaseAutoSchema) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "description": "An operator key, mk_live_…"}


class AutoSchema(BaseAutoSchema):
    """Describe an operation of our views from their ``bodies``, ``queries`` and ``answers``."""

    @property
    def verb(self) -> str:
        """The name under which the view declares this operation's serializers."""
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def is_authenticated(self) -> bool:
        """Whether the operation needs a key."""
        return bool(self.view.get_authenticators())

    def get_operation_id(self) -> str:
        """Return ``customers_list`` for the usual verbs and ``customers_suspend`` for ours."""
        tokens = [token.replace("-", "_") for token in self._tokenize_path()]
        if self.method == "POST" and tokens and tokens[-1] == self.verb:
            return "_".join(tokens)
        return super().get_operation_id()

    def get_summary(self) -> str | None:
        """Return the first line of the method's docstring; of a list or an object of ours, what it is of."""
        model = getattr(getattr(self.view, "queryset", None), "model", None)
        if model is not None and self.verb in ("list", "retrieve"):
            noun = model._meta.verbose_name_plural if self.verb == "list" else model._meta.verbose_name
            return f"List {noun}" if self.verb == "list" else f"Return one {noun}"
        lines = super().get_description().strip().splitlines()
        return lines[0].rstrip(".").replace("``", "") if lines else None

    def get_description(self) -> str:  # type: ignore[override]
        """Return what follows the first line."""
        _, _, rest = super().get_description().strip().partition("\n")
        return rest.strip()

    def get_request_serializer(self) -> Any:
        """Return the serializer of the body; None where the action takes none."""
        bodies: Mapping[str, Any] = getattr(self.view, "bodies", {})
        return bodies.get(self.verb)

    def get_response_serializers(self) -> Any:
        """Return the serializer of the answer by status."""
        answers: Mapping[str, Any] = getattr(self.view, "answers", {})
        serializer = answers.get(self.verb)
        if serializer is None and self.method == "DELETE":
            serializer = DeletedSerializer
        if serializer is None:
            serializer = self._get_serializer()  # type: ignore[no-untyped-call]
        if self.verb in getattr(self.view, "lists", ()) and self.method == "GET":
            return serializer(many=True) if isinstance(serializer, type) else type(serializer)(many=True)
        return {"201" if self.verb == "create" else "200": serializer}

    def get_override_parameters(self) -> list[Any]:
        """Return the headers of our conventions and the query parameters that the view declares."""
        queries: Mapping[str, Any] = getattr(self.view, "queries", {})
        found: list[Any] = [queries[self.verb]] if self.verb in queries else []
        if self.method == "POST" and self.is_authenticated:
            found.append(
                OpenApiParameter(
                    idempotency.HEADER,
                    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"},
                    OpenApiParameter.HEADER,
                    description="The same key and request within 24 hours has its effect once and the same answer.",
                )
            )
        if self.method in ("PATCH", "DELETE"):
            found.append(
                OpenApiParameter(
                    "If-Match",
                    {"type": "string"},
                    OpenApiParameter.HEADER,
                    description="The ETag of the version that was read; another is refused with 409.",
                )
            )
        return found

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._get_filter_parameters()  # type: ignore[no-untyped-call]
        filterset = getattr(self.view, "filterset_class", None)
        for parameter in found:
            declared = getattr(filterset, "base_filters", {}).get(parameter["name"])
            if isinstance(declared, TypeIDFilter):
                parameter["schema"] = schema_fields.type_id(declared.prefix)
        metadata = getattr(filterset, "metadata_field", None)
        if metadata and self.verb == "list":
            values = {"type": "object", "additionalProperties": {"type": "string"}}
            description = "Objects whose metadata has this value: metadata[industry]=SaaS."
            parameter = {"in": "query", "name": "metadata", "schema": values, "description": description}
            found.append({**parameter, "style": "deepObject", "explode": True})
        return found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self.refusals():
            bodies.setdefault(str(status), self._refusal(status))
        return dict(sorted(bodies.items()))

    def refusals(self) -> list[int]:
        """Return the error statuses this operation can answer with."""
        found = [400]
        if self.is_authenticated:
            found += [401, 403, 429]
        if "{" in self.path or self.method in ("POST", "PATCH"):
            found.append(404)
        if self.method != "GET":
            found.append(409)
            found += [413, 415]
        return sorted(found)

    def _refusal(self, status: int) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Error", type=ResolvedComponent.SCHEMA, object="Error", schema=ERROR
        )
        self.registry.register_on_missing(component)
        answer: dict[str, Any] = {
            "description": REFUSALS[status],
            "content": {"application/json": {"schema": component.ref}},
        }
        if status == 429:
            answer["headers"] = {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}}
        return answer

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions) or {}  # type: ignore[no-untyped-call]
        if schema.get("type") == "array" and not getattr(field, "allow_empty", True):
            schema.setdefault("minItems", 1)
        return schema

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if getattr(field, "allow_blank", False) and "oneOf" in schema:
            # Where a format is only a remark, as JSON Schema has it, an empty text matches both parts.
            schema["anyOf"] = schema.pop("oneOf")

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, StrictMixin):
            schema["additionalProperties"] = False
        return schema

    def _map_model_field(self, model_field: Any, direction: Any) -> dict[str, Any]:
        if isinstance(model_field, TypeIDField):
            return schema_fields.type_id(model_field.prefix)
        found: dict[str, Any] = super()._map_model_field(model_field, direction)  # type: ignore[no-untyped-call]
        return found

    def _resolve_path_parameters(self, variables: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        model = getattr(getattr(self.view, "queryset", None), "model", None)
        for parameter in found:
            # The router takes any text, for a 404 of ours; the document tells what an id looks like.
            if model is not None and (prefix := path_prefix(model, parameter["name"])):
                parameter["schema"] = schema_fields.type_id(prefix)
        return found


def path_prefix(model: type[models.Model], variable: str) -> str | None:
    """Return the kind of id that a path variable holds: ``id`` the model's own, ``customer_id`` its customer's."""
    if variable in ("id", "pk"):
        return getattr(model._meta.pk, "prefix", None)
    name = variable.removesuffix("_id")
    related = next((field.related_model for field in model._meta.get_fields() if field.name == name), None)
    return getattr(related._meta.pk, "prefix", None) if isinstance(related, type) else None

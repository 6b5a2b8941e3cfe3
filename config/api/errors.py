"""Exceptions as answers: one envelope for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.middleware import request_id_of
from config.api.refusals import PayloadTooLarge
from config.api.validation import field_errors
from config.kernel.errors import DomainError, ErrorType, error_code

STATUS_OF: Mapping[ErrorType, int] = {
    ErrorType.VALIDATION: 400,
    ErrorType.AUTHENTICATION: 401,
    ErrorType.PERMISSION: 403,
    ErrorType.NOT_FOUND: 404,
    ErrorType.CONFLICT: 409,
    ErrorType.RATE_LIMIT: 429,
}

#: SQLSTATEs of two requests that got into each other's way; each is right to try again or to read anew.
CONFLICTING_STATES = frozenset({"40001", "40P01", "55P03", "23505", "23P01", "23503"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An error as it will be answered."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "type": self.type}
        if self.param is not None:
            error["param"] = self.param
        if self.details:
            error["details"] = self.details
        return {"error": {**error, "request_id": request_id}}


BROKEN = Answer(status=500, type="api_error", code="internal_error", message="Something went wrong on our side")


@singledispatch
def answer_to(error: Exception) -> Answer:
    """Return the answer to ``error``; one that nobody foresaw is a 500 that tells nothing of it."""
    return BROKEN


@answer_to.register
def _(error: DomainError) -> Answer:
    return Answer(
        status=STATUS_OF[error.type],
        type=error.type.value,
        code=error_code(error),
        message=error.message,
        param=error.param,
        details=error.details,
    )


@answer_to.register
def _(error: exceptions.ValidationError) -> Answer:
    found = field_errors(error.detail)
    first = found[0]
    kind = ErrorType.NOT_FOUND if first.is_missing_object else ErrorType.VALIDATION
    return Answer(
        status=STATUS_OF[kind],
        type=kind.value,
        code=first.code,
        message=first.message,
        param=first.param,
        details={"fields": [one.document() for one in found]},
    )


@answer_to.register
def _(error: exceptions.ParseError) -> Answer:
    return Answer(status=400, type="validation_error", code="malformed_body", message=str(error.detail))


@answer_to.register(exceptions.NotAuthenticated)
@answer_to.register(exceptions.AuthenticationFailed)
def _(error: exceptions.NotAuthenticated | exceptions.AuthenticationFailed) -> Answer:
    missing = isinstance(error, exceptions.NotAuthenticated)
    # DRF's view has put the challenge of its first authentication class here.
    challenge = getattr(error, "auth_header", None)
    return Answer(
        status=401,
        type="authentication_error",
        code="authentication_required" if missing else "invalid_api_key",
        message=str(error.detail),
        headers={"WWW-Authenticate": challenge} if challenge else {},
    )


@answer_to.register(exceptions.PermissionDenied)
@answer_to.register(PermissionDenied)
def _(error: Exception) -> Answer:
    return Answer(status=403, type="permission_error", code="permission_denied", message="This key may not do that")


@answer_to.register(exceptions.NotFound)
@answer_to.register(Http404)
def _(error: Exception) -> Answer:
    return Answer(status=404, type="not_found_error", code="not_found", message="There is nothing at this address")


@answer_to.register
def _(error: exceptions.MethodNotAllowed) -> Answer:
    return Answer(
        status=405,
        type="method_not_allowed_error",
        code="method_not_allowed",
        message="This address does not take that method; the Allow header lists those it takes",
    )


@answer_to.register
def _(error: exceptions.UnsupportedMediaType) -> Answer:
    return Answer(
        status=415,
        type="unsupported_media_type_error",
        code="unsupported_media_type",
        message="The Content-Type of the body is not one this address takes; usually application/json in UTF-8",
    )


@answer_to.register
def _(error: exceptions.Throttled) -> Answer:
    # DRF rounds the wait up to whole seconds, and keeps it under a name its stubs do not know.
    wait = max(1, int(getattr(error, "wait", None) or 1))
    return Answer(
        status=429,
        type="rate_limit_error",
        code="rate_limited",
        message=f"Too many requests; try again in {wait} s",
        headers={"Retry-After": str(wait)},
    )


@answer_to.register(PayloadTooLarge)
@answer_to.register(RequestDataTooBig)
def _(error: Exception) -> Answer:
    return Answer(
        status=413,
        type="payload_too_large_error",
        code="payload_too_large",
        message=str(error) if isinstance(error, PayloadTooLarge) else "The body is too large",
    )


@answer_to.register
def _(error: SuspiciousOperation) -> Answer:
    return Answer(status=400, type="validation_error", code="invalid_request", message="The request is malformed")


@answer_to.register(IntegrityError)
@answer_to.register(OperationalError)
def _(error: Exception) -> Answer:
    if getattr(error.__cause__, "sqlstate", None) not in CONFLICTING_STATES:
        return BROKEN
    return Answer(
        status=409,
        type="conflict_error",
        code="concurrent_change",
        message="Another request changed the same objects at the same moment; read them anew and try again",
    )


@answer_to.register(ProtectedError)
@answer_to.register(RestrictedError)
def _(error: Exception) -> Answer:
    return Answer(
        status=409, type="conflict_error", code="still_in_use", message="Other objects still refer to this one"
    )


@answer_to.register
def _(error: DataError) -> Answer:
    return Answer(
        status=400, type="validation_error", code="value_out_of_range", message="A value is too long or too large"
    )


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """
    Return the answer to ``error``; REST_FRAMEWORK's EXCEPTION_HANDLER.

    A 500 is announced as Django announces it, so that it is logged with its trace by django-structlog, reaches
    whatever collects errors, and is raised again by the test client.
    """
    answer = answer_to(error)
    request: Request | None = context.get("request")
    plain_request: HttpRequest | None = getattr(request, "_request", None)
    if answer.status >= 500:
        got_request_exception.send(sender=type(context.get("view")), request=plain_request)
    return Response(answer.document(request_id_of(plain_request)), status=answer.status, headers=dict(answer.headers))

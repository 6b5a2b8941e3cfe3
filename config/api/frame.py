"""The frame around every request, whatever its view does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, cast

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle

from config.api import idempotency
from config.api.authentication import caller_of
from config.api.filters import StrictFilterBackend, refuse_unknown_parameters
from config.api.json import MEBIBYTE
from config.api.middleware import request_id_of
from config.api.pagination import LimitOffset
from config.api.refusals import InvalidRequest
from config.api.throttling import OperatorKeyThrottle
from config.kernel.errors import DomainError, ErrorType
from config.kernel.history import acting_as
from config.kernel.secrets import IssuedSecret, issued_secrets


class FirstRenderer(BaseContentNegotiation):
    """Answer in the view's first format whatever ``Accept`` says: there is only JSON, and errors are JSON too."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser of the body's Content-Type; None where there is none, which is a 415."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first renderer with its media type."""
        return renderers[0], renderers[0].media_type


class Frame(GenericAPIView[Any]):
    """
    What happens around every request.

    Parameters are strict, changes carry the caller's name in the history, a write is one transaction with the record of
    its idempotency key.

    ``bodies``, ``queries`` and ``answers`` give serializer classes by action (by lower-case method in an
    :class:`ApiView`); the OpenAPI document is made from the same declarations.
    """

    scope_read: str | None = None
    scope_write: str | None = None
    scopes: ClassVar[Mapping[str, str]] = {}
    #: What a body may hold, by action. Once there is any, an action that is not listed takes no body.
    bodies: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    #: Query parameters by action; ``list`` has its filters and the page's besides.
    queries: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    #: What is answered by action, where it is not ``serializer_class``.
    answers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    #: The actions that ask the network, and so run in no transaction; what has to stay their operation writes itself.
    unframed: tuple[str, ...] = ()
    #: The actions that answer a page; ``list`` has the filters of ``filterset_class`` besides.
    lists: tuple[str, ...] = ("list",)
    #: Dotted paths of the fields of an answer that are shown once and never again.
    secret_fields: tuple[str, ...] = ()
    #: Query parameters that may be given more than once.
    repeatable_parameters: tuple[str, ...] = ()
    max_body_bytes: int = MEBIBYTE
    cursor_field: str | None = "created_at"

    pagination_class = LimitOffset
    filter_backends = (StrictFilterBackend,)
    throttle_classes: Sequence[type[BaseThrottle]] = (OperatorKeyThrottle,)
    content_negotiation_class = FirstRenderer
    http_method_names = ("get", "post", "patch", "delete", "head")
    lookup_value_regex = "[^/]+"

    request: Request
    #: Secrets made while the request runs.
    issued: list[IssuedSecret]

    @property
    def verb(self) -> str:
        """The name under which this request's serializers are declared."""
        return getattr(self, "action", None) or (self.request.method or "").lower()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer ``request``; DRF's own, but with the handler inside :meth:`respond`."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(self.request, *args, **kwargs)
            response: HttpResponseBase = self.respond()
        except Exception as error:  # noqa: BLE001
            # Nothing is swallowed: the exception handler answers what it knows and announces the rest.
            response = self.finished(self.handle_exception(error))
        self.response = cast("Response", response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is not worth running: strangers, missing scopes, too many requests, wrong methods, parameters."""
        super().initial(request, *args, **kwargs)
        if not self.takes_method:
            # Before the parameters: a PUT is told of its method, not that its fields are unknown.
            self.http_method_not_allowed(request)
        if request.headers.get("Transfer-Encoding") and not request.META.get("CONTENT_LENGTH"):
            # The server would hand us an empty body, and what the caller sent would be ignored.
            raise InvalidRequest("length_required", "A body needs a Content-Length", param="Content-Length")
        refuse_unknown_parameters(request, self.known_parameters(), repeatable=self.repeatable_parameters)
        if request.method not in SAFE_METHODS and self.verb not in self.bodies:
            self.refuse_body(request)

    def refuse_body(self, request: Request) -> None:
        """Refuse a body where none is declared; a view that declares none at all reads it itself, but for a DELETE."""
        if (self.bodies or request.method == "DELETE") and request.data:
            names = list(request.data) if isinstance(request.data, dict) else ["non_field_errors"]
            error = ErrorDetail("This address takes no such field in its body", code="unknown_field")
            raise ValidationError({name: [error] for name in names})

    def known_parameters(self) -> set[str]:
        """Return the names of the query parameters that this request may have."""
        declared = self.queries.get(self.verb)
        known = set(getattr(declared(), "fields", {})) if declared else set()
        if self.verb in self.lists:
            known |= set(LimitOffset.parameters)
        if self.verb == "list":
            filterset = getattr(self, "filterset_class", None)
            known |= set(filterset.base_filters) if filterset else set()
            if getattr(filterset, "metadata_field", None):
                known.add("metadata[*]")
        return known

    def respond(self) -> HttpResponseBase:
        """Run the handler under the caller's name; a write in one transaction with its idempotency record."""
        caller = caller_of(self.request)
        with ExitStack() as stack:
            if caller is not None:
                stack.enter_context(acting_as(f"operator key {caller.name}"[:200]))
            self.issued = stack.enter_context(issued_secrets())
            if self.request.method in SAFE_METHODS:
                return self.run()
            key = idempotency.key_of(self.request)
            if key is None or caller is None:
                return self.run_write()
            once = idempotency.Once(
                caller=str(caller.id),
                key=key,
                fingerprint=idempotency.fingerprint(self.request),
                request_id=request_id_of(self.request._request),
                now=timezone.now(),
            )
            answer = once.answer_apart if self.verb in self.unframed else once.answer
            return self.finished(answer(self.run_conflicting, self.without_secrets))

    @property
    def handler(self) -> Callable[..., HttpResponseBase]:
        """What answers the request's method; DRF's refusal where nothing does."""
        name = (self.request.method or "").lower()
        found: Callable[..., HttpResponseBase] = getattr(self, name, self.http_method_not_allowed)
        return found if name in self.http_method_names else self.http_method_not_allowed

    @property
    def takes_method(self) -> bool:
        """Whether the view answers the request's method."""
        return self.handler != self.http_method_not_allowed

    def run(self) -> HttpResponseBase:
        """Return the handler's answer, rendered."""
        return self.finished(self.handler(self.request, *self.args, **self.kwargs))

    def run_write(self) -> HttpResponseBase:
        """
        Return the handler's answer; nothing stays of what it wrote when it failed or cannot be rendered.

        Of an action that asks the network that stays which its operation has written.
        """
        if self.verb in self.unframed:
            return self.run()
        with transaction.atomic():
            response = self.run()
            if getattr(response, "status_code", 200) >= 500:
                transaction.set_rollback(True)
            return response

    def run_conflicting(self) -> Any:
        """Return the handler's answer, or that to a conflict, which undoes the effect but is kept under its key."""
        try:
            return self.run_write()
        except DomainError as refusal:
            if refusal.type is not ErrorType.CONFLICT:
                raise
            return self.finished(self.handle_exception(refusal))

    def without_secrets(self, data: Any) -> Any:
        """Return an answer's data as a replay shows it."""
        values = [value for secret in self.issued for value in secret.secrets.values()]
        return idempotency.without_secrets(data, self.secret_fields, values)

    def finished(self, response: HttpResponseBase) -> HttpResponseBase:
        """Return ``response`` with our headers and rendered, so that a value JSON cannot hold undoes the write."""
        # The stubs know only DRF's own answers, though a view may give any of Django's.
        response = self.finalize_response(self.request, cast("Response", response), *self.args, **self.kwargs)
        rate_limit = getattr(self.request, "rate_limit", None)
        for name, value in (rate_limit.headers() if rate_limit else {}).items():
            response.headers[name] = value
        if isinstance(response, Response):
            response.render()
        return response

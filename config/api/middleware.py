"""One request id in the request, the answer and every log line."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"

#: Anything else could forge log lines or headers downstream.
SANE = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")


class RequestIdMiddleware:
    """
    Give the request an id: the caller's ``X-Request-ID`` where it is sane, else a new one.

    It is ``request.request_id``, the ``X-Request-ID`` of the answer and ``request_id`` in the log lines.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the id in the header."""
        given = request.headers.get(HEADER, "")
        chosen = given if SANE.match(given) else str(uuid.uuid4())
        request.request_id = chosen  # type: ignore[attr-defined]
        # A server thread serves one request after another: what the last one bound must not show in this one.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=chosen)
        response = self.get_response(request)
        response[HEADER] = chosen
        return response


def request_id_of(request: HttpRequest | None) -> str:
    """Return the id of ``request``; a new one where the middleware has not run (a view called directly)."""
    return getattr(request, "request_id", None) or str(uuid.uuid4())


def bind_request_id(request: HttpRequest, **_: object) -> None:
    """Replace the id that django-structlog has just made up by ours; a receiver of its signal."""
    if known := getattr(request, "request_id", None):
        structlog.contextvars.bind_contextvars(request_id=known)

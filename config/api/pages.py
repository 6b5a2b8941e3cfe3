"""Error pages where no view was reached: JSON under /v1, Django's own elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from config.api.errors import BROKEN, Answer, answer_to
from config.api.json import dumps
from config.api.middleware import request_id_of

API_PREFIX = "/v1"


def _page(request: HttpRequest, answer: Answer) -> HttpResponse:
    body = dumps(answer.document(request_id_of(request)))
    return HttpResponse(body, status=answer.status, content_type="application/json", headers=dict(answer.headers))


def is_api(request: HttpRequest) -> bool:
    """Tell whether ``request`` asks the API, which answers JSON even where no view is reached."""
    return request.path == API_PREFIX or request.path.startswith(f"{API_PREFIX}/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 where no view was reached; the URL configuration's ``handler400``."""
    return _page(request, answer_to(exception)) if is_api(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 where no view was reached; the URL configuration's ``handler403``."""
    return _page(request, answer_to(exception)) if is_api(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 for an unknown address; the URL configuration's ``handler404``."""
    return _page(request, answer_to(exception)) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 for what went wrong outside of a view; the URL configuration's ``handler500``."""
    return _page(request, BROKEN) if is_api(request) else defaults.server_error(request)

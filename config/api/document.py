"""Where the OpenAPI document and its browsable form are served; neither needs a key."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from config.api.json import dumps
from config.api.views import ApiView


@cache
def document(urlconf: str) -> bytes:
    """Return the OpenAPI 3.1 document of all addresses of ``urlconf``; made once a process, as code stays."""
    generator = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]
    made: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return dumps(made)


class OpenApiDocument(ApiView):
    """``/v1/openapi.json``."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Return the document."""
        return HttpResponse(document(settings.ROOT_URLCONF), content_type="application/json")


class ReferencePages(SpectacularSwaggerSplitView):
    """``/v1/docs``: the document to browse and to try, with scripts of our own server only."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None
    url = "/v1/openapi.json"

"""Routes of view sets."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    """Routes without trailing slash; an id in the path may be any text, so that a malformed one is the view's 404."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)

"""Middleware of the desk: changes carry the name of the operator who made the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.kernel.history import acting_as


class OperatorMiddleware:
    """Run the request of a person who is logged in under their name, so that history rows carry it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        with acting_as(user.get_username(), user_id=user.pk):
            return self.get_response(request)

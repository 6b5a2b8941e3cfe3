"""Scopes: what an operator key may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from config.api.authentication import Caller, caller_of
from config.api.refusals import InsufficientScope

EVERYTHING = "*"

#: Stands in ``details.required`` of a view that forgot to declare its scope; only ``*`` could have it, and it has not.
UNDECLARED = "undeclared"


class HasScope(BasePermission):
    """
    Let a caller in that has the scope the view declares.

    A view declares ``scope_read`` and ``scope_write`` (by method) and, where an action differs, ``scopes`` by action.
    One that declares none is refused to everybody.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """
        Return True for a caller with the scope.

        Raises:
            NotAuthenticated: nobody calls.
            InsufficientScope: the caller lacks it.
        """
        caller = caller_of(request)
        if caller is None:
            raise NotAuthenticated("Give an API key: “Authorization: Bearer …”")
        if not view.takes_method:
            # The frame answers 405, whatever the scopes.
            return True
        required = required_scope(view, request.method or "")
        if required is None or not has_scope(caller, required):
            raise InsufficientScope(required=required or UNDECLARED)
        return True


def has_scope(caller: Caller, required: str) -> bool:
    """Tell whether ``caller`` has a scope, or all there are."""
    return not {required, EVERYTHING}.isdisjoint(caller.scopes)


def require_scope(request: Request, required: str) -> None:
    """
    Ask for one more scope than the view declares, where what is asked for needs it.

    Raises:
        InsufficientScope: the caller lacks it.
    """
    caller = caller_of(request)
    if caller is None or not has_scope(caller, required):
        raise InsufficientScope(required=required)


def required_scope(view: Any, method: str) -> str | None:
    """Return the scope that ``view`` declares for its current action, else for ``method``; None without any."""
    by_action: Mapping[str, str] = getattr(view, "scopes", {})
    if (special := by_action.get(getattr(view, "action", None) or "")) is not None:
        return special
    declared: str | None = getattr(view, "scope_read" if method in SAFE_METHODS else "scope_write", None)
    return declared

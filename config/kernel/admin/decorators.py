"""The decorators that make an admin's methods into actions; permissions and a confirmation page are not optional."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst

from config.kernel.admin.actions import Action
from config.kernel.admin.forms import ActionForm, Reason
from config.kernel.admin.outcome import Answer

ObjectFunction = Callable[[Any, HttpRequest, Any, dict[str, Any]], Answer]
ListFunction = Callable[[Any, HttpRequest, dict[str, Any]], Answer]


def action(
    label: str,
    *,
    permissions: Iterable[str],
    form: type[ActionForm] = ActionForm,
    reason: Reason = "required",
    danger: bool = False,
    detail: bool = True,
    bulk: bool = False,
    icon: str | None = None,
    when: Callable[[Any], bool] | None = None,
    description: str = "",
    unframed: bool = False,
) -> Callable[[ObjectFunction], Action]:
    """
    Make ``function(self, request, object_id, cleaned)`` an action on single objects, with a confirmation page.

    The function calls one operation and returns the sentence that tells of its success (or nothing, or a response);
    a ``DomainError`` is shown to the operator. ``cleaned`` is the cleaned data of ``form`` with ``reason``.

    Args:
        label: the button, an imperative: ``Suspend``.
        permissions: all are needed. ``view``, ``add``, ``change`` and ``delete`` are Django's for the model;
            ``app.codename`` is that permission; any other name asks the admin's ``has_<name>_permission``.
        form: what to ask beside the reason.
        reason: whether the operator must, may or cannot say why.
        danger: paint the button red.
        detail: a button on the object's page.
        bulk: an entry in the list's action menu.
        icon: a Material symbol on the button.
        when: shows the button on an object's page only where this is true; the operation refuses all the same.
        description: a sentence on the confirmation page; the function's docstring where it is empty.
        unframed: it asks the network, and so runs in no transaction.
    """

    def decorate(function: ObjectFunction) -> Action:
        text = description or sentence_of(function)
        return Action(
            function, label, permissions=permissions, form=form, reason=reason, danger=danger, detail=detail,
            bulk=bulk, icon=icon, when=when, description=text, unframed=unframed,
        )  # fmt: skip

    return decorate


def list_action(
    label: str,
    *,
    permissions: Iterable[str],
    form: type[ActionForm] = ActionForm,
    reason: Reason = "required",
    danger: bool = False,
    icon: str | None = None,
    description: str = "",
) -> Callable[[ListFunction], Action]:
    """Make ``function(self, request, cleaned)`` a button above the list that concerns no single object."""

    def decorate(function: ListFunction) -> Action:
        text = description or sentence_of(function)
        return Action(
            function, label, permissions=permissions, form=form, reason=reason, danger=danger, detail=False,
            bulk=False, icon=icon, when=None, description=text,
        )  # fmt: skip

    return decorate


def sentence_of(function: Callable[..., object]) -> str:
    """Return the first line of a function's docstring, for operators to read."""
    lines = (function.__doc__ or "").strip().splitlines()
    return capfirst(lines[0].replace("``", "")) if lines else ""

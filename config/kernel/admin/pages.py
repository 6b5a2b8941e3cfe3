"""Pages of an admin's own that change nothing: a button leads there, and what is sent to them is only answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from config.kernel.admin.actions import Action
from config.kernel.admin.forms import ActionForm

if TYPE_CHECKING:
    from config.kernel.admin.records import ModelAdmin

PageFunction = Callable[..., HttpResponseBase]


class PageAction(Action):
    """The button and the page behind it; nothing is confirmed, because nothing happens, and so nothing is logged."""

    def _page(
        self, admin: ModelAdmin, request: HttpRequest, objects: Sequence[Any], *, back: str, bulk: bool = False
    ) -> HttpResponseBase:
        page: Any = self.function(admin, request, *objects)
        return page  # type: ignore[no-any-return]


def page_action(
    label: str,
    *,
    permissions: Iterable[str],
    detail: bool = True,
    icon: str | None = None,
    when: Callable[[Any], bool] | None = None,
) -> Callable[[PageFunction], PageAction]:
    """
    Make ``function(self, request, obj)`` a page of an object, or ``function(self, request)`` one beside the list.

    The function changes nothing and returns the page (:func:`own_page`); it gets what is sent to it as ``POST`` too.

    Args:
        label: the button, and what the page is called: ``Price bench``.
        permissions: as those of an action, all are needed.
        detail: whether the page is of an object; else it stands beside the list.
        icon: a Material symbol on the button.
        when: shows the button on an object's page only where this is true.
    """

    def decorate(function: PageFunction) -> PageAction:
        return PageAction(
            function, label, permissions=permissions, form=ActionForm, reason=None, danger=False, detail=detail,
            bulk=False, icon=icon, when=when, description="",
        )  # fmt: skip

    return decorate


def own_page(
    admin: ModelAdmin, request: HttpRequest, template: str, *, title: str, obj: Any = None, context: Mapping[str, Any]
) -> TemplateResponse:
    """Return the page that ``template`` (which extends ``admin/base_site.html``) makes of ``context``."""
    frame = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        # The header then names the object, with the way back to its page.
        "original": obj,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, template, {**frame, **context})

"""The page between an action's button and its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from config.kernel.admin.columns import Colour
from config.kernel.admin.forms import ActionForm
from config.kernel.guards import DeletionReport, Verdict

if TYPE_CHECKING:
    from config.kernel.admin.actions import Action
    from config.kernel.admin.records import ModelAdmin

#: How many of the objects concerned the page names; the rest are counted.
NAMED_OBJECTS = 20

VERDICT_COLOURS: dict[Verdict, Colour] = {Verdict.ALLOW: "success", Verdict.WARN: "warning", Verdict.BLOCK: "danger"}


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What a confirmation page says; ``targets`` are what will be acted on, ``[None]`` for a list action."""

    action: Action
    form: ActionForm
    objects: Sequence[Any]
    targets: Sequence[Any]
    back_url: str
    bulk: bool
    reports: Sequence[tuple[Any, DeletionReport]] = ()

    @property
    def allowed(self) -> bool:
        """Tell whether there is anything left to act on."""
        return bool(self.targets)


def confirmation_page(admin: ModelAdmin, request: HttpRequest, page: Confirmation) -> TemplateResponse:
    """Render ``page``; it posts to the address it was asked for at."""
    context = {
        **admin.admin_site.each_context(request),
        "title": page.action.label,
        "opts": admin.opts,
        # The header then names the one object concerned, with the way back to its page.
        "original": page.objects[0] if len(page.objects) == 1 and not page.bulk else None,
        "media": page.form.media,
        "page": page,
        "form": page.form,
        "named": page.objects[:NAMED_OBJECTS],
        "unnamed": max(0, len(page.objects) - NAMED_OBJECTS),
        "reports": [
            (obj, report, [(finding, VERDICT_COLOURS[finding.verdict]) for finding in report.findings])
            for obj, report in page.reports
        ],
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "kernel/confirmation.html", context)

"""The check of the catalog at the desk: a page of its own, and what it says of a plan on the plan's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone

from catalog.admin.plan_panels import Panel, PlanPanels
from catalog.flaws import Flaw, Severity
from catalog.models import PlanStatus, RatePlan
from catalog.queries.catalog_check import check_catalog, check_plan
from config.kernel.admin import Colour, change_url, own_page, page_action

SEVERITY_COLOURS: dict[Severity, Colour] = {
    Severity.ERROR: "danger",
    Severity.WARNING: "warning",
    Severity.HINT: "info",
}
WITHOUT_FLAWS = "No gaps, no overlaps, no prices that cannot be meant: ready to be activated."


def plan_check(request: HttpRequest, plan: RatePlan) -> Panel | None:
    """Return what the check says of a plan; of a draft also that it found nothing, before it is activated."""
    flaws = check_plan(plan, now=timezone.now())
    if not flaws and plan.status != PlanStatus.DRAFT:
        return None
    content = render_to_string("catalog/flaws.html", {"flaws": flaws_shown(flaws), "empty": WITHOUT_FLAWS})
    return Panel(title="Catalog check", content=content)


def flaws_shown(flaws: Sequence[Flaw]) -> list[dict[str, Any]]:
    """Return ``flaws`` as the pages print them."""
    return [
        {
            "flaw": flaw,
            "severity": flaw.severity.capitalize(),
            "colour": SEVERITY_COLOURS[flaw.severity],
            "kind": "" if flaw.about is None else flaw.about._meta.verbose_name,
            "href": "" if flaw.about is None else change_url(flaw.about),
        }
        for flaw in flaws
    ]


class CatalogCheck(PlanPanels):
    """The page beside the list of plans, to which the navigation leads."""

    @page_action("Catalog check", permissions=["view"], detail=False, icon="fact_check")
    def catalog_check(self, request: HttpRequest) -> HttpResponseBase:
        """Show every flaw there is, worst first."""
        flaws = check_catalog(now=timezone.now())
        counts = Counter(flaw.severity for flaw in flaws)
        shown = {
            "counts": [
                {"severity": one.capitalize(), "colour": SEVERITY_COLOURS[one], "count": counts[one]}
                for one in Severity
            ],
            "flaws": flaws_shown(flaws),
            "empty": "Nothing found.",
        }
        return own_page(self, request, "catalog/catalog_check.html", title="Catalog check", context=shown)

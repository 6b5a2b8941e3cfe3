"""What stands below a rate plan's page: panels, to which higher apps add theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpRequest

from catalog.models import RatePlan
from config.kernel.admin import ModelAdmin


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A heading and, below it, rendered HTML."""

    title: str
    content: str


#: Returns what to show of a plan; None for nothing.
PanelFunction = Callable[[HttpRequest, RatePlan], Panel | None]


class PlanPanels(ModelAdmin):
    """The panels below the page of a plan, in the order in which they were added."""

    panels: ClassVar[list[PanelFunction]] = []
    change_form_outer_after_template = "catalog/plan_panels.html"

    @classmethod
    def add_panel(cls, panel: PanelFunction) -> None:
        """Show ``panel`` too; a higher app, which this one cannot import, calls it where its admin is imported."""
        if panel not in cls.panels:
            cls.panels.append(panel)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Put the panels below the form of a plan that is there."""
        plan = context["original"]
        shown = [] if plan is None else [panel(request, plan) for panel in self.panels]
        context = {**context, "panels": [panel for panel in shown if panel is not None]}
        return super().render_change_form(request, context, *args, **kwargs)

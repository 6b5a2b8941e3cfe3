"""Versions of a rate plan at the desk: the next one from a button, and what it changes on its page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin.plan_panels import PlanPanels
from catalog.models import PlanStatus, RatePlan
from catalog.models.product import validate_code
from catalog.operations.plan_versions import clone_rate_plan
from config.kernel.admin import ActionForm, action

WHY_FROZEN = "This plan is {}: its prices are frozen. For other prices {}."


class NewVersionForm(ActionForm):
    """What the copy is called."""

    name = forms.CharField(max_length=200, required=False, help_text="The plan's own where left empty.")
    code = forms.CharField(
        max_length=100, required=False, validators=[validate_code],
        help_text="Left as it is, the copy is the next version. With another code it is another plan.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        [plan] = self.objects
        self.initial = {"name": plan.name, "code": plan.code, **self.initial}


class PlanVersions(PlanPanels):
    """The action that drafts a new version, and the notice that leads to it where prices are frozen."""

    @action("New version", permissions=["add"], form=NewVersionForm, reason="optional", icon="difference")
    def new_version(self, request: HttpRequest, plan_id: str, cleaned: dict[str, Any]) -> HttpResponseRedirect:
        """A draft with the same terms and charges, to be changed; subscriptions stay on the version they are on."""
        copy = clone_rate_plan(plan_id, name=cleaned["name"], code=cleaned["code"], now=timezone.now())
        self.message_user(request, f"Drafted {copy}. Change its prices, then activate it.", messages.SUCCESS)
        return HttpResponseRedirect(self.object_url(copy))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Say above the page why nothing can be changed, and what to do instead."""
        plan = context["original"]
        if plan is not None and plan.status != PlanStatus.DRAFT:
            context = {**context, "notice": self.why_frozen(request, plan)}
        return super().render_change_form(request, context, *args, **kwargs)

    def why_frozen(self, request: HttpRequest, plan: RatePlan) -> str:
        """Return the notice, with the way to a new version for those who may draft one."""
        instead = "make a new version"
        if self.has_add_permission(request):
            path = reverse(f"{self.admin_site.name}:catalog_rateplan_new_version", args=[quote(plan.pk)])
            instead = format_html('<a href="{}" class="underline">{}</a>', path, instead)
        return format_html(WHY_FROZEN, plan.get_status_display().lower(), instead)

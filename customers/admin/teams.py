"""Teams in the admin: departments, projects and cost centres with a budget of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    badge,
    display,
    money_column,
    page_link,
    register,
)
from config.kernel.admin.columns import NOTHING
from config.kernel.money import display_money, round_money
from customers.admin.agents import AgentInline
from customers.models import Team
from customers.operations.teams import create_team, delete_team, update_team
from customers.queries.budgets import with_budgets_used


class TeamForm(RecordForm):
    """A team as an operator describes it."""

    class Meta:
        model = Team
        fields = ("customer", "name", "external_id", "budget_amount", "budget_period")
        help_texts: ClassVar = {
            "name": "A department, project or cost centre. Must be unique among the customer's teams.",
            "external_id": "What your own systems call it. Optional, must be unique among the customer's teams.",
            "budget_amount": "In the customer's currency; empty for no budget.",
            "budget_period": "How long the budget lasts, on the customer's calendar.",
        }


@display(description="used in this period")
def budget_used(team: Any) -> str:
    """Show what the team's usage came to since its budget period began, red where that is more than the budget."""
    if not hasattr(team, "budget_used"):
        return NOTHING
    currency = team.customer.currency
    text = display_money(round_money(team.budget_used, currency), currency)
    is_over = team.budget_amount is not None and team.budget_used > team.budget_amount
    return badge(f"{text}, over budget", "danger") if is_over else text


budget = money_column("budget_amount", "customer__currency", description="budget")


class TeamList(ChangeList):
    """A page of teams, each with what is used of its budget, asked for at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the usage of those on it."""
        super().get_results(request)
        self.result_list: Any = with_budgets_used(self.result_list, now=timezone.now())


class TeamInline(LinkedRows):
    """The customer's teams."""

    model = Team
    verbose_name_plural = "teams"
    fields: ClassVar[Any] = (page_link, "external_id", budget, "budget_period")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the live teams with their customer, whose currency the budget is in."""
        return super().get_queryset(request).filter(deleted_at__isnull=True).select_related("customer")


@register(Team)
class TeamAdmin(ModelAdmin):
    """Who of a customer uses it."""

    form = TeamForm
    list_display = ("name", "customer", "external_id", budget, "budget_period", budget_used, "created_at")
    list_filter = (("customer", AutocompleteFilter), ("budget_period", ChoicesFilter))
    list_select_related = ("customer",)
    search_fields = ("name", "external_id", "customer__name")
    search_help_text = "Name, external id or customer"
    autocomplete_fields = ("customer",)
    inlines: ClassVar[Any] = [AgentInline]
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("customer", "name", "external_id")}),
        ("Budget", {"fields": ("budget_amount", "budget_period", budget_used)}),
    )
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("customer", "name", "external_id")}),
        ("Budget", {"fields": ("budget_amount", "budget_period")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the deleted ones out."""
        return Team.objects.live().select_related("customer")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Read the usage with each page."""
        return TeamList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a team with what is used of its budget."""
        team = super().get_object(request, object_id, from_field)
        return None if team is None else with_budgets_used([team], now=timezone.now())[0]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new team has not got yet."""
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep a team with its customer."""
        return [*super().get_readonly_fields(request, obj), *(["customer"] if obj else [])]

    def suggested_as(self, obj: Any) -> str:
        """Name the customer too: others may have a team of that name."""
        return f"{obj} ({obj.customer})"

    def create(self, request: HttpRequest, form: Any) -> Team:
        """Create a team."""
        asked = form.cleaned_data
        return create_team(**{**asked, "customer": asked["customer"].pk}, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Team:
        """Change the team."""
        return update_team(obj_id, **form.cleaned_data, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the team, which has no agents."""
        delete_team(obj_id, now=timezone.now())

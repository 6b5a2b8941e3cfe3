"""Applications and AI agents in the admin: registered, limited, suspended and reactivated."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.admin import (
    AutocompleteFilter,
    ChoicesFilter,
    Colour,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    StatusFilter,
    action,
    badge,
    display,
    link_to,
    page_link,
    register,
)
from customers.admin.forms import SuspensionForm
from customers.admin.suspensions import is_suspended, suspension_notice
from customers.models import RATE_LIMITS, Agent, AgentStatus, Team
from customers.operations.agents import create_agent, delete_agent, update_agent
from customers.operations.suspension import reactivate_agent, suspend_agent

STATUS_COLOURS: dict[str, Colour] = {AgentStatus.ACTIVE: "success", AgentStatus.SUSPENDED: "danger"}


class AgentForm(RecordForm):
    """A new application or AI agent as an operator registers it."""

    capabilities = SimpleArrayField(
        forms.CharField(max_length=100, required=False),
        delimiter="\n",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What it declares it can do, one a line; access control asks for these names.",
    )

    class Meta:
        model = Agent
        fields = ("team", "name", "kind", "agent_type", *RATE_LIMITS, "capabilities")
        help_texts: ClassVar = {
            "name": "Must be unique within the team.",
            "kind": "An application is a program of the usual kind, an AI agent acts by itself.",
            "agent_type": "What an AI agent is built on; empty for an application, Custom where an agent has none.",
            **dict.fromkeys(RATE_LIMITS, "Empty for no limit of its own."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "team" in self.fields:
            teams: Any = self.fields["team"]
            # As the view that answers while typing calls it: two customers may have a team of one name.
            teams.queryset = Team.objects.live().select_related("customer")
            teams.label_from_instance = lambda team: f"{team} ({team.customer})"

    def clean_capabilities(self) -> list[str]:
        """Pass over empty lines."""
        return [one for one in self.cleaned_data["capabilities"] if one]


class RegisteredAgentForm(AgentForm):
    """An agent that exists; it may move to another team of its customer."""

    team = forms.ModelChoiceField(queryset=Team.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "team" in self.fields:
            teams: Any = self.fields["team"]
            teams.label_from_instance = str
            teams.queryset = Team.objects.live().filter(customer=self.instance.team.customer_id).order_by("name")


class AgentStatusFilter(StatusFilter):
    """Agents whose own access is on, or off, now."""

    statuses = AgentStatus


@display(description="status")
def status_now(agent: Agent) -> str:
    """Show whether the agent's own access is on now."""
    status = agent.status(timezone.now())
    return badge(status.label, STATUS_COLOURS[status])


@display(description="customer", ordering="team__customer__name")
def customer_of(agent: Agent) -> str:
    """Link to the customer that the agent acts for."""
    return link_to(agent.team.customer)


class AgentInline(LinkedRows):
    """The team's applications and agents."""

    model = Agent
    verbose_name_plural = "applications and agents"
    fields: ClassVar[Any] = (page_link, "kind", "agent_type", status_now)
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the live ones."""
        return super().get_queryset(request).filter(deleted_at__isnull=True)


@register(Agent)
class AgentAdmin(ModelAdmin):
    """What calls our APIs for a customer."""

    form = AgentForm
    list_display = ("name", customer_of, "team", "kind", "agent_type", status_now, "created_at")
    list_filter = (
        AgentStatusFilter,
        ("kind", ChoicesFilter),
        ("agent_type", ChoicesFilter),
        ("team__customer", AutocompleteFilter),
        ("team", AutocompleteFilter),
    )
    search_fields = ("name", "team__name", "team__customer__name")
    search_help_text = "Name, team or customer"
    autocomplete_fields = ("team",)
    change_form_outer_before_template = "kernel/notice.html"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": (customer_of, "team", "name", "kind", "agent_type", status_now)}),
        ("Rate limits", {"fields": RATE_LIMITS}),
        ("Access control", {"fields": ("capabilities",)}),
    )
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("team", "name", "kind", "agent_type")}),
        *fieldsets[1:],
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the deleted ones out."""
        return Agent.objects.live().select_related("team__customer")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new agent has not got yet."""
        return self.inlines if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer an agent that exists the teams of its customer only."""
        if obj is not None:
            kwargs["form"] = RegisteredAgentForm
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Say above the page that access is off, the agent's own or that of its customer."""
        agent = context["original"]
        return super().render_change_form(request, {**context, "notice": notice_of(agent)}, *args, **kwargs)

    def suggested_as(self, obj: Any) -> str:
        """Name the customer too: others may have one of that name."""
        return f"{obj} ({obj.team.customer})"

    def create(self, request: HttpRequest, form: Any) -> Agent:
        """Register the agent."""
        return create_agent(**asked(form), now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Agent:
        """Change the agent."""
        return update_agent(obj_id, **asked(form), now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the agent; its keys are revoked."""
        delete_agent(obj_id, confirm=cleaned["confirm"], now=timezone.now())

    @action("Suspend", permissions=["change"], form=SuspensionForm, bulk=True, danger=True, icon="block")
    def suspend(self, request: HttpRequest, agent_id: str, cleaned: dict[str, Any]) -> str:
        """Switch the agent's access off: its keys stop working, those of its customer go on."""
        agent = suspend_agent(agent_id, reason=cleaned["reason"], until=cleaned["until"], now=timezone.now())
        return f"{agent} is suspended."

    @action("Reactivate", permissions=["change"], when=is_suspended, bulk=True, icon="lock_open")
    def reactivate(self, request: HttpRequest, agent_id: str, cleaned: dict[str, Any]) -> str:
        """Switch the agent's access on again: its keys work as before."""
        return f"{reactivate_agent(agent_id, now=timezone.now())} is active again."


def asked(form: Any) -> dict[str, Any]:
    """Return what the form asks for as the operations take it."""
    return {**form.cleaned_data, "team": form.cleaned_data["team"].pk}


def notice_of(agent: Agent | None) -> str:
    """Return what stands above the agent's page; empty where there is nothing to say."""
    if agent is None:
        return ""
    of_customer = "Its customer is suspended, so its keys are off. " if is_suspended(agent.team.customer) else ""
    return f"{of_customer}{suspension_notice(agent)}".strip()

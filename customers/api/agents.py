"""Applications and agents, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.deletion import ConfirmationQuery
from config.api.fields import EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.api.customer_serializers import SuspensionSerializer
from customers.models import Agent, AgentKind, AgentStatus, AgentType
from customers.models.agent import AgentQuerySet
from customers.models.limits import LARGEST_LIMIT
from customers.operations.agents import create_agent, delete_agent, update_agent
from customers.operations.suspension import reactivate_agent, suspend_agent

MAX_CAPABILITIES = 100


def _limit() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, required=False, allow_null=True)


class RateLimitsSerializer(StrictSerializer):
    """An agent's own limits; null where it has none."""

    requests_per_second = _limit()
    requests_per_minute = _limit()
    requests_per_day = _limit()
    tokens_per_minute = _limit()


class AgentSerializer(StrictModelSerializer):
    """An application or AI agent; ``agent_type`` is null for an application."""

    customer = TypeIDField("cust", source="team.customer_id", read_only=True)
    agent_type = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    rate_limits = RateLimitsSerializer(source="*", read_only=True)

    class Meta:
        model = Agent
        fields = [
            "id", "customer", "team", "name", "kind", "agent_type", "status", "rate_limits", "capabilities",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=AgentType.choices, allow_null=True))
    def get_agent_type(self, agent: Agent) -> str | None:
        """Return what an AI agent is built on."""
        return agent.agent_type or None

    @extend_schema_field(EnumField(choices=AgentStatus.choices))
    def get_status(self, agent: Agent) -> str:
        """Return the agent's own status now, whatever its customer's is."""
        return agent.status(timezone.now()).value


class AgentSuspensionSerializer(AgentSerializer):
    """Whether an agent is suspended, since when, until when and why."""

    class Meta(AgentSerializer.Meta):
        fields = ["id", "status", "suspended_at", "suspended_until", "suspension_reason"]
        read_only_fields = fields


class AgentChangesSerializer(StrictSerializer):
    """What of an agent can change; of the rate limits those that are given."""

    team = TypeIDField("team", help_text="An agent moves between the teams of its customer.")
    name = serializers.CharField(max_length=200)
    kind = EnumField(choices=AgentKind.choices, required=False)
    agent_type = EnumField(
        choices=AgentType.choices, required=False, allow_null=True, help_text="Of an AI agent only; CUSTOM by default."
    )
    rate_limits = RateLimitsSerializer(required=False)
    capabilities = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=MAX_CAPABILITIES, required=False,
        help_text="What the agent declares it can do, for access control; each is kept once.",
    )  # fmt: skip


class AgentFilter(StrictFilterSet):
    """Which agents."""

    customer = TypeIDFilter(field_name="team__customer", prefix="cust")
    team = TypeIDFilter(prefix="team")
    kind = ChoiceFilter(choices=AgentKind.choices)
    agent_type = ChoiceFilter(choices=AgentType.choices)
    status = ChoiceFilter(choices=AgentStatus.choices, method="with_status")

    def with_status(self, agents: AgentQuerySet, name: str, value: str) -> AgentQuerySet:
        """Keep those with the status now."""
        return agents.with_status(value, timezone.now())


class AgentViewSet(Listed, Retrieved, ApiViewSet):
    """Applications and agents."""

    queryset = Agent.objects.live().select_related("team")
    serializer_class = AgentSerializer
    filterset_class = AgentFilter
    scope_read, scope_write = "customers:read", "customers:write"
    bodies = {
        "create": AgentChangesSerializer,
        "partial_update": AgentChangesSerializer,
        "suspend": SuspensionSerializer,
    }
    queries = {"destroy": ConfirmationQuery}
    answers = {
        "destroy": DeletedSerializer,
        "suspend": AgentSuspensionSerializer,
        "reactivate": AgentSuspensionSerializer,
    }

    def create(self, request: Request) -> Response:
        """Register an application or AI agent of a team."""
        return self.created(create_agent(**self.asked(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an agent, or move it to another team of its customer."""
        return self.answer(update_agent(self.get_object().id, **self.asked(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an agent; its keys are revoked."""
        agent = delete_agent(self.get_object().id, confirm=self.query()["confirm"], now=timezone.now())
        return self.answer({"id": agent.id, "deleted": True, "deleted_at": agent.deleted_at})

    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        """Switch an agent's access off; suspending again updates reason and end."""
        return self.answer(suspend_agent(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Switch a suspended agent's access on again."""
        return self.answer(reactivate_agent(self.get_object().id, now=timezone.now()))

    def asked(self) -> dict[str, Any]:
        """Return the body with the rate limits by their own names."""
        body = self.body()
        limits = body.pop("rate_limits", {})
        return {**body, **limits}

"""Teams, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import AmountField, EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.models import BudgetPeriod, Team
from customers.operations.teams import create_team, delete_team, update_team
from customers.queries.budgets import with_budgets_used


class TeamSerializer(StrictModelSerializer):
    """A team; ``budget_used`` is its usage in the running budget period, in the customer's currency like the budget."""

    budget_used = AmountField(read_only=True)

    class Meta:
        model = Team
        fields = [
            "id", "customer", "name", "external_id", "budget_amount", "budget_period", "budget_used", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class TeamChangesSerializer(StrictSerializer):
    """What of a team can change."""

    name = serializers.CharField(max_length=200)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)
    budget_amount = AmountField(
        min_value=0, required=False, allow_null=True, help_text="In the customer's currency; null for no budget."
    )
    budget_period = EnumField(choices=BudgetPeriod.choices, required=False)


class NewTeamSerializer(TeamChangesSerializer):
    """What creates a team."""

    customer = TypeIDField("cust")


class TeamFilter(StrictFilterSet):
    """Which teams."""

    customer = TypeIDFilter(prefix="cust")
    external_id = CharFilter()


class TeamViewSet(Listed, Retrieved, ApiViewSet):
    """Teams."""

    queryset = Team.objects.live().select_related("customer")
    serializer_class = TeamSerializer
    filterset_class = TeamFilter
    scope_read, scope_write = "customers:read", "customers:write"
    bodies = {"create": NewTeamSerializer, "partial_update": TeamChangesSerializer}
    answers = {"destroy": DeletedSerializer}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the teams, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        teams = with_budgets_used(page or (), now=timezone.now())
        return self.get_paginated_response(self.get_serializer(teams, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one team."""
        return self.answer(_furnished(self.get_object()))

    def create(self, request: Request) -> Response:
        """Create a team of a customer."""
        return self.created(_furnished(create_team(**self.body(), now=timezone.now())))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a team."""
        return self.answer(_furnished(update_team(self.get_object().id, **self.body(), now=timezone.now())))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a team that has no agents."""
        team = delete_team(self.get_object().id, now=timezone.now())
        return self.answer({"id": team.id, "deleted": True, "deleted_at": team.deleted_at})


def _furnished(team: Team) -> Any:
    """Return the team with what is used of its budget."""
    return with_budgets_used([team], now=timezone.now())[0]

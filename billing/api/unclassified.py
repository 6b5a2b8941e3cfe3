"""Usage of nobody known: what there is, and the customer it turns out to be of."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import UnclassifiedUsage
from billing.models.unclassified import UnclassifiedUsageQuerySet
from billing.operations.reassignment import AT_ONCE, reassign_usage
from billing.queries.unclassified import unclassified_usage, with_suggestions
from config.api.fields import AwareDateTimeField, TypeIDField
from config.api.serializers import StrictSerializer
from config.api.views import ApiViewSet, Listed

LONGEST_NAMED = 300


class UnclassifiedUsageSerializer(StrictSerializer):
    """The UNCLASSIFIED events that named the same and are of the same subscriber."""

    named = serializers.CharField(
        help_text="What the events named, where that was nobody alive: `subscriber bob@acme.com`, `customer cust_…`."
    )
    subscriber = TypeIDField("subr", source="subscriber_id", allow_null=True)
    events = serializers.IntegerField()
    first_at = AwareDateTimeField(help_text="When the earliest of the events happened.")
    last_at = AwareDateTimeField(help_text="When the latest of the events happened.")
    suggested_customer = TypeIDField(
        "cust",
        source="suggestion.id",
        allow_null=True,
        help_text="Whose subscriber it is by now, or the only customer with the domain of the e-mail address.",
    )


class ReassignSerializer(StrictSerializer):
    """Which events, and whose they are: `named`, `subscriber`, or both for those that are both."""

    customer = TypeIDField("cust")
    named = serializers.CharField(
        max_length=LONGEST_NAMED, required=False, trim_whitespace=False, help_text="As it is listed."
    )
    subscriber = TypeIDField("subr", required=False)


class ReassignmentSerializer(StrictSerializer):
    """What became of the events."""

    moved = serializers.IntegerField()
    kept = serializers.IntegerField(
        help_text="Events whose period is on a finalized invoice, or that a charged metric cannot count."
    )
    is_complete = serializers.BooleanField(
        help_text=f"Whether all events were looked at. One request moves {AT_ONCE} at most; the same again goes on."
    )


class UnclassifiedUsageViewSet(Listed, ApiViewSet):
    """Usage whose customer is not known."""

    queryset = UnclassifiedUsage.objects.all()
    serializer_class = UnclassifiedUsageSerializer
    scope_read, scope_write = "billing:read", "billing:write"
    bodies = {"reassign": ReassignSerializer}
    answers = {"reassign": ReassignmentSerializer}
    cursor_field = None

    def get_queryset(self) -> UnclassifiedUsageQuerySet:
        """Return the groups with their figures."""
        return unclassified_usage()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what there is, in groups, those with the latest event first."""
        found = with_suggestions(self.paginate_queryset(self.get_queryset()) or ())
        return self.get_paginated_response(self.get_serializer(found, many=True).data)

    @action(detail=False, methods=["post"])
    def reassign(self, request: Request) -> Response:
        """
        Move events to a customer, as if they had named it when they were sent.

        Only open periods take them: what lies in a period that is on a finalized invoice stays where it is.
        """
        return self.answer(reassign_usage(**self.body(), now=timezone.now()))

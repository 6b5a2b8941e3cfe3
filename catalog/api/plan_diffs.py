"""What a rate plan changes against another, above all a version against the one before, as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.rate_plans import ChargeSerializer
from catalog.errors import NoEarlierVersion
from catalog.models import RatePlan
from catalog.queries.plan_diffs import Change, plan_diff, version_before
from config.api.fields import EnumField, TypeIDField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView


class DiffQuery(QuerySerializer):
    """What a plan is compared with."""

    against = TypeIDField("plan", required=False, help_text="The version before, unless another plan is named.")


#: The value of a field can be of any kind there is.
ANY_TERM = {
    "type": ["string", "number", "boolean", "object", "array", "null"],
    "description": "As the object itself shows the field.",
}


@extend_schema_field(ANY_TERM)
class TermField(serializers.Field[Any, Any, Any, Any]):
    """The value of a field, of whatever kind."""

    def to_representation(self, value: Any) -> Any:
        """Return the value."""
        return value


class TermChangeSerializer(StrictSerializer):
    """A field that differs."""

    field = serializers.CharField()
    before = TermField()
    after = TermField()


class ChargeChangeSerializer(StrictSerializer):
    """A charge that differs: ``before`` is null where it was ADDED, ``after`` where it was REMOVED."""

    change = EnumField(choices=[one.value for one in Change])
    before = ChargeSerializer(allow_null=True)
    after = ChargeSerializer(allow_null=True)
    changes = TermChangeSerializer(many=True, source="terms", help_text="What CHANGED; empty for the others.")


class PlanDiffSerializer(StrictSerializer):
    """What a plan changes; charges that are the same in both are only counted."""

    plan = TypeIDField("plan", source="plan.id")
    against = TypeIDField("plan", source="against.id")
    changes = TermChangeSerializer(many=True, source="terms")
    charges = ChargeChangeSerializer(many=True)
    unchanged_charges = serializers.IntegerField(source="unchanged")


class PlanDiffView(ApiView):
    """``/v1/rate-plans/{id}/diff``."""

    queryset = RatePlan.objects.all()
    scope_read = "catalog:read"
    queries = {"get": DiffQuery}
    answers = {"get": PlanDiffSerializer}

    def get(self, request: Request, pk: str) -> Response:
        """
        Say what a rate plan changes against the version before, or against another plan, term by term.

        Charges count as the same where metric and match are, else where metric and name are, else by their order. Who
        is still on the older version: `GET /v1/subscriptions?plan=…&status=active`.
        """
        plan: RatePlan = self.get_object()
        named = self.query().get("against")
        against = RatePlan.objects.find(named, param="against") if named else version_before(plan)
        if against is None:
            raise NoEarlierVersion
        return self.answer(plan_diff(plan, against))

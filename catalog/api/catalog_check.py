"""The check of the catalog, as JSON."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.flaws import Flaw, Severity
from catalog.models import RatePlan
from catalog.queries.catalog_check import check_catalog, check_plan
from config.api.fields import EnumField, TypeIDField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.api.views import ApiView


class CatalogCheckQuery(QuerySerializer):
    """What is checked."""

    plan = TypeIDField("plan", required=False, help_text="Only this plan by itself, as before its activation.")


class FlawSerializer(StrictSerializer):
    """One finding: an ERROR loses money or customers now, a WARNING probably does, a HINT is worth a look."""

    severity = EnumField(choices=[one.value for one in Severity])
    code = serializers.CharField(help_text="What kind of finding it is: `usage_without_charge`.")
    object = serializers.SerializerMethodField(
        help_text="The id of the plan, product or metric it is about; null where it is about none."
    )
    message = serializers.CharField()
    advice = serializers.CharField()

    def get_object(self, flaw: Flaw) -> str | None:
        """Return the id of what the finding is about."""
        return None if flaw.about is None else str(flaw.about.pk)


class SeverityCountsSerializer(StrictSerializer):
    """How many findings there are."""

    error = serializers.IntegerField()
    warning = serializers.IntegerField()
    hint = serializers.IntegerField()


class CatalogCheckSerializer(StrictSerializer):
    """What was found, worst first, and how much of each severity."""

    counts = SeverityCountsSerializer()
    findings = FlawSerializer(many=True)


class CatalogCheckView(ApiView):
    """``/v1/catalog-check``."""

    queryset = RatePlan.objects.all()
    scope_read = "catalog:read"
    queries = {"get": CatalogCheckQuery}
    answers = {"get": CatalogCheckSerializer}

    def get(self, request: Request) -> Response:
        """
        Check the catalog for gaps, overlaps, prices that cannot be meant and loose ends.

        Of the usage of the last 30 days it says what no metric counts and what no charge takes. Nothing is changed.
        """
        named, now = self.query().get("plan"), timezone.now()
        plan = RatePlan.objects.select_related("product").find(named, param="plan") if named else None
        flaws = check_catalog(now=now) if plan is None else check_plan(plan, now=now)
        counts = Counter(flaw.severity for flaw in flaws)
        return self.answer({"counts": {one.lower(): counts[one] for one in Severity}, "findings": flaws})

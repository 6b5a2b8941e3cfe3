"""Deletion under guards as JSON: the report, and the parameter that confirms its warnings."""

from __future__ import annotations

from rest_framework import serializers

from config.api.fields import EnumField
from config.api.serializers import QuerySerializer, StrictSerializer
from config.kernel.guards import Verdict

VERDICTS = [verdict.name for verdict in Verdict]


class DeletionQuery(QuerySerializer):
    """Whether the consequences that the report warns of are wanted."""

    confirm = serializers.BooleanField(default=False, help_text="Delete although the report warns.")


class FindingSerializer(StrictSerializer):
    """One reason why an object may not simply be deleted."""

    code = serializers.CharField()
    verdict = EnumField(choices=VERDICTS)
    message = serializers.CharField()
    count = serializers.IntegerField(help_text="How many objects it concerns.")


class DeletionReportSerializer(StrictSerializer):
    """What stands in the way of a deletion, worst first."""

    verdict = EnumField(choices=VERDICTS)
    findings = FindingSerializer(many=True)

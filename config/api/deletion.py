"""Guarded deletion over the API: the confirmation it takes and the report it gives."""

from __future__ import annotations

from rest_framework import serializers

from config.api.serializers import QuerySerializer
from config.kernel.guards import Verdict


class ConfirmationQuery(QuerySerializer):
    """Whether the consequences that the report warns of are wanted."""

    confirm = serializers.BooleanField(default=False)


class FindingSerializer(serializers.Serializer[object]):
    """One reason."""

    code = serializers.CharField()
    verdict = serializers.ChoiceField(choices=[verdict.name for verdict in Verdict])
    message = serializers.CharField()
    count = serializers.IntegerField()


class DeletionReportSerializer(serializers.Serializer[object]):
    """The worst verdict of all findings, and the findings, worst first."""

    verdict = serializers.ChoiceField(choices=[verdict.name for verdict in Verdict])
    findings = FindingSerializer(many=True)

"""Metrics as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Metric
from catalog.operations.metrics import create_metric, rename_metric
from config.api.serializers import StrictModelSerializer
from config.api.views import ApiViewSet, Listed, Retrieved


class PropertyField(serializers.CharField):
    """The property of the events that is aggregated; null where events are counted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        """Return the name, or null."""
        return value or None


class MetricSerializer(StrictModelSerializer):
    """A metric."""

    property = PropertyField()

    class Meta:
        model = Metric
        fields = (
            "id", "code", "name", "event_type", "aggregation", "property", "dimensions", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class NewMetricSerializer(StrictModelSerializer):
    """What makes a metric; everything but its name is fixed from then on."""

    property = PropertyField(required=False)
    dimensions = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=100,
        required=False,
        help_text="The event properties that usage is kept by.",
    )

    class Meta:
        model = Metric
        fields = ("code", "name", "event_type", "aggregation", "property", "dimensions")
        extra_kwargs = {"event_type": {"required": False, "help_text": "The code, unless another is named."}}

    def validate_property(self, value: str | None) -> str:
        """Return the name as the model keeps it."""
        return value or ""


class MetricChangesSerializer(StrictModelSerializer):
    """What of a metric can change."""

    class Meta:
        model = Metric
        fields = ("name",)


class MetricViewSet(Listed, Retrieved, ApiViewSet):
    """Metrics."""

    queryset = Metric.objects.all()
    serializer_class = MetricSerializer
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewMetricSerializer, "partial_update": MetricChangesSerializer}

    def create(self, request: Request) -> Response:
        """Create a metric."""
        return self.created(create_metric(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a metric."""
        metric = self.get_object()
        return self.answer(rename_metric(metric.id, **{"name": metric.name, **self.body()}, now=timezone.now()))

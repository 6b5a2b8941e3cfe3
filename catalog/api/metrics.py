"""Metrics, as JSON."""

from __future__ import annotations

from django.utils import timezone
from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Aggregation, Metric
from catalog.models.product import validate_code
from catalog.operations.metrics import create_metric, delete_metric, rename_metric
from config.api.deletion import DeletionReportSerializer
from config.api.fields import EnumField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report


class MetricSerializer(StrictModelSerializer):
    """A metric; ``property`` is null for a COUNT."""

    property = serializers.SerializerMethodField()

    class Meta:
        model = Metric
        fields = [
            "id", "code", "name", "event_type", "aggregation", "property", "dimensions", "created_at", "updated_at"
        ]  # fmt: skip
        read_only_fields = fields

    def get_property(self, metric: Metric) -> str | None:
        """Return the property that is aggregated."""
        return metric.property or None


class MetricNameSerializer(StrictSerializer):
    """The one thing of a metric that can change."""

    name = serializers.CharField(max_length=200)


class NewMetricSerializer(MetricNameSerializer):
    """What makes a metric."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    aggregation = EnumField(choices=Aggregation.choices)
    event_type = serializers.CharField(max_length=100, required=False, help_text="The code, unless another is named.")
    property = serializers.CharField(max_length=100, required=False, help_text="What is aggregated; not for COUNT.")
    dimensions = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=20, required=False,
        help_text="The event properties that usage is kept apart by.",
    )  # fmt: skip


class MetricFilter(StrictFilterSet):
    """Which metrics."""

    code = CharFilter()
    event_type = CharFilter()


class MetricViewSet(Listed, Retrieved, ApiViewSet):
    """Metrics."""

    queryset = Metric.objects.all()
    serializer_class = MetricSerializer
    filterset_class = MetricFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewMetricSerializer, "partial_update": MetricNameSerializer}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """Create a metric."""
        return self.created(create_metric(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a metric; its definition is fixed."""
        metric = self.get_object()
        return self.answer(rename_metric(metric.id, **{"name": metric.name, **self.body()}, now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a metric that no rate plan charges for."""
        metric, now = self.get_object(), timezone.now()
        delete_metric(metric.id)
        return self.answer({"id": metric.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a metric."""
        return self.answer(deletion_report(self.get_object()).document())

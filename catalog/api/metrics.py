"""Metrics, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import DECIMALS, Aggregation, Metric, RoundingFunction
from catalog.models.product import validate_code
from catalog.operations.metrics import create_metric, delete_metric, rename_metric
from config.api.deletion import DeletionReportSerializer
from config.api.fields import EnumField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

PROPERTY = (
    "What is aggregated; not for COUNT. A number, but for UNIQUE_COUNT, which counts the different texts and numbers; "
    "an event takes one of them back with the property `operation_type` as `remove`."
)
RECURRING = (
    "Whether a period begins with what the one before left, as seats and storage do: for SUM, UNIQUE_COUNT, LATEST and "
    "WEIGHTED_SUM."
)


class RoundingSerializer(StrictSerializer):
    """How the units of a period are rounded before they are priced; halves go away from zero."""

    function = EnumField(choices=RoundingFunction.choices)
    precision = serializers.IntegerField(min_value=0, max_value=DECIMALS, default=0, help_text="How many decimals.")


class MetricSerializer(StrictModelSerializer):
    """A metric; ``property`` is null for a COUNT, ``rounding`` where units are priced as they are."""

    property = serializers.SerializerMethodField()
    rounding = serializers.SerializerMethodField()

    class Meta:
        model = Metric
        fields = [
            "id", "code", "name", "event_type", "aggregation", "property", "dimensions", "recurring", "rounding",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_property(self, metric: Metric) -> str | None:
        """Return the property that is aggregated."""
        return metric.property or None

    @extend_schema_field(RoundingSerializer(allow_null=True))
    def get_rounding(self, metric: Metric) -> dict[str, Any] | None:
        """Return function and precision."""
        if not metric.rounding_function:
            return None
        return {"function": metric.rounding_function, "precision": metric.rounding_precision}


class MetricNameSerializer(StrictSerializer):
    """The one thing of a metric that can change."""

    name = serializers.CharField(max_length=200)


class NewMetricSerializer(MetricNameSerializer):
    """What makes a metric."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    aggregation = EnumField(choices=Aggregation.choices)
    event_type = serializers.CharField(max_length=100, required=False, help_text="The code, unless another is named.")
    property = serializers.CharField(max_length=100, required=False, help_text=PROPERTY)
    dimensions = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=20, required=False,
        help_text="The event properties that usage is kept apart by.",
    )  # fmt: skip
    recurring = serializers.BooleanField(default=False, help_text=RECURRING)
    rounding = RoundingSerializer(required=False, allow_null=True)


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
        body = self.body()
        rounding = body.pop("rounding", None) or {}
        how = {f"rounding_{name}": value for name, value in rounding.items()}
        return self.created(create_metric(**body, **how, now=timezone.now()))

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

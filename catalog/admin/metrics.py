"""Metrics in the admin: defined once, renamed at any time."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Metric
from catalog.operations.metrics import create_metric, rename_metric
from config.kernel.admin import (
    ChoicesFilter,
    ModelAdmin,
    RecordForm,
    register,
)

WHY_FIXED = "Fixed once the metric exists, because usage is already counted by it; make a new metric instead."


class MetricForm(RecordForm):
    """A metric as an operator defines it."""

    event_type = forms.CharField(
        max_length=100,
        required=False,
        help_text="The type of the usage events that are counted. Left empty, it is the code.",
    )
    dimensions = SimpleArrayField(
        forms.CharField(max_length=100),
        required=False,
        help_text="Event properties that usage is kept apart by, separated by commas: model, region. "
        "Charges can then have a price for each of their values.",
    )

    class Meta:
        model = Metric
        fields = ("code", "name", "aggregation", "event_type", "property", "dimensions")
        help_texts: ClassVar = {
            "code": "What integrations call the metric. Must be unique.",
            "name": "What operators and customers read.",
            "aggregation": "How the events of a billing period become units.",
            "property": "The event property that is summed or whose maximum counts; empty for a count of events.",
        }


#: All that is fixed once the metric exists.
FIXED_FIELDS = tuple(name for name in MetricForm.Meta.fields if name != "name")


@register(Metric)
class MetricAdmin(ModelAdmin):
    """What usage is counted."""

    form = MetricForm
    list_display = ("name", "code", "aggregation", "event_type", "property", "dimensions", "created_at")
    list_filter = (("aggregation", ChoicesFilter),)
    search_fields = ("name", "code", "event_type")
    fields = MetricForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave only the name open once the metric exists."""
        return [*super().get_readonly_fields(request, obj), *(FIXED_FIELDS if obj else ())]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Say why only the name is open."""
        if obj is None or not self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        (_, options), *others = super().get_fieldsets(request, obj)
        return [
            (None, {**options, "fields": ["name"]}),
            ("Definition", {"fields": FIXED_FIELDS, "description": WHY_FIXED}),
            *others,
        ]

    def create(self, request: HttpRequest, form: Any) -> Metric:
        """Define a metric."""
        return create_metric(**form.cleaned_data, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Metric:
        """Rename the metric."""
        return rename_metric(obj_id, name=form.cleaned_data["name"], now=timezone.now())

"""Metrics in the admin: defined once, renamed at any time."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from catalog.admin.charge_texts import price_in_words
from catalog.admin.products import PLAN_COLOURS
from catalog.models import Charge, Metric
from catalog.operations.metrics import create_metric, delete_metric, rename_metric
from config.kernel.admin import (
    BooleanFilter,
    ChoicesFilter,
    LinkedRows,
    ModelAdmin,
    RecordForm,
    display,
    link_to,
    register,
    status_badge,
)
from config.kernel.admin.columns import NOTHING

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
        fields = (
            "code", "name", "aggregation", "event_type", "property", "dimensions", "recurring", "rounding_function",
            "rounding_precision",
        )  # fmt: skip
        labels: ClassVar = {"rounding_function": "Round units", "rounding_precision": "Decimals"}
        help_texts: ClassVar = {
            "code": "What integrations call the metric. Must be unique.",
            "name": "What operators and customers read.",
            "aggregation": "How the events of a billing period become units.",
            "property": "The event property that is summed, compared or told apart; empty for a count of events. "
            "It is a number, but for a count of different values: there it can be a text, and an event with the "
            "property operation_type = remove takes its value away again.",
            "recurring": "A period begins with what the one before left, as seats and storage do. For sums, different "
            "values and latest values.",
            "rounding_function": "How the units of a period are rounded before they are priced. Left empty, they are "
            "priced as they are.",
            "rounding_precision": "How many decimals rounding leaves, 0 to 12; 0 where left empty.",
        }


#: All that is fixed once the metric exists.
FIXED_FIELDS = tuple(name for name in MetricForm.Meta.fields if name != "name")


@display(description="rate plans", ordering="plan_count")
def plans_charging(metric: Any) -> str:
    """Show how many rate plans charge for the metric, as a link to them."""
    if not metric.plan_count:
        return NOTHING
    path = reverse("admin:catalog_rateplan_changelist")
    return format_html(
        '<a href="{}?charges__metric__id__exact={}" class="text-primary-600 underline dark:text-primary-500">{}</a>',
        path, metric.pk, metric.plan_count,
    )  # fmt: skip


@display(description="rate plan")
def plan_of(charge: Charge) -> str:
    """Link to the plan of a charge."""
    return link_to(charge.plan)


@display(description="price")
def price_shown(charge: Charge) -> str:
    """Print what the charge asks for usage."""
    only = [f"only where {name} is {' or '.join(values)}" for name, values in charge.match.items()]
    return "; ".join([*price_in_words(charge, charge.plan.currency), *only])


class ChargeInline(LinkedRows):
    """What rate plans charge for the metric."""

    model = Charge
    verbose_name_plural = "charges"
    fields: ClassVar[Any] = (plan_of, status_badge("plan__status", PLAN_COLOURS, description="status"), price_shown)
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the charges with their plans."""
        return super().get_queryset(request).select_related("plan")


@register(Metric)
class MetricAdmin(ModelAdmin):
    """What usage is counted."""

    form = MetricForm
    list_display = ("name", "code", "aggregation", "event_type", "property", "dimensions", plans_charging, "created_at")
    list_filter = (("aggregation", ChoicesFilter), ("recurring", BooleanFilter))
    search_fields = ("name", "code", "event_type", "property")
    search_help_text = "Name, code, event type or property"
    fields = MetricForm.Meta.fields
    inlines: ClassVar[Any] = [ChargeInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the rate plans along with each metric."""
        return super().get_queryset(request).with_plan_count()  # type: ignore[attr-defined, no-any-return]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave out what a new metric has not got yet."""
        return self.inlines if obj else ()

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

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the metric, which no plan charges for."""
        delete_metric(obj_id)

"""Form fields in which several records are chosen by name: ids out, as operations take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet

from catalog.models import Metric, RatePlan, Tax

if TYPE_CHECKING:
    ModelMultipleChoiceField = forms.ModelMultipleChoiceField[Any]
else:
    ModelMultipleChoiceField = forms.ModelMultipleChoiceField


class ChosenField(ModelMultipleChoiceField):
    """Some records of ``queryset``, or none."""

    def __init__(self, queryset: QuerySet[Any], **options: Any) -> None:
        super().__init__(queryset, **{"required": False, **options})

    def clean(self, value: Any) -> Any:
        """Return the ids of what is chosen."""
        return [row.pk for row in super().clean(value)]


class TaxesField(ChosenField):
    """The taxes of a plan or an add-on."""

    def __init__(self, **options: Any) -> None:
        hint = "Where none is chosen, those of the customer apply, or else the default ones."
        super().__init__(Tax.objects.order_by("name"), **{"help_text": hint, **options})


class PlansField(ChosenField):
    """Rate plans, whatever their status."""

    def __init__(self, **options: Any) -> None:
        plans = RatePlan.objects.select_related("product").order_by("product__name", "name", "version")
        super().__init__(plans, **options)

    def label_from_instance(self, obj: Any) -> str:
        """Name product, plan and code."""
        return f"{obj.product}: {obj} ({obj.code})"


class MetricsField(ChosenField):
    """Metrics."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Metric.objects.order_by("name"), **options)

    def label_from_instance(self, obj: Any) -> str:
        """Name metric and code."""
        return f"{obj} ({obj.code})"

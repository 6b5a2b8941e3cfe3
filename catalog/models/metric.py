"""Metrics: what usage is counted."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q

from catalog.models.product import validate_code
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet


class Aggregation(models.TextChoices):
    """How the events of a period become units."""

    COUNT = "COUNT", "Count of events"
    SUM = "SUM", "Sum of a property"
    MAX = "MAX", "Maximum of a property"


class MetricQuerySet(RecordQuerySet["Metric"]):
    """Metrics."""

    def with_plan_count(self) -> Self:
        """Give each ``plan_count``, how many rate plans charge for it."""
        return self.annotate(plan_count=Count("charges__plan", distinct=True))


class Metric(Record):
    """
    A measure over usage events: which events (``event_type``), which property, kept apart by which ``dimensions``.

    Its definition never changes once made, because roll-ups are kept by it; only the name does.
    """

    id = TypeIDField("metr")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    event_type = models.CharField(max_length=100)
    aggregation = models.CharField(max_length=20, choices=Aggregation)
    property = models.CharField(max_length=100, blank=True)
    dimensions = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    objects = MetricQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(name="metric_event_type", fields=["event_type"])]
        # Roll-ups are kept by the definition; with another they would mean something else.
        triggers = [
            pgtrigger.ReadOnly(
                name="metric_definition_is_fixed",
                fields=["code", "event_type", "aggregation", "property", "dimensions"],
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="metric_counts_or_names_a_property",
                condition=(Q(aggregation=Aggregation.COUNT) & Q(property=""))
                | (~Q(aggregation=Aggregation.COUNT) & ~Q(property="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

"""Metrics: what usage is counted."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q

from catalog.models.product import validate_code
from config.kernel.history import History
from config.kernel.ids import TypeIDField
from config.kernel.models import Record, RecordQuerySet
from config.kernel.money import EXACT

#: How many decimals quantities are kept with.
DECIMALS = 12


class Aggregation(models.TextChoices):
    """How the events of a period become units."""

    COUNT = "COUNT", "Count of events"
    SUM = "SUM", "Sum of a property"
    MAX = "MAX", "Maximum of a property"
    UNIQUE_COUNT = "UNIQUE_COUNT", "Count of a property's different values"
    LATEST = "LATEST", "Latest value of a property"
    WEIGHTED_SUM = "WEIGHTED_SUM", "Sum of a property, weighted by the time it was held"


#: The aggregations for which what is added up by the hour does not suffice.
COUNTED_BY_EVENT = frozenset({Aggregation.UNIQUE_COUNT, Aggregation.LATEST, Aggregation.WEIGHTED_SUM})

#: The aggregations with a level that can be carried from a period into the next.
WITH_LEVEL = frozenset({Aggregation.SUM, *COUNTED_BY_EVENT})


class RoundingFunction(models.TextChoices):
    """How the units of a period are rounded before they are priced."""

    ROUND = "round", "To the nearest, halves away from zero"
    CEIL = "ceil", "Up"
    FLOOR = "floor", "Down"


#: What Python calls them.
ROUNDING = {
    RoundingFunction.ROUND: ROUND_HALF_UP,
    RoundingFunction.CEIL: ROUND_CEILING,
    RoundingFunction.FLOOR: ROUND_FLOOR,
}


class MetricQuerySet(RecordQuerySet["Metric"]):
    """Metrics."""

    def with_plan_count(self) -> Self:
        """Give each ``plan_count``, how many rate plans charge for it."""
        return self.annotate(plan_count=Count("charges__plan", distinct=True))

    def counted_by_event(self) -> Self:
        """Keep those whose units need the events themselves."""
        return self.filter(Q(aggregation__in=COUNTED_BY_EVENT) | Q(recurring=True))


class Metric(Record):
    """
    A measure over usage events: which events (``event_type``), which property, kept apart by which ``dimensions``.

    Each period counts anew, unless the metric is ``recurring``: then it begins with what the one before left, as seats
    and storage do. The units of a period, not those of each event, are rounded by ``rounding_function`` to
    ``rounding_precision`` decimals before they are priced.

    Its definition never changes once made, because roll-ups are kept by it; only the name does.
    """

    id = TypeIDField("metr")
    code = models.CharField(max_length=100, unique=True, validators=[validate_code])
    name = models.CharField(max_length=200)
    event_type = models.CharField(max_length=100)
    aggregation = models.CharField(max_length=20, choices=Aggregation)
    property = models.CharField(max_length=100, blank=True)
    dimensions = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    recurring = models.BooleanField(default=False)
    rounding_function = models.CharField(max_length=10, choices=RoundingFunction, blank=True)
    rounding_precision = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = MetricQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(name="metric_event_type", fields=["event_type"])]
        # Roll-ups are kept by the definition; with another they would mean something else.
        triggers = [
            pgtrigger.ReadOnly(
                name="metric_definition_is_fixed",
                fields=[
                    "code",
                    "event_type",
                    "aggregation",
                    "property",
                    "dimensions",
                    "recurring",
                    "rounding_function",
                    "rounding_precision",
                ],
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="metric_counts_or_names_a_property",
                condition=(Q(aggregation=Aggregation.COUNT) & Q(property=""))
                | (~Q(aggregation=Aggregation.COUNT) & ~Q(property="")),
            ),
            models.CheckConstraint(
                name="metric_recurring_has_a_level",
                condition=Q(recurring=False) | Q(aggregation__in=sorted(WITH_LEVEL)),
            ),
            models.CheckConstraint(
                name="metric_rounding_is_whole",
                condition=Q(rounding_function="", rounding_precision__isnull=True)
                | Q(
                    rounding_function__in=RoundingFunction.values,
                    rounding_precision__isnull=False,
                    rounding_precision__range=(0, DECIMALS),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # A method, because «property» is a field here.
    def is_counted_by_event(self) -> bool:
        """Tell whether the units of a period need its events themselves, not only what they add up to by the hour."""
        return self.recurring or self.aggregation in COUNTED_BY_EVENT

    def rounded(self, units: Decimal) -> Decimal:
        """Return the ``units`` of a period as they are priced: rounded as the metric says, else to 12 decimals."""
        if self.rounding_function:
            step = Decimal(1).scaleb(-(self.rounding_precision or 0))
            return units.quantize(step, rounding=ROUNDING[RoundingFunction(self.rounding_function)], context=EXACT)
        finest = units.quantize(Decimal(1).scaleb(-DECIMALS), rounding=ROUND_HALF_UP, context=EXACT)
        return units if finest == units else finest

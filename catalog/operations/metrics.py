"""Metrics: create, rename, delete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from catalog.errors import DuplicateCode, MetricDeletionBlocked
from catalog.models import DECIMALS, WITH_LEVEL, Aggregation, Metric
from config.kernel.constraints import refusing
from config.kernel.errors import Invalid
from config.kernel.guards import DeletionReport, Verdict, deletion_report


@transaction.atomic
def create_metric(
    *,
    code: str,
    name: str,
    aggregation: str,
    event_type: str = "",
    property: str = "",
    dimensions: Sequence[str] = (),
    recurring: bool = False,
    rounding_function: str = "",
    rounding_precision: int | None = None,
    now: datetime,
) -> Metric:
    """
    Create a metric; ``event_type`` defaults to the code, the precision of a rounding to 0 decimals.

    Raises:
        DuplicateCode: another metric has the code.
        Invalid: a COUNT names a property, another aggregation names none, a dimension stands twice, a COUNT or MAX is
            recurring, or the rounding is not whole.
    """
    if (aggregation == Aggregation.COUNT) != (property == ""):
        raise Invalid("property", "COUNT takes no property, every other aggregation names one")
    if len(set(dimensions)) != len(dimensions):
        raise Invalid("dimensions", "Each dimension may be named once")
    if recurring and aggregation not in WITH_LEVEL:
        raise Invalid("recurring", f"A {aggregation} has no level that could be carried into the next period")
    precision = _precision(rounding_function, rounding_precision)
    metric = Metric(
        code=code,
        name=name,
        event_type=event_type or code,
        aggregation=aggregation,
        property=property,
        dimensions=list(dimensions),
        recurring=recurring,
        rounding_function=rounding_function,
        rounding_precision=precision,
        created_at=now,
        updated_at=now,
    )
    with refusing({"catalog_metric_code_key": DuplicateCode(value=code)}):
        metric.save(force_insert=True)
    return metric


def _precision(function: str, precision: int | None) -> int | None:
    """Return the decimals that units are rounded to; None where they are not."""
    if not function:
        if precision is not None:
            raise Invalid("rounding_precision", "Say how to round to these decimals")
        return None
    decimals = precision or 0
    if not 0 <= decimals <= DECIMALS:
        raise Invalid("rounding_precision", f"Units are rounded to 0 to {DECIMALS} decimals")
    return decimals


@transaction.atomic
def rename_metric(metric_id: str, *, name: str, now: datetime) -> Metric:
    """Change the name people read; everything else about a metric is fixed."""
    metric = Metric.objects.lock(metric_id)
    if changed := metric.assign({"name": name}):
        metric.save_changes(*changed, now=now)
    return metric


@transaction.atomic
def delete_metric(metric_id: str) -> DeletionReport:
    """
    Delete the metric, and return the report it was deleted under.

    Raises:
        MetricDeletionBlocked: a rate plan charges for it; ``details`` is the report.
    """
    # The full lock also keeps new charges away, which refer to the metric.
    metric = Metric.objects.lock(metric_id)
    report = deletion_report(metric)
    if report.verdict is not Verdict.ALLOW:
        raise MetricDeletionBlocked(**report.document())
    metric.delete()
    return report

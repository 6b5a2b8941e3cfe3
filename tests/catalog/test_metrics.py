"""Metrics: which definitions there are, by the operation and by the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from catalog.models import DECIMALS, Metric
from catalog.operations.metrics import rename_metric
from config.kernel.errors import Invalid
from tests.factories import NOW, make_metric

pytestmark = pytest.mark.django_db

AGGREGATIONS = ["COUNT", "SUM", "MAX", "UNIQUE_COUNT", "LATEST", "WEIGHTED_SUM"]
LEVELS = {"SUM", "UNIQUE_COUNT", "LATEST", "WEIGHTED_SUM"}


def property_of(aggregation: str) -> str:
    return "" if aggregation == "COUNT" else "size"


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_only_a_level_can_be_carried_into_the_next_period(aggregation: str) -> None:
    fields: dict[str, Any] = {"aggregation": aggregation, "property": property_of(aggregation)}

    if aggregation in LEVELS:
        assert make_metric(**fields, recurring=True).is_counted_by_event()
    else:
        with pytest.raises(Invalid) as refusal:
            make_metric(**fields, recurring=True)
        assert refusal.value.param == "recurring"
    assert make_metric(**fields).is_counted_by_event() is (aggregation in LEVELS - {"SUM"})
    counted = Metric.objects.counted_by_event()
    assert {metric.pk for metric in Metric.objects.all() if metric.is_counted_by_event()} == {one.pk for one in counted}


ROUNDINGS: list[tuple[dict[str, Any], tuple[str, int | None] | None]] = [
    ({}, ("", None)),
    ({"rounding_function": "ceil"}, ("ceil", 0)),
    ({"rounding_function": "round", "rounding_precision": DECIMALS}, ("round", DECIMALS)),
    ({"rounding_function": "floor", "rounding_precision": 0}, ("floor", 0)),
    ({"rounding_function": "floor", "rounding_precision": -1}, None),
    ({"rounding_function": "floor", "rounding_precision": DECIMALS + 1}, None),
    ({"rounding_precision": 2}, None),
]


@pytest.mark.parametrize(("asked", "kept"), ROUNDINGS)
def test_a_rounding_is_a_function_and_a_number_of_decimals(
    asked: dict[str, Any], kept: tuple[str, int | None] | None
) -> None:
    if kept is None:
        with pytest.raises(Invalid) as refusal:
            make_metric(**asked)
        assert refusal.value.param == "rounding_precision"
        assert not Metric.objects.exists()
    else:
        metric = make_metric(**asked)
        assert (metric.rounding_function, metric.rounding_precision) == kept


BROKEN = [
    ("SUM", "recurring = true", True),
    ("MAX", "recurring = true", False),
    ("COUNT", "recurring = true", False),
    ("SUM", "rounding_function = 'ceil', rounding_precision = 12", True),
    ("SUM", "rounding_function = 'ceil', rounding_precision = 13", False),
    ("SUM", "rounding_function = 'ceil'", False),
    ("SUM", "rounding_precision = 2", False),
    ("SUM", "rounding_function = 'up', rounding_precision = 2", False),
]


@pytest.mark.parametrize(("aggregation", "change", "is_possible"), BROKEN)
def test_the_database_keeps_a_definition_whole(aggregation: str, change: str, is_possible: bool) -> None:
    metric = make_metric(aggregation=aggregation, property=property_of(aggregation))

    def update() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # Else the definition would be fixed already.
            cursor.execute("ALTER TABLE catalog_metric DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE catalog_metric SET {change} WHERE id = %s", [metric.id.uuid])

    if is_possible:
        update()
    else:
        with pytest.raises(IntegrityError):
            update()


@pytest.mark.parametrize("change", [{"recurring": True}, {"rounding_function": "ceil"}, {"rounding_precision": 2}])
def test_the_definition_is_fixed_for_whoever_writes(change: dict[str, Any]) -> None:
    metric = make_metric(aggregation="SUM", property="size")

    with pytest.raises(ProgrammingError, match="Cannot update rows from catalog_metric"), transaction.atomic():
        Metric.objects.filter(pk=metric.pk).update(**change)
    assert rename_metric(metric.id, name="Storage", now=NOW).name == "Storage"

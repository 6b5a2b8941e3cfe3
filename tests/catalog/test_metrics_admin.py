"""Metrics at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Metric
from tests.factories import make_metric

pytestmark = pytest.mark.django_db

FIELDS = {
    "code": "tokens", "name": "Tokens", "aggregation": "SUM", "property": "tokens", "dimensions": "model, region"
}  # fmt: skip

#: No charges are sent along.
NO_ROWS = {"charges-TOTAL_FORMS": "0", "charges-INITIAL_FORMS": "0"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_metric_{page}", args=arguments)


def test_a_metric_is_defined_with_its_dimensions_as_words(desk: Client) -> None:
    desk.post(url("add"), FIELDS)

    metric = Metric.objects.get()
    assert (metric.event_type, metric.property, metric.dimensions) == ("tokens", "tokens", ["model", "region"])
    assert [row.history_actor for row in metric.history.all()] == ["olga"]


def test_seats_recur_and_storage_is_rounded(desk: Client) -> None:
    desk.post(url("add"), {**FIELDS, "code": "seats", "aggregation": "UNIQUE_COUNT", "recurring": "on"})
    desk.post(url("add"), {**FIELDS, "code": "storage", "aggregation": "WEIGHTED_SUM", "rounding_function": "ceil"})

    fields = ("aggregation", "recurring", "rounding_function", "rounding_precision")
    assert list(Metric.objects.order_by("code").values_list(*fields)) == [
        ("UNIQUE_COUNT", True, "", None),
        ("WEIGHTED_SUM", False, "ceil", 0),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"aggregation": "COUNT"}, "property"),
        ({"property": ""}, "property"),
        ({"dimensions": "a, a"}, "dimensions"),
        ({"aggregation": "MAX", "recurring": "on"}, "recurring"),
        ({"rounding_precision": "2"}, "rounding_precision"),
        ({"rounding_function": "ceil", "rounding_precision": "13"}, "rounding_precision"),
    ],
)
def test_a_refused_definition_keeps_what_was_typed(desk: Client, wrong: dict[str, str], field: str) -> None:
    response = desk.post(url("add"), {**FIELDS, **wrong})

    form = response.context["adminform"].form
    assert list(form.errors) == [field]
    assert form["name"].value() == "Tokens"
    assert not Metric.objects.exists()


def test_only_the_name_changes_later_and_the_page_says_why(desk: Client) -> None:
    metric = make_metric(code="calls", dimensions=["model"])

    page = desk.get(url("change", metric.pk)).content.decode()
    desk.post(url("change", metric.pk), {**FIELDS, **NO_ROWS, "name": "All calls", "change_reason": "Clearer"})

    metric.refresh_from_db()
    row = metric.history.latest("history_id")
    assert "Fixed once the metric exists" in page
    assert (metric.name, metric.code, metric.aggregation, metric.dimensions) == (
        "All calls",
        "calls",
        "COUNT",
        ["model"],
    )
    assert (metric.history.count(), row.history_change_reason) == (2, "Clearer")


def test_the_list_opens(desk: Client) -> None:
    make_metric(name="Calls", dimensions=["model", "region"])

    assert "model, region" in desk.get(url("changelist")).content.decode()

"""What usage comes to on a plan for a whole period: minimums, the maximum, metrics of every kind."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import RatePlan
from catalog.queries.prices import UnitsUsed, price_of_usage
from tests.factories import make_charge, make_metric, make_plan

pytestmark = pytest.mark.django_db

D = Decimal


def asked(api: APIClient, plan: RatePlan, *usage: dict[str, Any]) -> Any:
    answer = api.post(f"/v1/rate-plans/{plan.id}/price", {"usage": list(usage)})
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content, parse_float=Decimal)


def test_a_period_is_told_as_it_is_billed_beside_the_unrounded_usage(api: APIClient) -> None:
    calls, tokens = make_metric(), make_metric()
    charges = [
        make_charge(calls, unit_amount="0.333", minimum_amount=D("10.005")),
        make_charge(tokens, unit_amount="0.111"),
    ]
    plan = make_plan(charges=charges, amount=D("19.995"), minimum_commitment=D(50))
    first = plan.charges.get(metric=calls)

    found = asked(api, plan, {"metric": calls.id, "units": 5}, {"metric": tokens.id, "units": 1})

    assert [one["amount"] for one in found["charges"]] == [D("1.665"), D("0.111")]
    assert (found["total"], found["base_fee"], found["capped"]) == (D("1.776"), 20, 0)
    # 1.67 of calls are made up to 10.01, and 20.00, 10.01 and 0.11 to 50.
    assert found["true_ups"] == [{"charge": first.id, "amount": D("8.34")}, {"charge": None, "amount": D("19.88")}]
    assert found["period_total"] == 50


def test_what_the_maximum_takes_off_is_told(api: APIClient) -> None:
    metric = make_metric()
    plan = make_plan(charges=[make_charge(metric, unit_amount="1")], amount=D(10), maximum_spend=D("25.50"))

    below = asked(api, plan, {"metric": metric.id, "units": "15.5"})
    above = asked(api, plan, {"metric": metric.id, "units": "15.6"})

    assert (below["capped"], below["period_total"]) == (0, D("25.5"))
    assert (above["capped"], above["period_total"], above["total"]) == (D("0.1"), D("25.5"), D("15.6"))
    assert above["true_ups"] == []


def test_a_currency_without_cents_is_billed_without_them(api: APIClient) -> None:
    metric = make_metric()
    plan = make_plan(charges=[make_charge(metric, unit_amount="0.5")], amount=D("99.5"), currency="JPY")

    found = asked(api, plan, {"metric": metric.id, "units": 3})

    assert (found["total"], found["base_fee"], found["period_total"]) == (D("1.5"), 100, 102)


TWO_VALUES: list[tuple[str, list[str], int]] = [
    ("SUM", ["3", "4"], 7),
    ("MAX", ["4", "3"], 4),
    ("UNIQUE_COUNT", ["3", "4"], 7),
    ("LATEST", ["4", "3"], 3),
    ("WEIGHTED_SUM", ["3", "4"], 7),
]


@pytest.mark.parametrize(("aggregation", "parts", "together"), TWO_VALUES)
def test_units_of_several_values_of_a_dimension_are_put_together_as_the_metric_counts(
    aggregation: str, parts: list[str], together: int
) -> None:
    metric = make_metric(aggregation=aggregation, property="size", dimensions=["region"])
    plan = make_plan(charges=[make_charge(metric, unit_amount="1")])
    usage = [
        UnitsUsed(metric=metric.id, units=D(units), dimensions={"region": name})
        for name, units in zip("ab", parts, strict=True)
    ]

    [charge] = price_of_usage(plan, usage).charges

    assert charge.units == charge.amount == together


def test_the_units_of_a_period_are_rounded_together_and_not_each() -> None:
    rounding: dict[str, Any] = {"rounding_function": "ceil", "rounding_precision": 0}
    metric = make_metric(aggregation="SUM", property="size", dimensions=["region"], **rounding)
    plan = make_plan(charges=[make_charge(metric, unit_amount="1")])
    usage = [UnitsUsed(metric=metric.id, units=D("1.2"), dimensions={"region": name}) for name in "ab"]

    assert price_of_usage(plan, usage).charges[0].units == 3

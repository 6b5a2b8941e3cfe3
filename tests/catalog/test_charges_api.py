"""Charges of rate plans over the API, and what usage would cost on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import RatePlan
from config.kernel.ids import TypeID
from tests.api_client import code_of, error_of, refusal_of
from tests.catalog.bodies import PRICE, TIERS, new_charge, new_plan
from tests.factories import make_metric

pytestmark = pytest.mark.django_db

CHARGES: list[tuple[dict[str, Any], str, str]] = [
    ({"metric": "tokens"}, "invalid_metric", "charges[0].metric"),
    ({"model": "standard"}, "invalid_model", "charges[0].model"),
    ({"properties": []}, "invalid_properties", "charges[0].properties"),
    ({"properties": {}}, "invalid_charges", "charges[0].properties.unit_amount"),
    ({"properties": {"unit_amount": "-1"}}, "invalid_charges", "charges[0].properties.unit_amount"),
    ({"properties": {"unit_amount": 1e-13}}, "invalid_charges", "charges[0].properties.unit_amount"),
    ({"properties": {"unit_amount": True}}, "invalid_charges", "charges[0].properties.unit_amount"),
    ({"model": "PERCENTAGE", "properties": {"rate_percent": "1"}}, "invalid_charges", "charges[0].model"),
    ({"properties": {**PRICE, "per": 1}}, "invalid_charges", "charges[0].properties.per"),
    ({"model": "GRADUATED", "properties": {"tiers": []}}, "invalid_charges", "charges[0].properties.tiers"),
    (
        {"model": "VOLUME", "properties": {"tiers": [*TIERS["tiers"][:1], {"up_to": "5", "unit_amount": "1"}]}},
        "invalid_charges",
        "charges[0].properties.tiers[1].up_to",
    ),
    ({"match": {"region": ["eu"]}}, "invalid_charges", "charges[0].match.region"),
    ({"match": {"model": []}}, "invalid_charges", "charges[0].match.model"),
    ({"prorate": True}, "unknown_field", "charges[0].prorate"),
    ({"prorated": "yes"}, "invalid_prorated", "charges[0].prorated"),
    ({"minimum_amount": "-0.01"}, "invalid_minimum_amount", "charges[0].minimum_amount"),
    ({"minimum_amount": None}, "invalid_minimum_amount", "charges[0].minimum_amount"),
]


@pytest.mark.parametrize(("change", "code", "param"), CHARGES)
def test_a_charge_that_cannot_be_is_refused_at_its_place(
    api: APIClient, change: dict[str, Any], code: str, param: str
) -> None:
    wrong = new_charge(**change)

    assert refusal_of(api.post("/v1/rate-plans", new_plan(wrong))) == (400, code, param)
    second = api.post("/v1/rate-plans", new_plan(new_charge(), wrong))
    assert refusal_of(second) == (400, code, param.replace("[0]", "[1]", 1))
    assert not RatePlan.objects.exists()


def test_a_charge_is_on_a_metric_there_is(api: APIClient) -> None:
    assert code_of(api.post("/v1/rate-plans", new_plan(new_charge(metric=TypeID.new("metr"))))) == (
        404, "metric_not_found"
    )  # fmt: skip


def test_charges_that_could_claim_one_event_are_refused(api: APIClient) -> None:
    metric = make_metric(dimensions=["model"]).id
    mini, both = (new_charge(metric=metric, match={"model": models}) for models in (["mini"], ["max", "mini"]))

    refused = api.post("/v1/rate-plans", new_plan(new_charge(), mini, both))

    assert refusal_of(refused) == (400, "charges_could_tie", "charges")
    assert error_of(refused)["details"] == {"first": 2, "second": 3}
    apart = api.post("/v1/rate-plans", new_plan(mini, new_charge(metric=metric), new_charge()))
    assert apart.status_code == 201


def test_usage_is_priced_exactly_and_nothing_is_written(api: APIClient) -> None:
    metric, tiered = make_metric(dimensions=["model"]).id, new_charge(model="GRADUATED", properties=TIERS)
    plan = api.post("/v1/rate-plans", new_plan(new_charge(metric=metric, match={"model": ["mini"]}), tiered))
    before = RatePlan.history.count()

    usage: list[dict[str, Any]] = [
        {"metric": metric, "units": "1.5", "dimensions": {"model": "mini"}},
        {"metric": tiered["metric"], "units": 7},
        {"metric": tiered["metric"], "units": 5},
    ]
    answer = api.post(f"{plan['Location']}/price", {"usage": usage})

    assert answer.status_code == 200
    first, second = plan.json()["charges"]
    tier = {"above": 0, "up_to": None, "units": Decimal("1.5"), "unit_amount": Decimal("0.000000000001")}
    assert json.loads(answer.content, parse_float=Decimal) == {
        "charges": [
            {
                "charge": first["id"], "units": Decimal("1.5"), "amount": Decimal("0.0000000000015"),
                "tiers": [{**tier, "flat_amount": 0, "package_size": None, "amount": Decimal("0.0000000000015")}],
            },
            {
                "charge": second["id"], "units": 12, "amount": 11,
                "tiers": [
                    {
                        "above": 0, "up_to": 10, "units": 10, "unit_amount": 1, "flat_amount": 0,
                        "package_size": None, "amount": 10,
                    },
                    {
                        "above": 10, "up_to": None, "units": 2, "unit_amount": Decimal("0.5"), "flat_amount": 0,
                        "package_size": None, "amount": 1,
                    },
                ],
            },
        ],
        "total": Decimal("11.0000000000015"),
        "base_fee": 0,
        "true_ups": [],
        "capped": 0,
        "period_total": 11,
    }  # fmt: skip
    assert RatePlan.history.count() == before

    usage[0]["dimensions"] = {"model": "max"}
    refused = api.post(f"{plan['Location']}/price", {"usage": usage})
    assert refusal_of(refused) == (400, "usage_not_charged", "usage[0]")
    refused = api.post(f"{plan['Location']}/price", {"usage": [{"metric": metric, "units": -1}]})
    assert refusal_of(refused) == (400, "invalid_units", "usage[0].units")
    assert refusal_of(api.post(f"{plan['Location']}/price", {})) == (400, "required", "usage")


def test_no_digit_of_a_great_price_is_rounded_off(api: APIClient) -> None:
    charge = new_charge(properties={"unit_amount": "1"})
    plan = api.post("/v1/rate-plans", new_plan(charge))
    units = ["123456789012345678.123456789012", "800000000000000000.000000000001"]

    answer = api.post(
        f"{plan['Location']}/price", {"usage": [{"metric": charge["metric"], "units": one} for one in units]}
    )

    assert json.loads(answer.content, parse_float=Decimal)["total"] == Decimal("923456789012345678.123456789013")


def test_a_price_may_be_asked_for_by_who_may_only_read(api: APIClient, api_of: Callable[..., APIClient]) -> None:
    charge = new_charge()
    plan = api.post("/v1/rate-plans", new_plan(charge))

    answer = api_of("catalog:read").post(
        f"{plan['Location']}/price", {"usage": [{"metric": charge["metric"], "units": 1}]}
    )

    assert answer.status_code == 200


PERCENTAGE = {"rate_percent": "1.3", "fixed_amount": 2, "free_events": 3, "free_amount": "250"}


def test_numbers_may_be_json_numbers_and_are_kept_as_decimal_strings(api: APIClient) -> None:
    metric = make_metric(aggregation="SUM", property="amount").id
    bodies = [
        new_charge(properties={"unit_amount": 0.000000000005}),
        new_charge(model="PERCENTAGE", metric=metric, properties=PERCENTAGE),
        new_charge(model="GRADUATED_PERCENTAGE", properties={"tiers": [{"up_to": None, "rate_percent": 1.50}]}),
        new_charge(model="DYNAMIC", properties={"property": "cost", "multiplier": 2}),
    ]

    plan = api.post("/v1/rate-plans", new_plan(*bodies))

    assert plan.status_code == 201
    assert [charge["properties"] for charge in plan.json()["charges"]] == [
        {"unit_amount": "0.000000000005"},
        {"rate_percent": "1.3", "fixed_amount": "2", "free_events": "3", "free_amount": "250"},
        {"tiers": [{"up_to": None, "rate_percent": "1.5"}]},
        {"property": "cost", "multiplier": "2"},
    ]
    assert api.get(plan["Location"]).json() == plan.json()


@pytest.mark.parametrize("aggregation", ["COUNT", "MAX", "SUM"])
def test_a_percentage_is_of_a_sum_and_of_nothing_else(api: APIClient, aggregation: str) -> None:
    metric = make_metric(aggregation=aggregation, property="" if aggregation == "COUNT" else "amount").id

    answer = api.post(
        "/v1/rate-plans", new_plan(new_charge(model="PERCENTAGE", metric=metric, properties={"rate_percent": "1"}))
    )

    if aggregation == "SUM":
        assert answer.status_code == 201
    else:
        assert refusal_of(answer) == (400, "invalid_charges", "charges[0].model")


def priced(api: APIClient, charge: dict[str, Any], **usage: Any) -> Any:
    """Return the answer to what ``usage`` of the metric of ``charge`` would cost on a plan with that charge."""
    plan = api.post("/v1/rate-plans", new_plan(charge))
    return api.post(f"{plan['Location']}/price", {"usage": [{"metric": charge["metric"], **usage}]})


def test_events_are_priced_one_by_one(api: APIClient) -> None:
    metric = make_metric(aggregation="SUM", property="amount").id
    charge = new_charge(model="PERCENTAGE", metric=metric, properties=PERCENTAGE)

    answer = priced(api, charge, event_amounts=["50", 100, 250.0, "400"])

    [found] = json.loads(answer.content, parse_float=Decimal)["charges"]
    none = {"above": 0, "up_to": None, "package_size": None}
    assert (found["units"], found["amount"]) == (800, Decimal("11.15"))
    assert found["tiers"] == [
        {**none, "units": 250, "unit_amount": 0, "flat_amount": 0, "events": 2, "amount": 0},
        {**none, "units": 550, "unit_amount": Decimal("0.013"), "flat_amount": 4, "events": 2,
         "amount": Decimal("11.15")},
    ]  # fmt: skip


def test_what_events_carry_is_summed_by_a_dynamic_charge(api: APIClient) -> None:
    charge = new_charge(model="DYNAMIC", properties={"property": "cost", "multiplier": "1.5"})

    [found] = priced(api, charge, event_amounts=["0.101", "9.019"]).json()["charges"]

    assert (found["units"], found["amount"]) == (2, 13.68)


def test_units_do_not_suffice_where_each_event_is_priced(api: APIClient) -> None:
    charge = new_charge(model="DYNAMIC", properties={"property": "cost"})
    plan = api.post("/v1/rate-plans", new_plan(charge))

    both: list[dict[str, Any]] = [{"units": 5}, {"event_amounts": []}]
    refused, answered = (
        api.post(f"{plan['Location']}/price", {"usage": [{"metric": charge["metric"], **used}]}) for used in both
    )

    assert refusal_of(refused) == (400, "event_amounts_needed", "usage[0].event_amounts")
    assert (answered.status_code, answered.json()["total"]) == (200, 0)


UNITS = [("COUNT", 4), ("SUM", 16), ("MAX", 7), ("UNIQUE_COUNT", 3), ("LATEST", 4), ("WEIGHTED_SUM", 16)]


@pytest.mark.parametrize(("aggregation", "units"), UNITS)
def test_events_become_units_where_units_are_priced(api: APIClient, aggregation: str, units: int) -> None:
    metric = make_metric(aggregation=aggregation, property="" if aggregation == "COUNT" else "amount").id

    answer = priced(api, new_charge(metric=metric, properties={"unit_amount": "2"}), event_amounts=[1, 7, 4, "4.0"])

    [found] = answer.json()["charges"]
    assert (found["units"], found["amount"]) == (units, 2 * units)


@pytest.mark.parametrize("usage", [{"units": "2.2"}, {"event_amounts": ["0.9", "1.3"]}])
def test_units_are_rounded_before_they_are_priced(api: APIClient, usage: dict[str, Any]) -> None:
    metric = make_metric(aggregation="SUM", property="amount", rounding_function="ceil").id

    answer = priced(api, new_charge(metric=metric, properties={"unit_amount": "2"}), **usage)

    [found] = answer.json()["charges"]
    assert (found["units"], found["amount"]) == (3, 6)


@pytest.mark.parametrize(
    ("usage", "code", "param"),
    [
        ({}, "required", "units"),
        ({"units": 1, "event_amounts": [1]}, "invalid_event_amounts", "event_amounts"),
        ({"event_amounts": [1, -1]}, "invalid_event_amounts", "event_amounts[1]"),
        ({"event_amounts": 1}, "invalid_event_amounts", "event_amounts"),
        ({"event_amounts": [1] * 10_001}, "invalid_event_amounts", "event_amounts"),
    ],
)
def test_usage_is_units_or_what_events_carry(api: APIClient, usage: dict[str, Any], code: str, param: str) -> None:
    assert refusal_of(priced(api, new_charge(), **usage)) == (400, code, f"usage[0].{param}")

"""Usage plans of AWS: our limits in its terms, and the patch from what is there to what should be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.gateways.aws import AwsAdapter
from catalog.gateways.aws.plans import desired_plan, live_plan, patch, quota_of, throttle_of
from catalog.gateways.failures import Unsupported
from catalog.limits import BY_NAME, Limit
from tests.gateways.aws_cases import REF, document, judged, missing, plan, restore


@pytest.mark.parametrize(
    ("limits", "throttle"),
    [
        ({"rate_per_second": 10}, {"rateLimit": "10", "burstLimit": 10}),
        ({"rate_per_second": 10, "burst": 25}, {"rateLimit": "10", "burstLimit": 25}),
        ({"rate_per_minute": 100}, {"rateLimit": "1.666666666", "burstLimit": 100}),
        ({"rate_per_hour": 1}, {"rateLimit": "0.000277777", "burstLimit": 1}),
        ({"rate_per_hour": 90_000_000}, {"rateLimit": "25000", "burstLimit": 90_000_000}),
        ({"rate_per_second": 10, "rate_per_minute": 100}, {"rateLimit": "1.666666666", "burstLimit": 10}),
        ({"rate_per_second": 10, "rate_per_minute": 6000}, {"rateLimit": "10", "burstLimit": 10}),
        ({"quota_per_day": 5}, None),
    ],
)
def test_of_several_rates_the_lowest_is_sent_above_a_burst_of_the_shortest(
    limits: dict[str, int], throttle: dict[str, Any] | None
) -> None:
    assert throttle_of(plan("gold", **limits).limits) == throttle


@pytest.mark.parametrize("per_minute", [1, 7, 59, 2**31 - 1])
def test_no_rate_lets_more_through_than_was_sold_nor_noticeably_less(per_minute: int) -> None:
    throttle = throttle_of(plan("gold", rate_per_minute=per_minute).limits)

    assert throttle is not None
    sent = Decimal(throttle["rateLimit"]) * 60
    assert per_minute * (1 - Decimal("1e-6")) <= sent <= per_minute
    assert Decimal(repr(float(throttle["rateLimit"]))) == Decimal(throttle["rateLimit"])


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({"quota_per_day": 5}, {"limit": 5, "period": "DAY", "offset": 0}),
        ({"quota_per_week": 5}, {"limit": 5, "period": "WEEK", "offset": 0}),
        ({"quota_per_month": 5}, {"limit": 5, "period": "MONTH", "offset": 0}),
        ({"quota_per_day": 5, "quota_per_month": 155}, {"limit": 5, "period": "DAY", "offset": 0}),
        ({"quota_per_week": 5, "quota_per_month": 30}, {"limit": 5, "period": "WEEK", "offset": 0}),
    ],
)
def test_a_quota_keeps_its_window_and_stands_for_those_it_implies(
    limits: dict[str, int], quota: dict[str, Any]
) -> None:
    assert quota_of(plan("gold", **limits)) == quota


@pytest.mark.parametrize(
    "limits",
    [
        {"quota_per_day": 5, "quota_per_month": 154},
        {"quota_per_day": 5, "quota_per_week": 34},
        {"quota_per_week": 5, "quota_per_month": 29},
    ],
)
def test_two_quotas_that_both_bind_are_refused_by_name(limits: dict[str, int]) -> None:
    with pytest.raises(Unsupported, match="Gold: AWS takes one quota for a usage plan, and requests per"):
        desired_plan(plan("gold", **limits), document(), REF)


@pytest.mark.parametrize(
    ("name", "count", "level"),
    [
        ("rate_per_second", 10, "exact"),
        ("rate_per_minute", 10, "approximate"),
        ("rate_per_hour", 10, "approximate"),
        ("burst", 10, "exact"),
        ("quota_per_day", 10, "exact"),
        ("quota_per_week", 10, "exact"),
        ("quota_per_month", 2**31 - 1, "exact"),
        ("quota_per_month", 2**31, "unsupported"),
        ("rate_per_minute", 2**31, "unsupported"),
    ],
)
def test_what_aws_can_enforce_is_told_with_a_reason(name: str, count: int, level: str) -> None:
    support = AwsAdapter.supports(Limit(count, BY_NAME[name]), {"region": "eu-west-1"})

    assert (support.level, bool(support.why)) == (level, level != "exact")


def test_a_plan_is_told_in_the_words_of_aws() -> None:
    resource = desired_plan(plan("gold", rate_per_second=5, quota_per_month=1000), document(), REF)

    assert (resource.kind, resource.key, resource.label) == ("usage plan", "plan_gold", "Gold")
    assert resource.fields == {
        "name": "aforo-weather-gold-v1",
        "description": "Weather: Gold",
        "stages": ["a1:prod"],
        "throttle": {"rateLimit": "5", "burstLimit": 5},
        "quota": {"limit": 1000, "period": "MONTH", "offset": 0},
    }


def test_what_aws_adds_by_itself_is_no_part_of_a_plan() -> None:
    wanted = desired_plan(plan("gold", rate_per_minute=100, quota_per_month=1000), document(), REF)
    found = {
        "id": "up1",
        "name": "aforo-weather-gold-v1",
        "description": "Weather: Gold",
        "apiStages": [{"apiId": "a1", "stage": "prod"}],
        "throttle": {"burstLimit": 100, "rateLimit": 1.666666666},
        "quota": {"limit": 1000, "period": "MONTH", "offset": 0},
        "productCode": "market-1",
        "tags": {"aforo:plan": "plan_gold", "team": "blue"},
    }

    live = live_plan(found, key="plan_gold", label="Gold")

    assert live.fields == wanted.fields
    assert live.handle == {"id": "up1"}


@pytest.mark.parametrize(
    ("limits", "changes", "operations"),
    [
        ({}, {}, []),
        (
            {"rate_per_second": 50, "burst": 100, "quota_per_day": 5000},
            {
                "throttle": {"rateLimit": 12.5, "burstLimit": 20},
                "quota": {"limit": 1000, "period": "MONTH", "offset": 0},
            },
            [
                ("replace", "/throttle/rateLimit", "50"),
                ("replace", "/throttle/burstLimit", "100"),
                ("replace", "/quota/limit", "5000"),
                ("replace", "/quota/period", "DAY"),
            ],
        ),
        (
            {"rate_per_hour": 900_000},
            {},
            [("add", "/throttle/rateLimit", "250"), ("add", "/throttle/burstLimit", "900000")],
        ),
        (
            {},
            {"throttle": {"rateLimit": 1e7, "burstLimit": 1}, "quota": {"limit": 1, "period": "DAY"}},
            [("remove", "/throttle", None), ("remove", "/quota", None)],
        ),
        (
            {"quota_per_day": 5},
            {"quota": {"limit": 5, "period": "DAY", "offset": 3}},
            [("replace", "/quota/offset", "0")],
        ),
        ({}, {"name": "theirs"}, [("replace", "/name", "aforo-weather-gold-v1")]),
        ({}, {"description": None}, [("replace", "/description", "Weather: Gold")]),
        (
            {},
            {"apiStages": [{"apiId": "a2", "stage": "prod"}]},
            [("add", "/apiStages", "a1:prod"), ("remove", "/apiStages", "a2:prod")],
        ),
        (
            {},
            {
                "apiStages": [
                    {"apiId": "a1", "stage": "prod", "throttle": {"/x/GET": {"rateLimit": 9.5, "burstLimit": 9}}}
                ]
            },
            [("remove", "/apiStages", "a1:prod"), ("add", "/apiStages", "a1:prod")],
        ),
    ],
)
def test_a_patch_names_what_differs_and_nothing_else(
    limits: dict[str, int], changes: dict[str, Any], operations: list[tuple[str, str, str | None]]
) -> None:
    wanted = desired_plan(plan("gold", **limits), document(), REF)
    found = {
        "id": "up1",
        "name": "aforo-weather-gold-v1",
        "description": "Weather: Gold",
        "apiStages": [{"apiId": "a1", "stage": "prod"}],
        **changes,
    }

    found_operations = patch(wanted.fields, live_plan(found, key="plan_gold", label="Gold").fields)

    assert [(one["op"], one["path"], one.get("value")) for one in found_operations] == operations


counts = st.none() | st.integers(1, 2**31 - 1)
limits = st.fixed_dictionaries(
    {
        "rate_per_second": st.none() | st.integers(1, 10**4),
        "rate_per_minute": st.none() | st.integers(10**4, 10**6),
        "rate_per_hour": st.none() | st.integers(10**6, 10**8),
        "quota": st.none() | st.tuples(st.sampled_from(["day", "week", "month"]), st.integers(10**8, 2**31 - 1)),
        "burst": counts,
    }
)
records = st.dictionaries(st.sampled_from(["basic", "silver", "gold", "max"]), limits)


def recorded(record: dict[str, dict[str, Any]]) -> Any:
    """Return our record with these plans."""
    plans = []
    for code, drawn in record.items():
        known = {name: value for name, value in drawn.items() if name.startswith("rate") and value is not None}
        if known and drawn["burst"] is not None:
            known["burst"] = drawn["burst"]
        if drawn["quota"] is not None:
            known[f"quota_per_{drawn['quota'][0]}"] = drawn["quota"][1]
        plans.append(plan(code, **known))
    return document(*plans)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=records, after=records)
def test_a_restore_brings_any_record_over_any_other_and_a_second_does_nothing(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    with judged() as fake:
        adapter = fake.adapter()
        restore(adapter, recorded(before))
        restore(adapter, recorded(after))

        assert missing(adapter, recorded(after)) == []
        assert len(fake.plans) == len(after)
        before_again = len(fake.requests("POST", "PATCH", "PUT", "DELETE"))
        assert restore(adapter, recorded(after)) == []
        assert len(fake.requests("POST", "PATCH", "PUT", "DELETE")) == before_again

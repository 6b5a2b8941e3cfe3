"""Kong as a mapping sees it: what is pushed, what counts as drift, and what is never touched."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument
from catalog.gateways.failures import ObjectMissing
from catalog.gateways.interface import Change, Difference
from catalog.gateways.kong import KongAdapter
from tests.gateways.kong_bench import Bench, document, plan

EDITIONS = ("enterprise", "konnect", "oss")


def differences(changes: list[Change]) -> list[tuple[str, str, Any, Any]]:
    """Return what differs: where, which field, our value, Kong's."""
    return [(one.key, one.field, one.record, one.gateway) for change in changes for one in change.differences]


def test_a_restore_guards_the_service_and_a_second_one_writes_nothing(bench: Bench) -> None:
    record = document(plan(rate_per_minute=100, quota_per_month=10_000))

    bench.restore(record)
    key_auth, acl = bench.plugin("key-auth"), bench.plugin("acl")
    before = len(bench.written())
    bench.restore(record)

    assert bench.drift(record) == []
    assert key_auth["config"]["key_names"] == ["apikey", "x-api-key"]
    assert key_auth["config"]["hide_credentials"] is True
    assert acl["config"]["allow"] == ["meterdesk-prod_1"]
    assert acl["service"] == key_auth["service"] == {"id": bench.service}
    assert acl["tags"] == ["meterdesk", "meterdesk-product:prod_1"]
    assert before
    assert len(bench.written()) == before


def test_a_plan_is_a_consumer_group_with_its_limits_where_kong_has_groups(enterprise: Bench) -> None:
    enterprise.restore(document(plan(rate_per_second=5, rate_per_minute=100, quota_per_month=10_000)))

    (group,) = enterprise.kong.rows("consumer_groups")
    limits = enterprise.plugin("rate-limiting")
    assert group["name"] == "meterdesk-gold1-v2"
    assert group["tags"] == ["meterdesk", "meterdesk-plan:plan_1", "meterdesk-product:prod_1"]
    assert limits["consumer_group"] == {"id": group["id"]}
    assert limits["service"] is None
    assert {name: limits["config"][name] for name in ("second", "minute", "hour", "month", "policy")} == {
        "second": 5,
        "minute": 100,
        "hour": None,
        "month": 10_000,
        "policy": "cluster",
    }


def test_a_week_is_counted_by_a_plugin_of_its_own(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100, quota_per_week=5_000, quota_per_month=10_000))

    enterprise.restore(record)

    weekly = enterprise.plugin("rate-limiting-advanced")["config"]
    assert (weekly["limit"], weekly["window_size"], weekly["window_type"]) == ([5_000], [604_800], "fixed")
    assert (weekly["strategy"], weekly["sync_rate"]) == ("cluster", 0)
    assert weekly["namespace"] == "meterdesk-gold1-v2"
    assert enterprise.plugin("rate-limiting")["config"]["month"] == 10_000
    assert enterprise.drift(record) == []


def test_who_asks_is_known_before_anybody_is_let_in(enterprise: Bench) -> None:
    steps = [(one.action, one.resource.key) for one in enterprise.restore(document(plan(rate_per_minute=100)))]

    assert steps == [
        ("create", "key-auth"),
        ("create", "plan_1"),
        ("create", "plan_1/rate-limiting"),
        ("create", "acl"),
    ]


def test_a_closed_product_lets_nobody_in_and_keeps_the_limits_for_when_it_opens_again(enterprise: Bench) -> None:
    enterprise.restore(document(plan(rate_per_minute=100)))

    enterprise.restore(document(is_open=False))

    assert enterprise.plugin("acl")["config"]["allow"] == ["meterdesk-nobody"]
    assert enterprise.drift(document(is_open=False)) == []
    assert enterprise.plugin("rate-limiting")["config"]["minute"] == 100
    assert differences(enterprise.restore(document(plan(rate_per_minute=100)))) == [
        ("acl", "config.allow", ["meterdesk-prod_1"], ["meterdesk-nobody"])
    ]


@pytest.mark.parametrize(
    ("name", "change", "difference"),
    [
        ("rate-limiting", {"config": {"minute": 900}}, ("plan_1/rate-limiting", "config.minute", 100, 900)),
        ("rate-limiting", {"config": {"minute": 99.5}}, ("plan_1/rate-limiting", "config.minute", 100, "99.5")),
        ("rate-limiting", {"config": {"hour": 5000}}, ("plan_1/rate-limiting", "config.hour", None, 5000)),
        ("rate-limiting", {"config": {"limit_by": "ip"}}, ("plan_1/rate-limiting", "config.limit_by", None, "ip")),
        ("rate-limiting", {"enabled": False}, ("plan_1/rate-limiting", "enabled", None, False)),
        ("key-auth", {"config": {"anonymous": "guest"}}, ("key-auth", "config.anonymous", None, "guest")),
        ("key-auth", {"enabled": False}, ("key-auth", "enabled", None, False)),
        (
            "acl",
            {"config": {"allow": ["meterdesk-prod_1", "friends"]}},
            ("acl", "config.allow", ["meterdesk-prod_1"], ["friends", "meterdesk-prod_1"]),
        ),
    ],
)
def test_what_somebody_changed_by_hand_is_shown_side_by_side_and_put_right(
    enterprise: Bench, name: str, change: dict[str, Any], difference: tuple[str, str, Any, Any]
) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    plugin = enterprise.plugin(name)
    plugin.update({key: {**plugin[key], **value} if key == "config" else value for key, value in change.items()})

    drift = enterprise.drift(record)
    enterprise.restore(record)

    assert differences(drift) == [difference]
    assert enterprise.drift(record) == []


def test_what_kong_adds_or_writes_otherwise_is_no_drift(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    for plugin in enterprise.kong.rows("plugins"):
        plugin |= {"tags": [*reversed(plugin["tags"]), "team-a"], "instance_name": "x", "updated_at": 1}
    enterprise.plugin("key-auth")["config"] |= {"key_names": ["x-api-key", "apikey"], "key_in_query": False}
    enterprise.plugin("rate-limiting")["config"] |= {"minute": 100.0, "error_code": 420}

    assert enterprise.drift(record) == []


def test_limits_that_were_narrowed_to_one_service_by_hand_are_drift(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    enterprise.plugin("rate-limiting")["service"] = {"id": enterprise.service}

    drift = enterprise.drift(record)
    enterprise.restore(record)

    assert differences(drift) == [("plan_1/rate-limiting", "service", None, {"id": enterprise.service})]
    assert enterprise.plugin("rate-limiting")["service"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": "rate-limiting-advanced", "config": {"limit": [1], "window_size": [1]}},
        {"consumer_group": None},
        {"consumer_group": None, "service": "the other"},
    ],
)
def test_what_was_turned_into_something_else_by_hand_is_written_again_and_not_deleted(
    enterprise: Bench, change: dict[str, Any]
) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    limits = enterprise.plugin("rate-limiting")
    limits.update({**change, **({"service": {"id": enterprise.service}} if "service" in change else {})})

    enterprise.restore(record)

    assert enterprise.drift(record) == []
    assert enterprise.plugin("rate-limiting")["id"] == limits["id"]
    assert len(enterprise.kong.rows("plugins")) == 3


def test_a_service_is_found_by_its_id_too_and_one_that_is_missing_is_named(bench: Bench) -> None:
    record = document(plan(rate_per_minute=100))

    bench.restore(record, ref=bench.service)

    assert bench.drift(record) == []
    with pytest.raises(ObjectMissing, match="no service 'nothing'"):
        bench.drift(record, ref="nothing")


def missing(adapter: KongAdapter, record: DesiredDocument) -> list[Change]:
    return changes_between(adapter.fetch(record, "orders"), adapter.desired(record, "orders"))


def test_differences_name_the_plan_in_words(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    enterprise.restore(record)
    enterprise.plugin("rate-limiting")["config"]["minute"] = 7

    (change,) = enterprise.drift(record)

    assert change.differences == (
        Difference(
            kind="plugin",
            key="plan_1/rate-limiting",
            label="Limits of Gold 1",
            field="config.minute",
            record=100,
            gateway=7,
        ),
    )

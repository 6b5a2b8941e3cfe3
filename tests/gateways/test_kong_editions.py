"""What open-source Kong does another way, and what holds for any record."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument
from catalog.gateways.interface import Change
from catalog.gateways.kong import KongAdapter
from catalog.limits import LIMIT_KINDS
from tests.gateways.kong_bench import Bench, document, grant, plan

EDITIONS = ("enterprise", "konnect", "oss")


def differences(changes: list[Change]) -> list[tuple[str, str, Any, Any]]:
    """Return what differs: where, which field, our value, Kong's."""
    return [(one.key, one.field, one.record, one.gateway) for change in changes for one in change.differences]


def missing(adapter: KongAdapter, record: DesiredDocument) -> list[Change]:
    return changes_between(adapter.fetch(record, "orders"), adapter.desired(record, "orders"))


def test_open_source_mends_every_subscription_that_has_not_its_plans_limits(oss: Bench) -> None:
    gold, iron = plan(1, rate_per_minute=100), plan(2)
    record = document(gold, iron)
    oss.restore(record)
    for number, of in ((1, gold), (2, gold), (3, iron)):
        oss.adapter().place_key(
            grant(of, subscription=f"sub_{number}", key=f"gkey_{number}", secret=f"sk_live_{number:032}"),
            "orders",
            "prod_1",
        )
    assert oss.drift(record) == []
    consumers = {row["custom_id"]: row["id"] for row in oss.kong.rows("consumers")}
    changed, gone = (oss.plugin("rate-limiting", consumer={"id": consumers[one]}) for one in ("sub_1", "sub_2"))
    changed["config"]["minute"] = 900
    oss.kong.remove("plugins", gone["id"])
    oss.kong.make(
        "plugins",
        name="rate-limiting",
        config={"hour": 1},
        tags=["meterdesk", "meterdesk-product:prod_1"],
        service={"id": oss.service},
        consumer={"id": consumers["sub_3"]},
    )

    drift = oss.drift(record)
    oss.restore(record)

    assert {(one.key, name) for change in drift for one in change.differences for name in one.gateway} == {
        ("plan_1", "meterdesk-sub_1"),
        ("plan_1", "meterdesk-sub_2"),
        ("plan_2", "meterdesk-sub_3"),
    }
    assert oss.drift(record) == []
    assert {
        row["consumer"]["id"]: row["config"]["minute"] for row in oss.kong.rows("plugins", name="rate-limiting")
    } == {
        consumers["sub_1"]: 100,
        consumers["sub_2"]: 100,
    }


def test_open_source_gives_every_subscription_the_new_limits_of_its_plan(oss: Bench) -> None:
    oss.restore(document(plan(rate_per_minute=100)))
    for number in range(25):
        made = grant(
            plan(rate_per_minute=100), subscription=f"sub_{number}", key=f"gkey_{number}", secret=f"key{number}"
        )
        oss.adapter().place_key(made, "orders", "prod_1")

    drift = oss.drift(document(plan(rate_per_minute=200)))
    oss.restore(document(plan(rate_per_minute=200)))

    shown = drift[0].differences[-1].gateway
    assert len(shown) == 21
    assert shown["others"] == "5 more"
    assert {row["config"]["minute"] for row in oss.kong.rows("plugins", name="rate-limiting")} == {200}


def test_a_password_of_redis_is_sent_and_never_shown_and_a_new_one_is_drift(enterprise: Bench) -> None:
    record = document(plan(rate_per_minute=100))
    chosen = {"policy": "redis", "redis_host": "redis.test"}
    first = KongAdapter(enterprise.connection(settings=chosen, redis_password="first-password"))
    second = KongAdapter(enterprise.connection(settings=chosen, redis_password="second-password"))

    for change in missing(first, record):
        first.apply(change, record, "orders")

    assert enterprise.plugin("rate-limiting")["config"]["redis"]["password"] == "first-password"
    assert missing(first, record) == []
    (change,) = missing(second, record)
    assert "password" not in repr(change)
    second.apply(change, record, "orders")
    assert enterprise.plugin("rate-limiting")["config"]["redis"]["password"] == "second-password"


def names_in_order(name: str) -> int:
    return [kind.name for kind in LIMIT_KINDS].index(name)


#: Limits that make sense together: longer windows allow more.
sensible_limits = st.dictionaries(
    st.sampled_from([kind.name for kind in LIMIT_KINDS if kind.seconds]), st.integers(1, 10**6), max_size=6
).map(lambda drawn: dict(zip(sorted(drawn, key=names_in_order), sorted(drawn.values()), strict=True)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(
        st.tuples(st.dictionaries(st.integers(1, 4), sensible_limits), st.booleans()), min_size=2, max_size=3
    )
)
def test_any_record_is_reached_from_any_other_in_one_restore(
    enterprise: Bench, records: list[tuple[dict[int, dict[str, int]], bool]]
) -> None:
    for plans, is_open in records:
        record = document(*(plan(number, **limits) for number, limits in plans.items()), is_open=is_open)
        enterprise.restore(record)

        assert enterprise.drift(record) == []

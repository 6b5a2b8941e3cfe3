"""Keys at Kong: placed with their limits, moved, suspended, removed; their secrets stay where they belong."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.gateways.failures import Conflict, GatewayFailure, KeyGone, ObjectMissing, Unsupported
from tests.gateways.fakes.server import Fault
from tests.gateways.kong_bench import SECRET, STEPS, Bench, document, grant, kong_bench, plan

EDITIONS = ("enterprise", "konnect", "oss")
GOLD = plan(1, rate_per_minute=100, quota_per_month=10_000)
IRON = plan(2, rate_per_minute=10)
FREE = plan(3)
RECORD = document(GOLD, IRON, FREE)


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A Kong that has the plans."""
    with kong_bench(request.param) as made:
        made.restore(RECORD)
        yield made


@pytest.fixture
def enterprise() -> Iterator[Bench]:
    """Kong Enterprise that has the plans."""
    with kong_bench("enterprise") as made:
        made.restore(RECORD)
        yield made


def limits_of_consumer(bench: Bench, consumer: str) -> dict[str, Any] | None:
    """Return the configuration that limits a consumer: its own plugin's, or that of its group."""
    rows = bench.kong.rows("plugins", name="rate-limiting")
    if bench.edition == "oss":
        return next((row["config"] for row in rows if row["consumer"] == {"id": consumer}), None)
    groups = {group for group, member in bench.kong.members if member == consumer}
    return next((row["config"] for row in rows if row["consumer_group"]["id"] in groups), None)


def keys(bench: Bench) -> list[str]:
    return [row["key"] for row in bench.kong.rows("key-auths")]


def test_a_key_comes_with_its_consumer_limits_and_access(bench: Bench) -> None:
    placed = bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    (consumer,) = bench.kong.rows("consumers")
    limits = limits_of_consumer(bench, consumer["id"])
    assert (consumer["username"], consumer["custom_id"]) == ("meterdesk-sub_1", "sub_1")
    assert {"meterdesk", "meterdesk-plan:plan_1", "meterdesk-product:prod_1"} < set(consumer["tags"])
    assert limits is not None
    assert (limits["minute"], limits["month"]) == (100, 10_000)
    assert keys(bench) == [SECRET]
    assert [row["group"] for row in bench.kong.rows("acls")] == ["meterdesk-prod_1"]
    assert placed.handle["consumer"] == consumer["id"]
    assert placed.made == {}
    assert SECRET not in json.dumps(dict(placed.handle))


def test_limits_come_before_the_key_and_access_comes_last(bench: Bench) -> None:
    before = len(bench.written())

    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    told = [
        next(name for name, pattern in STEPS.items() if re.match(pattern, step)) for step in bench.written()[before:]
    ]
    assert told == ["consumer", "limits", "key", "access"]


@pytest.mark.parametrize("secret", [SECRET, None])
def test_placing_a_key_again_writes_nothing(bench: Bench, secret: str | None) -> None:
    first = bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    before = len(bench.written())

    again = bench.adapter().place_key(grant(GOLD, secret=secret), "orders", "prod_1")

    assert again == first
    assert len(bench.written()) == before


def test_a_second_key_of_a_subscription_shares_its_consumer(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    bench.adapter().place_key(grant(GOLD, key="gkey_2", secret="sk_live_2"), "orders", "prod_1")

    assert len(bench.kong.rows("consumers")) == len(bench.kong.rows("acls")) == 1
    assert sorted(keys(bench)) == [SECRET, "sk_live_2"]


def test_a_key_moves_to_another_plan_without_its_secret(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    bench.adapter().place_key(grant(IRON, secret=None), "orders", "prod_1")

    (consumer,) = bench.kong.rows("consumers")
    limits = limits_of_consumer(bench, consumer["id"])
    assert limits is not None
    assert (limits["minute"], limits["month"]) == (10, None)
    assert "meterdesk-plan:plan_2" in consumer["tags"]
    assert keys(bench) == [SECRET]
    assert len(bench.kong.members) == (0 if bench.edition == "oss" else 1)
    assert bench.drift(RECORD) == []


def test_a_plan_without_limits_leaves_none_behind(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    bench.adapter().place_key(grant(FREE, secret=None), "orders", "prod_1")

    assert limits_of_consumer(bench, bench.kong.rows("consumers")[0]["id"]) is None
    assert bench.drift(RECORD) == []


def test_moving_joins_the_new_group_before_it_leaves_the_old_one(enterprise: Bench) -> None:
    enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1")
    partners = enterprise.kong.make("consumer_groups", name="partners")
    consumer = enterprise.kong.rows("consumers")[0]["id"]
    enterprise.kong.members.add((partners["id"], consumer))
    before = len(enterprise.written())

    enterprise.adapter().place_key(grant(IRON, secret=None), "orders", "prod_1")

    steps = [step.split()[0] for step in enterprise.written()[before:] if "consumer_groups" in step]
    assert steps == ["POST", "DELETE"]
    assert enterprise.kong.groups_of(consumer) == {"meterdesk-gold2-v2", "partners"}


def test_a_key_does_not_come_before_its_plan_is_at_kong(enterprise: Bench) -> None:
    missing = plan(9, rate_per_minute=5)

    with pytest.raises(ObjectMissing, match="restore the mapping") as refusal:
        enterprise.adapter().place_key(grant(missing), "orders", "prod_1")

    assert not isinstance(refusal.value, KeyGone)
    assert enterprise.kong.rows("consumers") == []
    assert enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1").handle


@pytest.mark.parametrize("how", ["gone", "switched off"])
def test_a_key_does_not_come_before_the_limits_of_its_plan(enterprise: Bench, how: str) -> None:
    limits = next(row for row in enterprise.kong.rows("plugins", name="rate-limiting") if row["config"]["month"])
    if how == "gone":
        enterprise.kong.remove("plugins", limits["id"])
    else:
        limits["enabled"] = False

    with pytest.raises(ObjectMissing, match="restore the mapping"):
        enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert keys(enterprise) == []


def test_a_key_needs_the_service(bench: Bench) -> None:
    with pytest.raises(ObjectMissing, match="no service 'nothing'"):
        bench.adapter().place_key(grant(GOLD), "nothing", "prod_1")


def test_what_stands_around_a_key_is_mended_without_its_secret(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    (consumer,) = bench.kong.rows("consumers")
    consumer |= {"username": "renamed", "tags": ["team-a"]}
    bench.kong.tables["acls"].clear()
    bench.kong.members.clear()
    for row in bench.kong.rows("plugins", name="rate-limiting", consumer={"id": consumer["id"]}):
        bench.kong.remove("plugins", row["id"])

    bench.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")

    (mended,) = bench.kong.rows("consumers")
    limits = limits_of_consumer(bench, mended["id"])
    assert mended["username"] == "meterdesk-sub_1"
    assert mended["tags"][-1] == "team-a"
    assert limits is not None
    assert limits["minute"] == 100
    assert [row["group"] for row in bench.kong.rows("acls")] == ["meterdesk-prod_1"]


def test_a_key_that_is_gone_is_told_from_one_that_can_be_placed(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    bench.kong.tables["key-auths"].clear()

    with pytest.raises(KeyGone, match="rotate the credential"):
        bench.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert keys(bench) == [SECRET]


def test_a_consumer_that_is_gone_takes_no_key_without_its_secret(bench: Bench) -> None:
    with pytest.raises(KeyGone):
        bench.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")

    assert bench.kong.rows("consumers") == []


def test_a_consumer_copied_back_under_another_id_is_found_by_its_tags(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    (first,) = bench.kong.rows("consumers")
    bench.kong.remove("consumers", first["id"])
    copied = bench.kong.make("consumers", **{name: first[name] for name in ("username", "custom_id", "tags")})

    handle = bench.adapter().place_key(grant(GOLD), "orders", "prod_1").handle

    assert [row["id"] for row in bench.kong.rows("consumers")] == [copied["id"]] == [handle["consumer"]]
    assert keys(bench) == [SECRET]


def test_a_key_copied_back_under_another_id_is_not_there_twice(bench: Bench) -> None:
    handle = bench.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    bench.kong.remove("key-auths", handle["key"])
    bench.kong.make("key-auths", key=SECRET, consumer={"id": handle["consumer"]})

    assert bench.adapter().place_key(grant(GOLD), "orders", "prod_1").handle == handle

    assert [row["id"] for row in bench.kong.rows("key-auths")] == [handle["key"]]


def test_a_consumer_of_somebody_else_is_left_alone_and_named(bench: Bench) -> None:
    theirs = bench.kong.make("consumers", username="theirs", custom_id="sub_1", tags=None)

    with pytest.raises(Conflict, match="sub_1"):
        bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert bench.kong.rows("consumers") == [theirs]
    assert theirs["username"] == "theirs"


def test_a_key_that_another_consumer_has_is_refused_without_telling_it(bench: Bench) -> None:
    theirs = bench.kong.make("consumers", username="theirs")
    bench.kong.make("key-auths", key=SECRET, consumer={"id": theirs["id"]})

    with pytest.raises(Conflict) as refusal:
        bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert SECRET not in told(refusal.value)


def told(error: BaseException | None) -> str:
    """Return all that an exception and its causes say."""
    parts = []
    while error is not None:
        parts.append(f"{error!r} {error} {vars(error)}")
        error = error.__cause__ or error.__context__
    return " ".join(parts)


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_no_failure_tells_a_key_whatever_kong_repeats(
    bench: Bench, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"message": f"UNIQUE violation detected on '{{key=\"{SECRET}\"}}'"}).encode()
    bench.kong.faults = [Fault(f"PUT {bench.kong.prefix}/consumers/.*/key-auth/", status=status, body=said, times=9)]

    with pytest.raises(GatewayFailure) as failure:
        bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert SECRET not in told(failure.value)
    assert SECRET not in caplog.text
    assert SECRET not in repr(grant(GOLD))


def test_client_ids_with_secrets_are_not_for_kong(bench: Bench) -> None:
    with pytest.raises(Unsupported, match="client ids"):
        bench.adapter().place_key(grant(GOLD, is_client=True, client_id="mc_1"), "orders", "prod_1")


def test_a_key_whose_limits_kong_cannot_keep_is_not_placed() -> None:
    with kong_bench("oss") as oss:
        with pytest.raises(Unsupported, match="by the week"):
            oss.adapter().place_key(grant(plan(rate_per_minute=1, quota_per_week=5)), "orders", "prod_1")
        with pytest.raises(Unsupported, match="burst"):
            oss.adapter().place_key(grant(plan(rate_per_minute=1, burst=5)), "orders", "prod_1")

        oss.adapter().place_key(grant(plan(rate_per_minute=1, quota_per_day=5)), "orders", "prod_1")

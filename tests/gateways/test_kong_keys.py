"""Keys at Kong: placed with their limits, moved, suspended, removed; their secrets stay where they belong."""

from __future__ import annotations

import json
import logging
import re

import pytest

from catalog.gateways.failures import Conflict, GatewayFailure, KeyGone, ObjectMissing, Unsupported
from tests.gateways.fakes.server import Fault
from tests.gateways.kong_bench import SECRET, STEPS, Bench, grant, kong_bench, plan
from tests.gateways.kong_plans import FREE, GOLD, IRON, RECORD, keys, limits_of_consumer


def test_a_key_comes_with_its_consumer_limits_and_access(planned: Bench) -> None:
    placed = planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    (consumer,) = planned.kong.rows("consumers")
    limits = limits_of_consumer(planned, consumer["id"])
    assert (consumer["username"], consumer["custom_id"]) == ("meterdesk-sub_1", "sub_1")
    assert {"meterdesk", "meterdesk-plan:plan_1", "meterdesk-product:prod_1"} < set(consumer["tags"])
    assert limits is not None
    assert (limits["minute"], limits["month"]) == (100, 10_000)
    assert keys(planned) == [SECRET]
    assert [row["group"] for row in planned.kong.rows("acls")] == ["meterdesk-prod_1"]
    assert placed.handle["consumer"] == consumer["id"]
    assert placed.made == {}
    assert SECRET not in json.dumps(dict(placed.handle))


def test_limits_come_before_the_key_and_access_comes_last(planned: Bench) -> None:
    before = len(planned.written())

    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    told = [
        next(name for name, pattern in STEPS.items() if re.match(pattern, step)) for step in planned.written()[before:]
    ]
    assert told == ["consumer", "limits", "key", "access"]


@pytest.mark.parametrize("secret", [SECRET, None])
def test_placing_a_key_again_writes_nothing(planned: Bench, secret: str | None) -> None:
    first = planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    before = len(planned.written())

    again = planned.adapter().place_key(grant(GOLD, secret=secret), "orders", "prod_1")

    assert again == first
    assert len(planned.written()) == before


def test_a_second_key_of_a_subscription_shares_its_consumer(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    planned.adapter().place_key(grant(GOLD, key="gkey_2", secret="sk_live_2"), "orders", "prod_1")

    assert len(planned.kong.rows("consumers")) == len(planned.kong.rows("acls")) == 1
    assert sorted(keys(planned)) == [SECRET, "sk_live_2"]


def test_a_key_moves_to_another_plan_without_its_secret(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    planned.adapter().place_key(grant(IRON, secret=None), "orders", "prod_1")

    (consumer,) = planned.kong.rows("consumers")
    limits = limits_of_consumer(planned, consumer["id"])
    assert limits is not None
    assert (limits["minute"], limits["month"]) == (10, None)
    assert "meterdesk-plan:plan_2" in consumer["tags"]
    assert keys(planned) == [SECRET]
    assert len(planned.kong.members) == (0 if planned.edition == "oss" else 1)
    assert planned.drift(RECORD) == []


def test_a_plan_without_limits_leaves_none_behind(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    planned.adapter().place_key(grant(FREE, secret=None), "orders", "prod_1")

    assert limits_of_consumer(planned, planned.kong.rows("consumers")[0]["id"]) is None
    assert planned.drift(RECORD) == []


def test_moving_joins_the_new_group_before_it_leaves_the_old_one(planned_enterprise: Bench) -> None:
    planned_enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1")
    partners = planned_enterprise.kong.make("consumer_groups", name="partners")
    consumer = planned_enterprise.kong.rows("consumers")[0]["id"]
    planned_enterprise.kong.members.add((partners["id"], consumer))
    before = len(planned_enterprise.written())

    planned_enterprise.adapter().place_key(grant(IRON, secret=None), "orders", "prod_1")

    steps = [step.split()[0] for step in planned_enterprise.written()[before:] if "consumer_groups" in step]
    assert steps == ["POST", "DELETE"]
    assert planned_enterprise.kong.groups_of(consumer) == {"meterdesk-gold2-v2", "partners"}


def test_a_key_does_not_come_before_its_plan_is_at_kong(planned_enterprise: Bench) -> None:
    missing = plan(9, rate_per_minute=5)

    with pytest.raises(ObjectMissing, match="restore the mapping") as refusal:
        planned_enterprise.adapter().place_key(grant(missing), "orders", "prod_1")

    assert not isinstance(refusal.value, KeyGone)
    assert planned_enterprise.kong.rows("consumers") == []
    assert planned_enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1").handle


@pytest.mark.parametrize("how", ["gone", "switched off"])
def test_a_key_does_not_come_before_the_limits_of_its_plan(planned_enterprise: Bench, how: str) -> None:
    limits = next(
        row for row in planned_enterprise.kong.rows("plugins", name="rate-limiting") if row["config"]["month"]
    )
    if how == "gone":
        planned_enterprise.kong.remove("plugins", limits["id"])
    else:
        limits["enabled"] = False

    with pytest.raises(ObjectMissing, match="restore the mapping"):
        planned_enterprise.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert keys(planned_enterprise) == []


def test_a_key_needs_the_service(planned: Bench) -> None:
    with pytest.raises(ObjectMissing, match="no service 'nothing'"):
        planned.adapter().place_key(grant(GOLD), "nothing", "prod_1")


def test_what_stands_around_a_key_is_mended_without_its_secret(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    (consumer,) = planned.kong.rows("consumers")
    consumer |= {"username": "renamed", "tags": ["team-a"]}
    planned.kong.tables["acls"].clear()
    planned.kong.members.clear()
    for row in planned.kong.rows("plugins", name="rate-limiting", consumer={"id": consumer["id"]}):
        planned.kong.remove("plugins", row["id"])

    planned.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")

    (mended,) = planned.kong.rows("consumers")
    limits = limits_of_consumer(planned, mended["id"])
    assert mended["username"] == "meterdesk-sub_1"
    assert mended["tags"][-1] == "team-a"
    assert limits is not None
    assert limits["minute"] == 100
    assert [row["group"] for row in planned.kong.rows("acls")] == ["meterdesk-prod_1"]


def test_a_key_that_is_gone_is_told_from_one_that_can_be_placed(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    planned.kong.tables["key-auths"].clear()

    with pytest.raises(KeyGone, match="rotate the credential"):
        planned.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert keys(planned) == [SECRET]


def test_a_consumer_that_is_gone_takes_no_key_without_its_secret(planned: Bench) -> None:
    with pytest.raises(KeyGone):
        planned.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")

    assert planned.kong.rows("consumers") == []


def test_a_consumer_copied_back_under_another_id_is_found_by_its_tags(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    (first,) = planned.kong.rows("consumers")
    planned.kong.remove("consumers", first["id"])
    copied = planned.kong.make("consumers", **{name: first[name] for name in ("username", "custom_id", "tags")})

    handle = planned.adapter().place_key(grant(GOLD), "orders", "prod_1").handle

    assert [row["id"] for row in planned.kong.rows("consumers")] == [copied["id"]] == [handle["consumer"]]
    assert keys(planned) == [SECRET]


def test_a_key_copied_back_under_another_id_is_not_there_twice(planned: Bench) -> None:
    handle = planned.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    planned.kong.remove("key-auths", handle["key"])
    planned.kong.make("key-auths", key=SECRET, consumer={"id": handle["consumer"]})

    assert planned.adapter().place_key(grant(GOLD), "orders", "prod_1").handle == handle

    assert [row["id"] for row in planned.kong.rows("key-auths")] == [handle["key"]]


def test_a_consumer_of_somebody_else_is_left_alone_and_named(planned: Bench) -> None:
    theirs = planned.kong.make("consumers", username="theirs", custom_id="sub_1", tags=None)

    with pytest.raises(Conflict, match="sub_1"):
        planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert planned.kong.rows("consumers") == [theirs]
    assert theirs["username"] == "theirs"


def test_a_key_that_another_consumer_has_is_refused_without_telling_it(planned: Bench) -> None:
    theirs = planned.kong.make("consumers", username="theirs")
    planned.kong.make("key-auths", key=SECRET, consumer={"id": theirs["id"]})

    with pytest.raises(Conflict) as refusal:
        planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

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
    planned: Bench, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"message": f"UNIQUE violation detected on '{{key=\"{SECRET}\"}}'"}).encode()
    planned.kong.faults = [
        Fault(f"PUT {planned.kong.prefix}/consumers/.*/key-auth/", status=status, body=said, times=9)
    ]

    with pytest.raises(GatewayFailure) as failure:
        planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert SECRET not in told(failure.value)
    assert SECRET not in caplog.text
    assert SECRET not in repr(grant(GOLD))


def test_client_ids_with_secrets_are_not_for_kong(planned: Bench) -> None:
    with pytest.raises(Unsupported, match="client ids"):
        planned.adapter().place_key(grant(GOLD, is_client=True, client_id="mc_1"), "orders", "prod_1")


def test_a_key_whose_limits_kong_cannot_keep_is_not_placed() -> None:
    with kong_bench("oss") as oss:
        with pytest.raises(Unsupported, match="by the week"):
            oss.adapter().place_key(grant(plan(rate_per_minute=1, quota_per_week=5)), "orders", "prod_1")
        with pytest.raises(Unsupported, match="burst"):
            oss.adapter().place_key(grant(plan(rate_per_minute=1, burst=5)), "orders", "prod_1")

        oss.adapter().place_key(grant(plan(rate_per_minute=1, quota_per_day=5)), "orders", "prod_1")

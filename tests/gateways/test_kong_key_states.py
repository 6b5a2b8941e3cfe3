"""Keys at Kong that are suspended, removed, or on their way when the connection is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from catalog.gateways.failures import KeyGone, Unavailable, Unsupported
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


def test_a_suspended_key_opens_nothing_while_the_others_of_its_subscription_do(bench: Bench) -> None:
    agent, app = grant(GOLD), grant(GOLD, key="gkey_2", secret="sk_live_2")
    handle = bench.adapter().place_key(agent, "orders", "prod_1").handle
    bench.adapter().place_key(app, "orders", "prod_1")

    bench.adapter().suspend_key(replace(agent, secret=None), handle, "orders")

    (hidden,) = set(keys(bench)) - {"sk_live_2"}
    assert hidden.startswith("suspended.")
    assert len(hidden) > len(SECRET) + 32
    bench.adapter().place_key(replace(agent, secret=None), "orders", "prod_1")
    assert sorted(keys(bench)) == [SECRET, "sk_live_2"]


def test_suspending_twice_and_without_a_handle_is_harmless(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    bench.adapter().suspend_key(grant(GOLD, secret=None), {}, "orders")
    once = keys(bench)
    bench.adapter().suspend_key(grant(GOLD, secret=None), {}, "orders")

    assert keys(bench) == once != [SECRET]


def test_two_suspensions_hide_a_key_differently(bench: Bench) -> None:
    adapter = bench.adapter()
    adapter.place_key(grant(GOLD), "orders", "prod_1")
    seen = set()
    for _ in range(2):
        adapter.suspend_key(grant(GOLD), {}, "orders")
        seen |= set(keys(bench))
        adapter.place_key(grant(GOLD, secret=None), "orders", "prod_1")

    assert len(seen) == 2


@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_key_placed_as_suspended_never_opens_anything_and_stays_as_it_is(bench: Bench, secret: str | None) -> None:
    suspended = grant(GOLD, state="suspended")
    bench.adapter().place_key(suspended, "orders", "prod_1")
    hidden = keys(bench)
    sent = [one.json for one in bench.kong.requests("PUT") if "/key-auth/" in one.path]

    bench.adapter().place_key(replace(suspended, secret=secret), "orders", "prod_1")

    assert keys(bench) == hidden
    assert [one["key"] == SECRET for one in sent] == [False]
    bench.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    assert keys(bench) == [SECRET]


def test_a_key_that_is_gone_cannot_be_suspended(bench: Bench) -> None:
    with pytest.raises(KeyGone):
        bench.adapter().suspend_key(grant(GOLD), {}, "orders")


def test_a_kong_that_shows_no_keys_keeps_them_but_cannot_suspend_them(bench: Bench) -> None:
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    bench.kong.rows("key-auths")[0]["key"] = None

    bench.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    with pytest.raises(Unsupported, match="does not show keys"):
        bench.adapter().suspend_key(grant(GOLD), {}, "orders")

    assert keys(bench) == [None]


def test_a_removed_key_leaves_the_others_and_the_last_takes_the_consumer_along(bench: Bench) -> None:
    adapter = bench.adapter()
    first = adapter.place_key(grant(GOLD), "orders", "prod_1").handle
    second = adapter.place_key(grant(GOLD, key="gkey_2", secret="sk_live_2"), "orders", "prod_1").handle

    adapter.remove_key(grant(GOLD), first, "orders", last=False)
    left = keys(bench)
    adapter.remove_key(grant(GOLD, key="gkey_2"), second, "orders", last=True)

    assert left == ["sk_live_2"]
    assert [bench.kong.rows(table) for table in ("consumers", "key-auths", "acls")] == [[], [], []]
    assert not [row for row in bench.kong.rows("plugins") if row["consumer"]]
    assert bench.drift(RECORD) == []


@pytest.mark.parametrize("last", [True, False])
def test_removing_what_is_gone_or_was_never_placed_is_harmless(bench: Bench, last: bool) -> None:
    bench.adapter().remove_key(grant(GOLD), {}, "orders", last=last)
    bench.adapter().remove_key(grant(GOLD), {"consumer": "c", "key": "k"}, "orders", last=last)

    assert bench.kong.rows("consumers") == []


def test_a_key_is_removed_also_where_its_service_is_gone(bench: Bench) -> None:
    handle = bench.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    bench.kong.remove("services", bench.service)

    bench.adapter().remove_key(grant(GOLD), handle, "orders", last=True)

    assert bench.kong.rows("consumers") == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("takes_effect", [True, False])
def test_wherever_the_connection_is_lost_placing_again_ends_with_one_of_each(
    bench: Bench, step: str, takes_effect: bool
) -> None:
    bench.kong.faults = [Fault(STEPS[step], effect=takes_effect, times=3)]

    with pytest.raises(Unavailable):
        bench.adapter().place_key(grant(GOLD), "orders", "prod_1")
    broken_off = [row["group"] for row in bench.kong.rows("acls")]
    bench.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert broken_off == (["meterdesk-prod_1"] if step == "access" and takes_effect else [])
    assert [len(bench.kong.rows(table)) for table in ("consumers", "key-auths", "acls")] == [1, 1, 1]
    assert bench.drift(RECORD) == []
    limits = limits_of_consumer(bench, bench.kong.rows("consumers")[0]["id"])
    assert limits is not None
    assert limits["minute"] == 100


@pytest.mark.parametrize("takes_effect", [True, False])
def test_a_removal_whose_answer_was_lost_is_done_again(bench: Bench, takes_effect: bool) -> None:
    handle = bench.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    bench.kong.faults = [Fault("DELETE .*/key-auth/", effect=takes_effect, times=3)]

    with pytest.raises(Unavailable):
        bench.adapter().remove_key(grant(GOLD), handle, "orders", last=True)
    bench.adapter().remove_key(grant(GOLD), handle, "orders", last=True)

    assert bench.kong.rows("consumers") == bench.kong.rows("key-auths") == []

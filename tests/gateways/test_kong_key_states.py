"""Keys at Kong that are suspended, removed, or on their way when the connection is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.gateways.failures import KeyGone, Unavailable, Unsupported
from tests.gateways.fakes.server import Fault
from tests.gateways.kong_bench import SECRET, STEPS, Bench, grant
from tests.gateways.kong_plans import GOLD, RECORD, keys, limits_of_consumer


def test_a_suspended_key_opens_nothing_while_the_others_of_its_subscription_do(planned: Bench) -> None:
    agent, app = grant(GOLD), grant(GOLD, key="gkey_2", secret="sk_live_2")
    handle = planned.adapter().place_key(agent, "orders", "prod_1").handle
    planned.adapter().place_key(app, "orders", "prod_1")

    planned.adapter().suspend_key(replace(agent, secret=None), handle, "orders")

    (hidden,) = set(keys(planned)) - {"sk_live_2"}
    assert hidden.startswith("suspended.")
    assert len(hidden) > len(SECRET) + 32
    planned.adapter().place_key(replace(agent, secret=None), "orders", "prod_1")
    assert sorted(keys(planned)) == [SECRET, "sk_live_2"]


def test_suspending_twice_and_without_a_handle_is_harmless(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    planned.adapter().suspend_key(grant(GOLD, secret=None), {}, "orders")
    once = keys(planned)
    planned.adapter().suspend_key(grant(GOLD, secret=None), {}, "orders")

    assert keys(planned) == once != [SECRET]


def test_two_suspensions_hide_a_key_differently(planned: Bench) -> None:
    adapter = planned.adapter()
    adapter.place_key(grant(GOLD), "orders", "prod_1")
    seen = set()
    for _ in range(2):
        adapter.suspend_key(grant(GOLD), {}, "orders")
        seen |= set(keys(planned))
        adapter.place_key(grant(GOLD, secret=None), "orders", "prod_1")

    assert len(seen) == 2


@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_key_placed_as_suspended_never_opens_anything_and_stays_as_it_is(planned: Bench, secret: str | None) -> None:
    suspended = grant(GOLD, state="suspended")
    planned.adapter().place_key(suspended, "orders", "prod_1")
    hidden = keys(planned)
    sent = [one.json for one in planned.kong.requests("PUT") if "/key-auth/" in one.path]

    planned.adapter().place_key(replace(suspended, secret=secret), "orders", "prod_1")

    assert keys(planned) == hidden
    assert [one["key"] == SECRET for one in sent] == [False]
    planned.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    assert keys(planned) == [SECRET]


def test_a_key_that_is_gone_cannot_be_suspended(planned: Bench) -> None:
    with pytest.raises(KeyGone):
        planned.adapter().suspend_key(grant(GOLD), {}, "orders")


def test_a_kong_that_shows_no_keys_keeps_them_but_cannot_suspend_them(planned: Bench) -> None:
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    planned.kong.rows("key-auths")[0]["key"] = None

    planned.adapter().place_key(grant(GOLD, secret=None), "orders", "prod_1")
    with pytest.raises(Unsupported, match="does not show keys"):
        planned.adapter().suspend_key(grant(GOLD), {}, "orders")

    assert keys(planned) == [None]


def test_a_removed_key_leaves_the_others_and_the_last_takes_the_consumer_along(planned: Bench) -> None:
    adapter = planned.adapter()
    first = adapter.place_key(grant(GOLD), "orders", "prod_1").handle
    second = adapter.place_key(grant(GOLD, key="gkey_2", secret="sk_live_2"), "orders", "prod_1").handle

    adapter.remove_key(grant(GOLD), first, "orders", last=False)
    left = keys(planned)
    adapter.remove_key(grant(GOLD, key="gkey_2"), second, "orders", last=True)

    assert left == ["sk_live_2"]
    assert [planned.kong.rows(table) for table in ("consumers", "key-auths", "acls")] == [[], [], []]
    assert not [row for row in planned.kong.rows("plugins") if row["consumer"]]
    assert planned.drift(RECORD) == []


@pytest.mark.parametrize("last", [True, False])
def test_removing_what_is_gone_or_was_never_placed_is_harmless(planned: Bench, last: bool) -> None:
    planned.adapter().remove_key(grant(GOLD), {}, "orders", last=last)
    planned.adapter().remove_key(grant(GOLD), {"consumer": "c", "key": "k"}, "orders", last=last)

    assert planned.kong.rows("consumers") == []


def test_a_key_is_removed_also_where_its_service_is_gone(planned: Bench) -> None:
    handle = planned.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    planned.kong.remove("services", planned.service)

    planned.adapter().remove_key(grant(GOLD), handle, "orders", last=True)

    assert planned.kong.rows("consumers") == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("takes_effect", [True, False])
def test_wherever_the_connection_is_lost_placing_again_ends_with_one_of_each(
    planned: Bench, step: str, takes_effect: bool
) -> None:
    planned.kong.faults = [Fault(STEPS[step], effect=takes_effect, times=3)]

    with pytest.raises(Unavailable):
        planned.adapter().place_key(grant(GOLD), "orders", "prod_1")
    broken_off = [row["group"] for row in planned.kong.rows("acls")]
    planned.adapter().place_key(grant(GOLD), "orders", "prod_1")

    assert broken_off == (["meterdesk-prod_1"] if step == "access" and takes_effect else [])
    assert [len(planned.kong.rows(table)) for table in ("consumers", "key-auths", "acls")] == [1, 1, 1]
    assert planned.drift(RECORD) == []
    limits = limits_of_consumer(planned, planned.kong.rows("consumers")[0]["id"])
    assert limits is not None
    assert limits["minute"] == 100


@pytest.mark.parametrize("takes_effect", [True, False])
def test_a_removal_whose_answer_was_lost_is_done_again(planned: Bench, takes_effect: bool) -> None:
    handle = planned.adapter().place_key(grant(GOLD), "orders", "prod_1").handle
    planned.kong.faults = [Fault("DELETE .*/key-auth/", effect=takes_effect, times=3)]

    with pytest.raises(Unavailable):
        planned.adapter().remove_key(grant(GOLD), handle, "orders", last=True)
    planned.adapter().remove_key(grant(GOLD), handle, "orders", last=True)

    assert planned.kong.rows("consumers") == planned.kong.rows("key-auths") == []

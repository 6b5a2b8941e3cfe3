"""Keys of subscriptions at Apigee."""

from __future__ import annotations

import pytest

from catalog.gateways.failures import (
    Conflict,
    KeyGone,
    ObjectMissing,
)
from tests.gateways.apigee_cases import EMAIL, GOLD, NAME, REF, SECRET, connected, grant, plan, record, restore
from tests.gateways.fakes.apigee import FakeApigee


def test_a_key_is_placed_moved_suspended_resumed_and_removed(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, record(*GOLD.plans, plan("plan_silver")))

    placed = adapter.place_key(grant(), REF, "prod_1")
    [key] = apigee.all_keys()
    assert (key["consumerKey"], key["status"]) == (SECRET, "approved")
    assert (placed.made, SECRET in str(placed.handle)) == ({}, False)

    adapter.suspend_key(grant(secret=None), placed.handle, REF)
    assert apigee.all_keys()[0]["status"] == "revoked"

    adapter.place_key(grant(secret=None, plan="plan_silver"), REF, "prod_1")
    [key] = apigee.all_keys()
    assert key["status"] == "approved"
    assert key["apiProducts"] == [{"apiproduct": "meterdesk-plan_silver", "status": "approved"}]

    for _ in range(2):
        adapter.remove_key(grant(secret=None), placed.handle, REF, last=True)
    assert (apigee.apps, apigee.developers) == ({}, {})


def test_a_key_is_bound_to_its_plan_before_it_lets_in_anywhere(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    adapter.place_key(grant(), REF, "prod_1")

    writes = [sent.path.rpartition("/")[2] for sent in apigee.requests("POST") if "/developers" in sent.path]
    assert writes == ["developers", "apps", "create", SECRET]


def test_placing_a_key_twice_sends_it_once(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)

    adapter.place_key(grant(), REF, "prod_1")
    adapter.place_key(grant(), REF, "prod_1")

    assert len(apigee.all_keys()) == 1


def test_a_rotated_key_stands_beside_the_old_one_until_that_goes(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    adapter.place_key(grant(), REF, "prod_1")
    adapter.place_key(grant(key="gkey_2", secret="sk_live_another"), REF, "prod_1")
    assert len(apigee.all_keys()) == 2

    adapter.remove_key(grant(secret=None), {}, REF, last=False)

    assert [key["consumerKey"] for key in apigee.all_keys()] == ["sk_live_another"]
    assert list(apigee.developers) == [EMAIL]


def test_a_client_comes_with_its_secret_and_a_new_one_replaces_it(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    client = {"is_client": True, "client_id": "mc_1"}
    adapter.place_key(grant(**client, secret="mcs_old"), REF, "prod_1")
    adapter.place_key(grant(**client, key="gkey_2", secret="mcs_new"), REF, "prod_1")

    adapter.remove_key(grant(**client, secret=None), {}, REF, last=False)

    [key] = apigee.all_keys()
    assert (key["consumerKey"], key["consumerSecret"]) == ("mc_1", "mcs_new")
    assert key["apiProducts"][0]["apiproduct"] == NAME


def test_a_key_that_vanished_without_its_secret_has_to_be_rotated(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)

    with pytest.raises(KeyGone):
        adapter.place_key(grant(secret=None), REF, "prod_1")


def test_a_key_waits_for_its_plan(apigee: FakeApigee) -> None:
    with pytest.raises(ObjectMissing, match="restore the mapping first") as failure:
        connected(apigee).place_key(grant(), REF, "prod_1")

    assert not isinstance(failure.value, KeyGone)


def test_a_developer_that_is_not_ours_is_left_alone(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    apigee.developers[EMAIL] = {"email": EMAIL, "firstName": "A", "lastName": "B", "userName": "ab"}

    with pytest.raises(Conflict, match="is not ours"):
        adapter.place_key(grant(), REF, "prod_1")


def test_a_key_that_must_not_let_in_yet_is_revoked_before_it_is_bound(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)

    adapter.place_key(grant(state="suspended"), REF, "prod_1")

    [key] = apigee.all_keys()
    assert key["status"] == "revoked"
    steps = [dict(sent.query).get("action", "bind") for sent in apigee.requests("POST") if sent.path.endswith(SECRET)]
    assert steps == ["revoke", "bind"]

"""Keys of subscriptions at Azure API Management."""

from __future__ import annotations

import pytest

from catalog.gateways.failures import (
    KeyGone,
    ObjectMissing,
)
from tests.gateways.azure_cases import GOLD, REF, SECRET, connected, grant, plan, record, restore
from tests.gateways.fakes.azure import SERVICE, FakeAzure


def test_a_key_is_placed_moved_suspended_resumed_and_removed(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, record(*GOLD.plans, plan("plan_silver")))

    placed = adapter.place_key(grant(), REF, "prod_1")
    assert azure.keys["meterdesk-gkey_1"]["primaryKey"] == SECRET
    assert (placed.made, SECRET in str(placed.handle)) == ({}, False)

    adapter.suspend_key(grant(), placed.handle, REF)
    assert azure.keys["meterdesk-gkey_1"]["state"] == "suspended"

    adapter.place_key(grant(secret=None, plan="plan_silver"), REF, "prod_1")
    key = azure.keys["meterdesk-gkey_1"]
    assert (key["state"], key["scope"]) == ("active", f"{SERVICE}/products/meterdesk-plan_silver")
    assert key["primaryKey"] == SECRET

    adapter.remove_key(grant(), placed.handle, REF, last=True)
    adapter.remove_key(grant(), placed.handle, REF, last=True)
    assert azure.keys == {}


def test_placing_a_key_twice_sends_it_once(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)

    adapter.place_key(grant(), REF, "prod_1")
    adapter.place_key(grant(), REF, "prod_1")

    assert len([sent for sent in azure.requests("PUT") if "/subscriptions/meterdesk-" in sent.path]) == 1


def test_a_key_that_vanished_without_its_secret_has_to_be_rotated(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)

    with pytest.raises(KeyGone):
        adapter.place_key(grant(secret=None), REF, "prod_1")


def test_a_key_waits_for_its_plan(azure: FakeAzure) -> None:
    with pytest.raises(ObjectMissing, match="restore the mapping first") as failure:
        connected(azure).place_key(grant(), REF, "prod_1")

    assert not isinstance(failure.value, KeyGone)


def test_a_key_that_must_not_let_in_yet_never_does(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)

    adapter.place_key(grant(state="suspended"), REF, "prod_1")

    assert azure.keys["meterdesk-gkey_1"]["state"] == "suspended"
    assert all(b'"active"' not in sent.body for sent in azure.requests("PUT") if "/gkey" in sent.path)

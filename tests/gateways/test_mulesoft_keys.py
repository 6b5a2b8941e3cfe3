"""MuleSoft: applications with client ids and secrets of its own making, and the contracts that let them in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.gateways.failures import Conflict, KeyGone, NotAllowed, ObjectMissing, Refused
from catalog.gateways.interface import KeyGrant
from catalog.gateways.mulesoft import MuleSoftAdapter
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.fakes.server import Fault
from tests.gateways.mulesoft_cases import APPLICATION, REF, TIER, TWO, connected, grant, judged, restore


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        restore(connected(fake), TWO)
        fake.exchanges.clear()
        yield fake


def placed_again(adapter: MuleSoftAdapter, given: KeyGrant, handle: Any, ref: str = REF) -> dict[str, Any]:
    """Place a key that we know to be there, and return its handle; nothing is made any more."""
    placed = adapter.place_key(given, ref, "prod_1")
    assert placed.made == {}
    assert handle["application"] == placed.handle["application"]
    return dict(placed.handle)


def contract(fake: FakeAnypoint) -> dict[str, Any]:
    """Return the one contract."""
    [found] = fake.contracts.values()
    return found


def test_a_key_is_made_moved_suspended_resumed_and_removed(mule: FakeAnypoint) -> None:
    adapter = connected(mule)

    placed = adapter.place_key(grant(), REF, "prod_1")
    [application] = mule.applications.values()
    assert application["name"] == APPLICATION
    assert placed.made == {"client_id": application["clientId"], "client_secret": application["clientSecret"]}
    assert "mule-secret" not in str(placed)
    assert (contract(mule)["status"], contract(mule)["tierId"]) == ("APPROVED", mule.tier(TIER)["id"])

    adapter.suspend_key(grant(), placed.handle, REF)
    adapter.suspend_key(grant(), placed.handle, REF)
    assert contract(mule)["status"] == "REVOKED"

    silver = mule.tier("aforo-plan_silver")["id"]
    placed_again(adapter, grant("silver", handle=placed.handle), placed.handle)
    assert (contract(mule)["status"], contract(mule)["tierId"]) == ("APPROVED", silver)

    for _ in range(2):
        adapter.remove_key(grant(), placed.handle, REF, last=True)
    assert (mule.contracts, mule.applications) == ({}, {})


def test_a_key_that_is_as_it_should_be_is_only_read(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    mule.exchanges.clear()

    placed_again(adapter, grant(handle=placed.handle), placed.handle)

    assert mule.requests("POST", "PUT", "PATCH", "DELETE") == []
    assert not any(sent.path.endswith(("/contracts", "/applications")) for sent in mule.requests())


def test_what_was_made_is_told_again_until_we_have_kept_where_it_is(mule: FakeAnypoint) -> None:
    adapter = connected(mule)

    first = adapter.place_key(grant(), REF, "prod_1")
    again = adapter.place_key(grant(), REF, "prod_1")

    assert (again.made, again.handle) == (first.made, first.handle)
    assert (len(mule.applications), len(mule.contracts)) == (1, 1)


def test_a_key_of_a_suspended_customer_never_lets_in(mule: FakeAnypoint) -> None:
    adapter = connected(mule)

    placed = adapter.place_key(grant(state="suspended"), REF, "prod_1")
    adapter.suspend_key(grant(state="suspended"), placed.handle, REF)
    assert contract(mule)["status"] == "PENDING"
    assert not any(sent.path.endswith("/approve") for sent in mule.requests("POST"))

    placed_again(adapter, grant(handle=placed.handle), placed.handle)
    assert contract(mule)["status"] == "APPROVED"


def test_a_key_that_never_let_in_can_be_removed(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(state="suspended"), REF, "prod_1")

    adapter.remove_key(grant(), placed.handle, REF, last=True)

    assert (mule.contracts, mule.applications) == ({}, {})


def test_a_rotated_key_stands_beside_the_old_one_until_that_goes(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    old = adapter.place_key(grant(), REF, "prod_1")
    new = adapter.place_key(grant(key="gkey_2"), REF, "prod_1")
    assert old.made["client_secret"] != new.made["client_secret"]

    adapter.remove_key(grant(), old.handle, REF, last=False)

    [application] = mule.applications.values()
    assert application["name"] == "aforo-gkey_2"
    assert contract(mule)["status"] == "APPROVED"


def test_a_tier_that_has_to_be_asked_for_is_asked_for_and_approved(mule: FakeAnypoint) -> None:
    mule.asks_for_tiers = True
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")

    placed_again(adapter, grant("silver", handle=placed.handle), placed.handle)

    assert contract(mule)["tierId"] == mule.tier("aforo-plan_silver")["id"]
    assert [sent.path.rpartition("/")[2] for sent in mule.requests("POST")][-2:] == ["approve", "approve"]


def test_a_contract_that_does_not_move_is_told(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    unmoved = b'{"id": 1, "status": "APPROVED", "tierId": 4}'
    mule.faults += [Fault("PATCH", 200, unmoved), Fault("POST .*/approve", 201, unmoved)]

    with pytest.raises(Refused, match="stays on another tier"):
        adapter.place_key(grant("silver", handle=placed.handle), REF, "prod_1")

    placed_again(adapter, grant("silver", handle=placed.handle), placed.handle)


def test_where_api_manager_takes_no_contract_on_a_tier_exchange_does(mule: FakeAnypoint) -> None:
    mule.wants_exchange = True

    connected(mule).place_key(grant(), REF, "prod_1")

    assert (contract(mule)["status"], contract(mule)["tierId"]) == ("APPROVED", mule.tier(TIER)["id"])


def test_a_contract_that_was_deleted_by_hand_is_made_again(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    mule.contracts.clear()

    handle = placed_again(adapter, grant(handle=placed.handle), placed.handle)

    assert handle["contract"] == contract(mule)["id"] != placed.handle["contract"]


def test_a_contract_is_found_among_those_of_others_on_any_page(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    handles = {
        key: adapter.place_key(grant(key=key), REF, "prod_1").handle for key in ("gkey_1", "gkey_2", "gkey_3", "gkey_4")
    }

    adapter.suspend_key(grant(key="gkey_4"), {**handles["gkey_4"], "contract": None}, REF)

    by_application = {one["applicationId"]: one["status"] for one in mule.contracts.values()}
    assert by_application.pop(handles["gkey_4"]["application"]) == "REVOKED"
    assert set(by_application.values()) == {"APPROVED"}


def test_a_mapping_that_names_another_instance_takes_its_keys_along(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    mule.instances.add("78")
    restore(adapter, TWO, "78")

    handle = placed_again(adapter, grant(handle=placed.handle), placed.handle, "78")

    assert handle["instance"] == "78"
    assert (contract(mule)["apiId"], contract(mule)["status"]) == (78, "APPROVED")


def test_applications_are_kept_in_the_topmost_organization(mule: FakeAnypoint) -> None:
    mule.master = "33333333-3333-4333-8333-333333333333"
    adapter = connected(mule)

    placed = adapter.place_key(grant(), REF, "prod_1")
    assert placed.handle["organization"] == mule.master

    adapter.remove_key(grant(), {}, REF, last=True)
    assert (mule.contracts, mule.applications) == ({}, {})


def test_a_key_is_removed_also_where_its_instance_is_gone(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    mule.instances.clear()
    mule.contracts.clear()

    adapter.remove_key(grant(), placed.handle, REF, last=True)
    adapter.remove_key(grant(), {}, REF, last=True)

    assert mule.applications == {}


def test_an_application_that_vanished_has_to_be_rotated(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    placed = adapter.place_key(grant(), REF, "prod_1")
    mule.contracts.clear()
    mule.applications.clear()

    with pytest.raises(KeyGone):
        adapter.place_key(grant(handle=placed.handle), REF, "prod_1")

    assert mule.applications == {}


def test_a_key_waits_for_its_plan(mule: FakeAnypoint) -> None:
    adapter = connected(mule)

    with pytest.raises(ObjectMissing, match="restore the mapping first") as failure:
        adapter.place_key(grant("platinum"), REF, "prod_1")

    assert not isinstance(failure.value, KeyGone)
    assert mule.applications == {}


def test_an_application_of_that_name_that_is_not_ours_is_left_alone(mule: FakeAnypoint) -> None:
    by_hand = {"name": APPLICATION, "description": "By hand", "clientId": "c", "clientSecret": "s"}
    mule.applications[5] = {"id": 5, **by_hand}
    adapter = connected(mule)

    with pytest.raises(Conflict, match=f"'{APPLICATION}' exists already and is not ours"):
        adapter.place_key(grant(), REF, "prod_1")
    with pytest.raises(Conflict, match="is not ours"):
        adapter.remove_key(grant(), {}, REF, last=True)

    assert mule.applications == {5: {"id": 5, **by_hand}}
    adapter.place_key(grant(key="gkey_2"), REF, "prod_1")


def test_names_that_only_begin_alike_are_others(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    adapter.place_key(grant(key="gkey_11"), REF, "prod_1")

    adapter.place_key(grant(), REF, "prod_1")

    assert sorted(one["name"] for one in mule.applications.values()) == [APPLICATION, "aforo-gkey_11"]


def test_a_secret_that_is_not_shown_to_us_is_a_matter_of_scopes(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    adapter.place_key(grant(), REF, "prod_1")
    mule.hides_secrets = True

    with pytest.raises(NotAllowed, match="scopes"):
        adapter.place_key(grant(), REF, "prod_1")

    mule.hides_secrets = False
    assert adapter.place_key(grant(), REF, "prod_1").made["client_secret"].startswith("mule-secret-")

"""AWS API Gateway: API keys are placed, moved, switched and removed, and found again where an answer was lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.gateways.aws import AwsAdapter
from catalog.gateways.failures import Conflict, KeyGone, ObjectMissing, OutcomeUnknown, Unsupported
from tests.gateways.aws_cases import REF, SECRET, document, grant, judged, plan, restore
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.fakes.aws_front import SECRET_KEY
from tests.gateways.fakes.server import Fault

RECORD = document(plan("gold", rate_per_second=10), plan("silver", rate_per_second=5))
GOLD, SILVER = "aforo-weather-gold-v1", "aforo-weather-silver-v1"


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    with judged() as gateway:
        yield gateway


@pytest.fixture
def adapter(fake: FakeAws) -> AwsAdapter:
    made = fake.adapter()
    restore(made, RECORD)
    fake.exchanges.clear()
    return made


def keys_of(fake: FakeAws, name: str) -> list[str]:
    return fake.names_in(fake.plan_named(name)["id"])


def test_a_key_comes_with_our_value_into_the_plan_of_its_subscription(fake: FakeAws, adapter: AwsAdapter) -> None:
    placed = adapter.place_key(grant(), REF, "prod_1")

    (key,) = fake.keys.values()
    assert (placed.handle, placed.made) == ({"key_id": key["id"]}, {})
    assert (key["name"], key["value"], key["enabled"], key["customerId"]) == ("gkey_1", SECRET, True, "cust_1")
    assert key["tags"] == {"aforo:subscription": "sub_1", "aforo:key": "gkey_1"}
    assert keys_of(fake, GOLD) == ["gkey_1"]


def test_placing_it_again_changes_nothing(fake: FakeAws, adapter: AwsAdapter) -> None:
    first = adapter.place_key(grant(), REF, "prod_1")
    fake.exchanges.clear()

    assert adapter.place_key(grant(), REF, "prod_1") == first
    assert adapter.place_key(grant(secret=None), REF, "prod_1") == first
    assert fake.requests("POST", "PATCH", "DELETE") == []


def test_several_keys_of_a_subscription_are_keys_of_their_own(fake: FakeAws, adapter: AwsAdapter) -> None:
    for number in range(5):
        adapter.place_key(grant(key=f"gkey_1{number}", secret=f"{SECRET}{number}"), REF, "prod_1")
    adapter.place_key(grant(key="gkey_1", secret=f"{SECRET}x"), REF, "prod_1")

    assert len(fake.keys) == 6
    assert len(keys_of(fake, GOLD)) == 6


def test_a_key_of_another_plan_moves(fake: FakeAws, adapter: AwsAdapter) -> None:
    first = adapter.place_key(grant("gold"), REF, "prod_1")

    moved = adapter.place_key(grant("silver", secret=None), REF, "prod_1")

    assert moved.handle == first.handle
    assert (keys_of(fake, GOLD), keys_of(fake, SILVER)) == ([], ["gkey_1"])


def test_a_key_can_serve_two_stages_of_an_account(fake: FakeAws, adapter: AwsAdapter) -> None:
    restore(adapter, RECORD, "a2/prod")

    first = adapter.place_key(grant(), REF, "prod_1")
    second = adapter.place_key(grant(), "a2/prod", "prod_1")

    assert first.handle == second.handle
    assert sorted(len(members) for members in fake.members.values()) == [0, 0, 1, 1]


def test_a_suspended_key_is_off_until_it_is_placed_again_without_its_secret(fake: FakeAws, adapter: AwsAdapter) -> None:
    placed = adapter.place_key(grant(), REF, "prod_1")
    (key,) = fake.keys.values()

    states = []
    for _ in range(2):
        adapter.suspend_key(grant(secret=None), placed.handle, REF)
        states.append(key["enabled"])
    adapter.place_key(grant(secret=None, state="suspended"), REF, "prod_1")
    states.append(key["enabled"])
    adapter.place_key(grant(secret=None), REF, "prod_1")

    assert states == [False, False, False]
    assert (key["enabled"], key["value"]) == (True, SECRET)


def test_a_removed_key_is_gone_and_twice_is_harmless(fake: FakeAws, adapter: AwsAdapter) -> None:
    placed = adapter.place_key(grant(), REF, "prod_1")
    other = adapter.place_key(grant(key="gkey_2", secret=f"{SECRET}2"), REF, "prod_1")

    for _ in range(2):
        adapter.remove_key(grant(secret=None), placed.handle, REF, last=False)
    assert list(fake.keys) == [other.handle["key_id"]]
    adapter.remove_key(grant(key="gkey_2", secret=None), other.handle, REF, last=True)
    adapter.suspend_key(grant(key="gkey_2", secret=None), other.handle, REF)

    assert fake.keys == {}
    assert keys_of(fake, GOLD) == []


def test_a_key_whose_place_we_never_heard_is_found_by_its_tags(fake: FakeAws, adapter: AwsAdapter) -> None:
    adapter.place_key(grant(), REF, "prod_1")
    (key,) = fake.keys.values()
    key["name"] = "renamed by hand"

    adapter.suspend_key(grant(secret=None), {}, REF)
    assert key["enabled"] is False
    adapter.remove_key(grant(secret=None), {}, REF, last=True)
    adapter.remove_key(grant(secret=None), {}, REF, last=True)

    assert fake.keys == {}


def test_without_its_secret_a_key_that_is_gone_has_to_be_rotated(fake: FakeAws, adapter: AwsAdapter) -> None:
    with pytest.raises(KeyGone, match="gkey_1"):
        adapter.place_key(grant(secret=None), REF, "prod_1")

    assert adapter.place_key(grant(), REF, "prod_1").handle


def test_without_its_plan_no_key_is_made(fake: FakeAws, adapter: AwsAdapter) -> None:
    with pytest.raises(ObjectMissing, match="restore the mapping"):
        adapter.place_key(grant("platinum"), REF, "prod_1")

    assert fake.keys == {}


def test_a_value_that_aws_does_not_take_is_replaced_by_its_own(fake: FakeAws, adapter: AwsAdapter) -> None:
    fake.strict_values = True

    placed = adapter.place_key(grant(), REF, "prod_1")

    (key,) = fake.keys.values()
    assert placed.made == {"api_key": key["value"]}
    assert key["value"] != SECRET
    assert keys_of(fake, GOLD) == ["gkey_1"]
    # Its answer may have been lost, so it is told again as long as we have the secret that it stands for.
    assert adapter.place_key(grant(), REF, "prod_1").made == placed.made
    assert adapter.place_key(grant(secret=None), REF, "prod_1").made == {}


def test_a_value_that_somebody_else_s_key_has_is_a_conflict(fake: FakeAws, adapter: AwsAdapter) -> None:
    fake.keys["hand"] = {"id": "hand", "name": "gkey_1", "value": SECRET, "enabled": True}

    with pytest.raises(Conflict, match="value of gkey_1 already, and is not ours"):
        adapter.place_key(grant(), REF, "prod_1")

    assert list(fake.keys) == ["hand"]
    assert keys_of(fake, GOLD) == []


def test_our_key_under_another_name_is_adopted(fake: FakeAws, adapter: AwsAdapter) -> None:
    first = adapter.place_key(grant(), REF, "prod_1")
    fake.keys[first.handle["key_id"]]["name"] = "renamed by hand"

    assert adapter.place_key(grant(), REF, "prod_1").handle == first.handle


def test_a_key_in_a_foreign_plan_of_the_stage_is_a_conflict_by_name(fake: FakeAws, adapter: AwsAdapter) -> None:
    placed = adapter.place_key(grant(), REF, "prod_1")
    stage = {"apiId": "a1", "stage": "prod"}
    fake.plans["hand"] = {"id": "hand", "name": "partners", "apiStages": [stage]}
    fake.members["hand"] = [placed.handle["key_id"]]
    fake.members[fake.plan_named(GOLD)["id"]] = []

    with pytest.raises(Conflict, match="usage plan «partners» of the same stage"):
        adapter.place_key(grant(), REF, "prod_1")

    assert fake.members["hand"] == [placed.handle["key_id"]]


@pytest.mark.parametrize("path", ["POST /apikeys", "POST /usageplans/[^/]+/keys"])
@pytest.mark.parametrize("effect", [True, False])
def test_a_lost_answer_makes_no_second_key(fake: FakeAws, adapter: AwsAdapter, path: str, effect: bool) -> None:
    fake.faults.append(Fault(path, effect=effect))
    with pytest.raises(OutcomeUnknown):
        adapter.place_key(grant(), REF, "prod_1")

    placed = adapter.place_key(grant(), REF, "prod_1")

    assert list(fake.keys) == [placed.handle["key_id"]]
    assert keys_of(fake, GOLD) == ["gkey_1"]
    assert placed.made == {}


@pytest.mark.parametrize(("fields", "why"), [({"is_client": True}, "no client ids"), ({"plan": ""}, "usage plan only")])
def test_what_has_no_place_at_aws_is_refused(
    fake: FakeAws, adapter: AwsAdapter, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unsupported, match=why):
        adapter.place_key(grant(**fields), REF, "prod_1")

    assert fake.keys == {}


def test_keys_keep_to_the_account_s_budget(fake: FakeAws, adapter: AwsAdapter) -> None:
    asked: list[tuple[str, str, float]] = []
    paced = fake.adapter(pace=lambda *budget: asked.append(budget))

    placed = paced.place_key(grant(), REF, "prod_1")
    paced.remove_key(grant(), placed.handle, REF, last=True)

    account = "aws eu-west-1 AKIAEXAMPLE000000001"
    assert asked == [(account, "api_key_creation", 0.2), (account, "api_key_deletion", 0.2)]


def test_no_secret_is_in_logs_messages_or_handles(
    fake: FakeAws, adapter: AwsAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    placed = adapter.place_key(grant(), REF, "prod_1")
    fake.strict_values = True
    made = adapter.place_key(grant(key="gkey_2", secret=f"{SECRET}2"), REF, "prod_1").made["api_key"]
    fake.faults.append(Fault("POST /apikeys", status=409, body=f'{{"message": "{SECRET}3 exists"}}'.encode()))
    with pytest.raises(Conflict) as refusal:
        adapter.place_key(grant(key="gkey_3", secret=f"{SECRET}3"), REF, "prod_1")
    fake.faults.append(Fault("POST /apikeys", status=400, body=f'{{"message": "bad {SECRET}4"}}'.encode()))
    with pytest.raises(Exception, match="bad …") as second:
        adapter.place_key(grant(key="gkey_4", secret=f"{SECRET}4"), REF, "prod_1")

    said = f"{caplog.text} {placed!r} {refusal.value} {refusal.value.__cause__} {second.value} {grant()!r}"
    for secret in (SECRET, made, SECRET_KEY):
        assert secret not in said

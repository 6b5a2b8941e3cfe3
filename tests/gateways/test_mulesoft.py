"""MuleSoft: limits as tiers, one policy that holds to them, and what of it counts as drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.gateways.diffing import changes_between
from catalog.gateways.failures import Conflict, ObjectMissing
from catalog.limits import LIMIT_KINDS
from tests.gateways.fakes.api_manager import PAGE, SETTINGS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.mulesoft_cases import (
    GOLD,
    REF,
    TIER,
    TWO,
    connected,
    grant,
    judged,
    missing,
    plan,
    record,
    restore,
)

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        yield fake


def writes(fake: FakeAnypoint) -> list[str]:
    """Return what was written, the token aside."""
    sent = [one for one in fake.requests(*WRITES) if not one.path.startswith("/accounts/")]
    return [f"{one.method} {one.path.rpartition(f'/apis/{REF}/')[2]}" for one in sent]


def test_the_api_is_closed_before_there_are_tiers_that_open_it(mule: FakeAnypoint) -> None:
    adapter = connected(mule)

    assert missing(adapter) == ["create policy", "create tier"]
    restore(adapter)

    assert writes(mule) == ["POST policies", "POST tiers"]
    tier = mule.tier(TIER)
    assert sorted((one["timePeriodInMilliseconds"], one["maximumRequests"]) for one in tier["limits"]) == [
        (60_000, 100),
        (86_400_000, 10_000),
    ]
    assert (tier["autoApprove"], tier["status"]) == (False, "ACTIVE")
    assert mule.policy()["configurationData"]["clientIdExpression"] == "#[attributes.headers['client_id']]"
    assert missing(adapter) == []


def test_a_second_restore_writes_nothing(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter)
    before = writes(mule)

    restore(adapter)

    assert writes(mule) == before


def test_steps_that_are_taken_twice_change_nothing_more(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    changes = changes_between(adapter.fetch(GOLD, REF), adapter.desired(GOLD, REF))
    for change in [*changes, *changes]:
        adapter.apply(change, GOLD, REF)

    assert (len(mule.tiers), len(mule.policies)) == (1, 1)
    assert missing(adapter) == []


BY_HAND: list[tuple[str, Callable[[FakeAnypoint], object], list[str]]] = [
    ("another limit", lambda fake: fake.tier(TIER)["limits"][0].update(maximumRequests=9),
     ["update tier limits.86400000"]),
    ("a limit less", lambda fake: fake.tier(TIER)["limits"].pop(), ["update tier limits.60000"]),
    ("approves by itself", lambda fake: fake.tier(TIER).update(autoApprove=True), ["update tier autoApprove"]),
    ("out of use", lambda fake: fake.tier(TIER).update(status="DEPRECATED"), ["update tier status"]),
    ("another name", lambda fake: fake.tier(TIER).update(name="Gold"), ["update tier name"]),
    ("no description", lambda fake: fake.tier(TIER).update(description=None), ["update tier description"]),
    ("no tier", lambda fake: fake.tiers.clear(), ["create tier"]),
    ("no policy", lambda fake: fake.policies.clear(), ["create policy"]),
    ("policy off", lambda fake: fake.policy().update(disabled=True), ["update policy disabled"]),
    ("parts of the API", lambda fake: fake.policy().update(pointcutData=[{"methodRegex": "GET"}]),
     ["update policy pointcutData"]),
    ("who is asked", lambda fake: fake.policy()["configurationData"].update(clientIdExpression="#['me']"),
     ["update policy configurationData.clientIdExpression"]),
]  # fmt: skip


@pytest.mark.parametrize("lists_fully", [False, True])
@pytest.mark.parametrize(("what", "change", "steps"), BY_HAND, ids=[one[0] for one in BY_HAND])
def test_a_change_by_hand_is_drift_and_a_restore_undoes_it(
    mule: FakeAnypoint, what: str, change: Callable[[FakeAnypoint], object], steps: list[str], lists_fully: bool
) -> None:
    mule.lists_fully = lists_fully
    adapter = connected(mule)
    restore(adapter)

    change(mule)
    assert missing(adapter) == steps

    restore(adapter)
    assert missing(adapter) == []
    assert (len(mule.tiers), len(mule.policies)) == (1, 1)


def test_what_others_made_or_set_is_no_drift_and_stays(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    mule.tiers[1] = {"id": 1, "name": "By hand", "description": None, "limits": [], "apiId": 77, "autoApprove": True}
    mule.add_policy("ip-allowlist", configurationData={"ips": ["203.0.113.0/24"]})
    restore(adapter)
    mule.policy()["configurationData"]["failOnUnknown"] = True
    mule.policy().update(assetVersion="1.3.2", order=7)
    mule.tier(TIER)["limits"][0]["visible"] = False
    assert missing(adapter) == []

    mule.policy()["configurationData"]["exposeHeaders"] = True
    restore(adapter, record())

    assert sorted(one["name"] for one in mule.tiers.values()) == ["By hand"]
    assert mule.policy()["configurationData"]["failOnUnknown"] is True
    assert len(mule.policies) == 2


def test_the_policy_stays_when_nothing_is_sold_any_more(mule: FakeAnypoint) -> None:
    restore(connected(mule))

    restore(connected(mule), record(is_open=False))

    assert mule.tiers == {}
    assert mule.policy()["disabled"] is False


def test_a_policy_of_the_kind_that_is_there_is_taken_over_with_its_version(mule: FakeAnypoint) -> None:
    made = mule.add_policy("rate-limiting-sla-based", disabled=True, order=3)
    adapter = connected(mule)
    assert missing(adapter)[0].startswith("update policy")

    restore(adapter)

    assert missing(adapter) == []
    assert mule.policy()["id"] == made["id"]
    assert (mule.policy()["assetVersion"], mule.policy()["order"]) == ("1.2.0", 3)


def test_a_policy_that_excludes_ours_is_named_and_left_alone(mule: FakeAnypoint) -> None:
    rival = mule.add_policy("client-id-enforcement")
    adapter = connected(mule)

    with pytest.raises(Conflict, match=rf"client-id-enforcement \(policy {rival['id']}\)"):
        restore(adapter)
    assert (writes(mule), mule.tiers) == ([], {})

    mule.policies.clear()
    restore(adapter)
    assert missing(adapter) == []


def test_a_new_policy_has_the_version_of_the_settings(mule: FakeAnypoint) -> None:
    restore(connected(mule, settings={**SETTINGS, "policy_version": "1.2.4"}))
    assert mule.policy()["assetVersion"] == "1.2.4"

    mule.policies.clear()
    restore(connected(mule, settings={**SETTINGS, "policy_version": ""}))
    assert mule.policy()["assetVersion"] == "1.3.1"


def test_a_plan_without_limits_gets_a_tier_that_nobody_fills(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter, record(plan()))

    assert mule.tier(TIER)["limits"] == [
        {"visible": True, "timePeriodInMilliseconds": 1000, "maximumRequests": 1_000_000_000}
    ]
    assert missing(adapter, record(plan())) == []


def test_a_plan_that_is_gone_is_taken_away(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter, TWO)

    assert missing(adapter) == ["delete tier"]
    restore(adapter)

    assert [one["name"] for one in mule.tiers.values()] == [TIER]


def test_a_tier_with_contracts_is_not_taken_away_before_they_are(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter, TWO)
    placed = adapter.place_key(grant("silver"), REF, "prod_1")

    with pytest.raises(Conflict, match="has contracts at the gateway"):
        restore(adapter)
    assert not any(sent.method == "DELETE" for sent in mule.requests())

    adapter.remove_key(grant("silver"), placed.handle, REF, last=True)
    restore(adapter)
    assert len(mule.tiers) == 1


def test_of_a_tier_that_is_there_twice_the_younger_one_goes(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    restore(adapter)
    first = mule.tier(TIER)
    mule.tiers[9999] = {**first, "id": 9999}

    assert missing(adapter) == ["delete tier"]
    restore(adapter)

    assert list(mule.tiers) == [first["id"]]


def test_tiers_of_several_pages_are_all_seen(mule: FakeAnypoint) -> None:
    adapter = connected(mule)
    plans = [plan(f"p{number}", rate_per_second=number + 1) for number in range(2 * PAGE + 1)]
    restore(adapter, record(*plans))
    mule.exchanges.clear()

    assert missing(adapter, record(*plans)) == []
    offsets = [dict(sent.query)["offset"] for sent in mule.requests("GET") if sent.path.endswith("/tiers")]
    assert offsets == ["0", "2", "4"]


def test_tiers_of_another_product_or_installation_are_none_of_ours(mule: FakeAnypoint) -> None:
    restore(connected(mule))

    assert missing(connected(mule), record(product="prod_2")) == []
    assert missing(connected(mule, mark="other"), record(mark="other")) == []


def test_an_api_instance_that_is_not_there_is_named(mule: FakeAnypoint) -> None:
    with pytest.raises(ObjectMissing, match="'78'"):
        connected(mule).fetch(GOLD, "78")


COUNTS = st.integers(min_value=1, max_value=10**12)
WINDOWS = st.sets(st.sampled_from([kind.name for kind in LIMIT_KINDS if kind.seconds]))


@st.composite
def sensible_limits(draw: st.DrawFn) -> dict[str, int]:
    """Draw limits of which a longer window never allows less."""
    names = draw(WINDOWS)
    counts = sorted(draw(st.lists(COUNTS, min_size=len(names), max_size=len(names))))
    return dict(zip([kind.name for kind in LIMIT_KINDS if kind.name in names], counts, strict=True))


PLANS = st.dictionaries(st.sampled_from(["a", "b", "c"]), sensible_limits())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=PLANS, after=PLANS)
def test_whatever_stood_there_a_restore_brings_our_record(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]
) -> None:
    with judged() as fake:
        adapter = connected(fake)
        for plans in (before, after):
            document = record(*(plan(code, **limits) for code, limits in plans.items()))
            restore(adapter, document)
            assert missing(adapter, document) == []

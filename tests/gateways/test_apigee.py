"""Apigee: quotas as products, keys as keys of apps, and what of it counts as drift."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.gateways.apigee import ApigeeAdapter
from catalog.gateways.failures import (
    Conflict,
    ObjectMissing,
    Refused,
    Unsupported,
)
from catalog.limits import BY_NAME, Limit
from tests.gateways.apigee_cases import GOLD, NAME, REF, connected, grant, missing, plan, record, restore
from tests.gateways.fakes.apigee import PAGE, SETTINGS, FakeApigee
from tests.gateways.fakes.server import serving


def test_a_plan_becomes_a_product_with_its_quota(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)

    product = apigee.products[NAME]
    assert (product["quota"], product["quotaInterval"], product["quotaTimeUnit"]) == ("10000", "1", "month")
    assert product["environments"] == ["eval", "prod"]
    assert product["operationGroup"]["operationConfigs"][0]["apiSource"] == REF
    assert {"name": "access", "value": "private"} in product["attributes"]
    assert missing(adapter, GOLD) == []


def test_a_second_restore_writes_nothing(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    written = len(apigee.requests("PUT", "DELETE"))

    restore(adapter, GOLD)

    assert len(apigee.requests("PUT", "DELETE")) == written


BY_HAND: list[tuple[str, Callable[[FakeApigee], object], list[str]]] = [
    ("another quota", lambda fake: fake.products[NAME].update(quota="5"), ["update quota"]),
    ("no quota", lambda fake: [fake.products[NAME].pop(one) for one in ("quota", "quotaInterval", "quotaTimeUnit")],
     ["update quota,quotaInterval,quotaTimeUnit"]),
    ("all environments", lambda fake: fake.products[NAME].update(environments=[]), ["update environments"]),
    ("another proxy", lambda fake: fake.products[NAME].update(proxies=["admin"]), ["update proxies"]),
    ("open to all", lambda fake: fake.products[NAME]["attributes"].remove({"name": "access", "value": "private"}),
     ["update attributes.access"]),
    ("no product", lambda fake: fake.products.clear(), ["create"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "steps"), BY_HAND, ids=[one[0] for one in BY_HAND])
def test_a_change_by_hand_is_drift_and_a_restore_undoes_it(
    apigee: FakeApigee, what: str, change: Callable[[FakeApigee], object], steps: list[str]
) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)

    change(apigee)
    assert missing(adapter, GOLD) == steps

    restore(adapter, GOLD)
    assert missing(adapter, GOLD) == []


def test_what_others_wrote_on_our_product_is_no_drift_and_stays(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    apigee.products[NAME]["attributes"].append({"name": "team", "value": "pets"})
    apigee.products[NAME] |= {"scopes": ["read"], "llmQuota": "7", "description": "Gold"}
    assert missing(adapter, GOLD) == []

    apigee.products[NAME]["quota"] = "5"
    restore(adapter, GOLD)

    kept = apigee.products[NAME]
    assert {"name": "team", "value": "pets"} in kept["attributes"]
    assert (kept["scopes"], kept["llmQuota"], kept["description"]) == (["read"], "7", "Gold")


def test_a_plan_that_is_gone_is_taken_away_and_nothing_else(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, record(*GOLD.plans, plan("plan_silver", rate_per_minute=5)))
    apigee.products["by-hand"] = {"name": "by-hand", "displayName": "By hand"}

    restore(adapter, GOLD)

    assert sorted(apigee.products) == ["by-hand", NAME]


def test_a_product_with_keys_is_not_taken_away(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    restore(adapter, GOLD)
    adapter.place_key(grant(), REF, "prod_1")

    with pytest.raises(Refused, match="still referenced"):
        restore(adapter, record())

    assert apigee.all_keys()


def test_products_of_several_pages_are_all_seen(apigee: FakeApigee) -> None:
    adapter = connected(apigee)
    plans = [plan(f"plan_{number}", rate_per_minute=number + 1) for number in range(2 * PAGE + 2)]
    restore(adapter, record(*plans))

    assert missing(adapter, record(*plans)) == []
    assert any("startKey" in sent.target for sent in apigee.requests("GET"))


def test_a_product_of_that_name_that_is_not_ours_is_left_alone(apigee: FakeApigee) -> None:
    apigee.products[NAME] = {"name": NAME, "displayName": "By hand"}

    with pytest.raises(Conflict, match="is not ours"):
        restore(connected(apigee), GOLD)

    assert apigee.products[NAME]["displayName"] == "By hand"


def test_a_proxy_that_is_not_there_is_named(apigee: FakeApigee) -> None:
    with pytest.raises(ObjectMissing, match="'unknown'"):
        connected(apigee).fetch(GOLD, "unknown")


def test_two_limits_are_unsupported_and_one_is_fine(apigee: FakeApigee) -> None:
    adapter = connected(apigee)

    with pytest.raises(Unsupported, match="has one quota"):
        adapter.desired(record(plan(rate_per_minute=1, quota_per_day=10)), REF)
    assert adapter.desired(record(plan(quota_per_day=10)), REF)[0].fields["quotaTimeUnit"] == "day"


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("rate_per_second", "unsupported"), ("rate_per_minute", "exact"), ("rate_per_hour", "exact"),
        ("burst", "unsupported"), ("quota_per_day", "exact"), ("quota_per_week", "approximate"),
        ("quota_per_month", "exact"),
    ],
)  # fmt: skip
def test_it_says_how_well_it_keeps_a_limit(name: str, level: str) -> None:
    support = ApigeeAdapter.supports(Limit(1, BY_NAME[name]), SETTINGS)

    assert support.level == level
    assert level == "exact" or support.why


def test_no_environments_would_mean_all_and_are_refused() -> None:
    with pytest.raises(ValueError, match="environments"):
        ApigeeAdapter.check_settings({"environments": " , "}, "")

    ApigeeAdapter.check_settings({"environments": "prod"}, "")


COUNTS = st.integers(min_value=1, max_value=10**9)
WINDOWS = st.sampled_from(["rate_per_minute", "rate_per_hour", "quota_per_day", "quota_per_week", "quota_per_month"])
PLANS = st.dictionaries(st.sampled_from(["plan_a", "plan_b", "plan_c"]), st.dictionaries(WINDOWS, COUNTS, max_size=1))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=PLANS, after=PLANS)
def test_whatever_stood_there_a_restore_brings_our_record(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]
) -> None:
    fake = FakeApigee()
    with serving(fake):
        adapter = connected(fake)
        for counts in (before, after):
            document = record(*(plan(ref, **one) for ref, one in counts.items()))
            restore(adapter, document)
            assert missing(adapter, document) == []
    assert fake.violations == []

"""Azure API Management: limits, access and keys, and what of it counts as drift."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.gateways.azure import AzureAdapter
from catalog.gateways.azure.policy import elements_of, read_elements, with_elements
from catalog.gateways.failures import (
    Conflict,
    ObjectMissing,
    UnreadableAnswer,
    Unsupported,
)
from catalog.gateways.interface import Connection, Resource
from catalog.limits import BY_NAME, Limit
from tests.gateways.azure_cases import GOLD, REF, connected, grant, limits, missing, plan, record, restore
from tests.gateways.fakes.azure import PAGE, SERVICE, SETTINGS, FakeAzure
from tests.gateways.fakes.server import Fault, serving


def test_the_limits_stand_before_the_api_lets_anybody_in(azure: FakeAzure) -> None:
    adapter = connected(azure)

    assert missing(adapter, GOLD) == ["create product", "create policy", "create api"]
    restore(adapter, GOLD)

    assert missing(adapter, GOLD) == []
    assert azure.links == {"meterdesk-plan_gold": [REF]}
    assert 'rate-limit calls="100" renewal-period="60"' in azure.policies["meterdesk-plan_gold"]
    assert 'quota calls="10000" renewal-period="86400"' in azure.policies["meterdesk-plan_gold"]


def test_a_second_restore_writes_nothing(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)
    written = len(azure.requests("PUT", "PATCH", "DELETE"))

    restore(adapter, GOLD)

    assert len(azure.requests("PUT", "PATCH", "DELETE")) == written


NAME = "meterdesk-plan_gold"
BY_HAND: list[tuple[str, Callable[[FakeAzure], object], list[str]]] = [
    ("a limit", lambda fake: fake.policies.update({NAME: fake.policies[NAME].replace("100", "9")}), ["update policy"]),
    ("no policy", lambda fake: fake.policies.clear(), ["create policy"]),
    ("not published", lambda fake: fake.products[NAME].update(state="notPublished"), ["update product"]),
    ("no API", lambda fake: fake.links[NAME].clear(), ["create api"]),
    ("another API", lambda fake: fake.links[NAME].append("admin"), ["delete api"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "steps"), BY_HAND, ids=[one[0] for one in BY_HAND])
def test_a_change_by_hand_is_drift_and_a_restore_undoes_it(
    azure: FakeAzure, what: str, change: Callable[[FakeAzure], object], steps: list[str]
) -> None:
    adapter = connected(azure)
    azure.apis.add("admin")
    restore(adapter, GOLD)

    change(azure)
    assert missing(adapter, GOLD) == steps

    restore(adapter, GOLD)
    assert missing(adapter, GOLD) == []


def test_a_policy_that_cannot_be_read_is_drift_and_is_left_alone(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)
    azure.policies[NAME] = '<policies><inbound><set-variable value="@("x")" /></inbound></policies>'

    assert missing(adapter, GOLD) == ["update policy"]
    with pytest.raises(Conflict, match="no well-formed XML"):
        restore(adapter, GOLD)

    assert "set-variable" in azure.policies[NAME]


def test_what_the_service_adds_or_formats_is_no_drift(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)

    azure.products["meterdesk-plan_gold"] |= {"terms": "be nice", "subscriptionsLimit": 5}
    azure.products["by-hand"] = {"displayName": "By hand", "state": "published"}
    azure.links["by-hand"] = [REF]

    assert missing(adapter, GOLD) == []


def test_elements_that_others_put_into_our_policy_stay(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)
    azure.policies[NAME] = azure.policies[NAME].replace("<base", '<set-header name="X" /><base', 1).replace("100", "7")

    restore(adapter, GOLD)

    assert "set-header" in azure.policies[NAME]
    assert missing(adapter, GOLD) == []


def test_a_plan_that_is_gone_is_taken_away_from_the_end(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, record(*GOLD.plans, plan("plan_silver", quota_per_month=10)))

    assert missing(adapter, GOLD) == ["delete api", "delete policy", "delete product"]
    restore(adapter, GOLD)

    assert sorted(azure.products) == ["meterdesk-plan_gold"]


def test_a_product_with_keys_is_not_taken_away(azure: FakeAzure) -> None:
    adapter = connected(azure)
    restore(adapter, GOLD)
    adapter.place_key(grant(), REF, "prod_1")

    with pytest.raises(Conflict, match="subscriptions at the gateway"):
        restore(adapter, record())

    assert azure.keys
    assert all(sent.query.count(("deleteSubscriptions", "true")) == 0 for sent in azure.requests("DELETE"))


def test_products_of_several_pages_are_all_seen(azure: FakeAzure) -> None:
    adapter = connected(azure)
    plans = [plan(f"plan_{number}", rate_per_second=number + 1) for number in range(2 * PAGE + 1)]
    restore(adapter, record(*plans))

    assert missing(adapter, record(*plans)) == []
    assert any("skip" in sent.target for sent in azure.requests("GET"))


def test_a_further_page_on_another_host_is_not_followed(azure: FakeAzure) -> None:
    adapter = connected(azure)
    page = b'{"value": [], "nextLink": "https://elsewhere.example/products"}'
    azure.faults.append(Fault(f"GET {SERVICE}/products", 200, page))

    with pytest.raises(UnreadableAnswer, match="another host"):
        adapter.fetch(GOLD, REF)


def test_an_api_that_is_not_there_is_named(azure: FakeAzure) -> None:
    with pytest.raises(ObjectMissing, match="'unknown'"):
        connected(azure).fetch(GOLD, "unknown")


def test_two_limits_that_need_the_same_element_are_unsupported() -> None:
    with pytest.raises(Unsupported, match="one rate-limit"):
        elements_of(limits(rate_per_second=1, rate_per_minute=10))
    with pytest.raises(Unsupported, match="one quota"):
        elements_of(limits(quota_per_day=1, quota_per_month=10))

    assert elements_of(limits(rate_per_second=1, quota_per_month=10))["quota"] == [
        '<quota calls="10" renewal-period="2592000"></quota>'
    ]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("rate_per_second", "exact"), ("rate_per_minute", "exact"), ("rate_per_hour", "exact"),
        ("burst", "unsupported"), ("quota_per_day", "exact"), ("quota_per_week", "exact"),
        ("quota_per_month", "approximate"),
    ],
)  # fmt: skip
def test_it_says_how_well_it_keeps_a_limit(name: str, level: str) -> None:
    support = AzureAdapter.supports(Limit(1, BY_NAME[name]), SETTINGS)

    assert support.level == level
    assert level == "exact" or support.why


def test_formatting_means_nothing() -> None:
    ours = with_elements(None, elements_of(limits(rate_per_minute=5))["rate-limit"])
    theirs = ours.replace("><", ">\r\n\t<").replace('"', "'")

    assert read_elements(theirs) == read_elements(ours) == elements_of(limits(rate_per_minute=5))


COUNTS = st.integers(min_value=1, max_value=10**9)
PLANS = st.dictionaries(
    st.sampled_from(["plan_a", "plan_b", "plan_c"]),
    st.fixed_dictionaries({}, optional={"rate_per_minute": COUNTS, "quota_per_day": COUNTS}),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=PLANS, after=PLANS)
def test_whatever_stood_there_a_restore_brings_our_record(before, after) -> None:  # type: ignore[no-untyped-def]
    fake = FakeAzure()
    with serving(fake):
        adapter = connected(fake)
        for counts in (before, after):
            document = record(*(plan(ref, **one) for ref, one in counts.items()))
            restore(adapter, document)
            assert missing(adapter, document) == []
    assert fake.violations == []


def test_a_resource_is_found_by_what_it_is() -> None:
    adapter = AzureAdapter(Connection(id="g", vendor="AZURE_APIM", base_url="", settings=SETTINGS, credentials={}))
    kinds = [(one.kind, one.key) for one in adapter.desired(GOLD, REF)]

    assert kinds == [("product", "plan_gold"), ("policy", "plan_gold"), ("api", "plan_gold/petstore")]
    assert all(isinstance(one, Resource) for one in adapter.desired(GOLD, REF))

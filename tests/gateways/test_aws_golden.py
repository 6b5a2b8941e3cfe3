"""
What we send to AWS is what boto3 was recorded to send for the same intent.

In some we differ on purpose: a usage plan comes without limits of single methods, and with tags that tell rate plan and
stage besides the product; a key has a tag of its own, so that it is found under any name, and is read with its value,
where AWS may have made that itself; a usage plan is read from the list of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.gateways.aws.plans import patch
from catalog.gateways.document import DesiredPlan
from catalog.limits import limits_of
from tests.gateways.aws_cases import document, grant, judged, restore
from tests.gateways.fakes.aws import FakeAws
from tests.gateways.golden import comparable, normal, recorded

#: Exporting, importing and deploying an API is its owner's business, and tags come with what is made.
NOT_OURS = ("/exports/", "PUT /restapis/a1", "/deployments", "PUT /tags/")
RECORDINGS = [
    normal(one)
    for one in recorded("aws-boto3-1.44.5.json")
    if not any(part in f"{one['method']} {one['path']}" for part in NOT_OURS)
]
LIMITS = {"rate_per_second": 12, "burst": 20, "quota_per_month": 1000}
PLAN = DesiredPlan(ref="gold", code="gold", version=1, name="d", limits=tuple(limits_of(LIMITS)))
RECORD = document(PLAN, product="p1", code="p1", name="")
KEY = grant(key="sub-1", plan="gold", customer="cust-1", subscription="s1", secret="sk_live_" + "a" * 32)


@pytest.fixture
def spoken() -> Iterator[list[dict[str, Any]]]:
    """Yield what we say in the life of a usage plan and a key, its ids as the recordings have them."""
    with judged(page_size=500) as fake:
        adapter = fake.adapter()
        said: list[dict[str, Any]] = []

        def hear(names: dict[str, str]) -> None:
            said.extend(named(comparable(sent), names) for sent in fake.requests())
            fake.exchanges.clear()

        restore(adapter, RECORD, "a1/prod")
        handle = adapter.place_key(KEY, "a1/prod", "p1").handle
        adapter.place_key(KEY, "a1/prod", "p1")
        names = ids(fake)
        hear(names)
        drift(fake)
        restore(adapter, RECORD, "a1/prod")
        adapter.suspend_key(KEY, handle, "a1/prod")
        restore(adapter, document(product="p1"), "a1/prod")
        adapter.remove_key(KEY, handle, "a1/prod", last=True)
        hear(names)
        yield said


def drift(fake: FakeAws) -> None:
    """Let somebody change the usage plan by hand."""
    (found,) = fake.plans.values()
    found["throttle"], found["quota"]["limit"] = {"rateLimit": 1.0, "burstLimit": 1}, 7


def ids(fake: FakeAws) -> dict[str, str]:
    """Return the recordings' names for the ids that the gateway made."""
    return dict.fromkeys(fake.plans, "up1") | dict.fromkeys(fake.keys, "k1")


def named(request: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return the request with other ids."""
    for made, name in names.items():
        request["path"] = request["path"].replace(made, name)
        if request["body"] and request["body"].get("keyId") == made:
            request["body"]["keyId"] = name
    return request


def golden(method: str, path: str) -> dict[str, Any]:
    """Return the first recording of a call."""
    return next(one for one in RECORDINGS if (one["method"], one["path"]) == (method, path))


EQUAL = (
    ("GET", "/usageplans"),
    ("GET", "/restapis/a1/stages/prod"),
    ("GET", "/apikeys"),
    ("POST", "/usageplans/up1/keys"),
    ("GET", "/usageplans/up1/keys"),
    ("DELETE", "/usageplans/up1/keys/k1"),
    ("PATCH", "/apikeys/k1"),
    ("DELETE", "/usageplans/up1"),
    ("DELETE", "/apikeys/k1"),
)


@pytest.mark.parametrize(("method", "path"), EQUAL)
def test_a_call_is_the_one_that_was_recorded(spoken: list[dict[str, Any]], method: str, path: str) -> None:
    assert golden(method, path) in spoken


def test_a_usage_plan_is_made_as_recorded_but_for_methods_and_tags(spoken: list[dict[str, Any]]) -> None:
    (ours,) = [one for one in spoken if (one["method"], one["path"]) == ("POST", "/usageplans")]
    theirs = golden("POST", "/usageplans")

    del theirs["body"]["apiStages"][0]["throttle"]
    theirs["body"] |= {"name": "aforo-p1-gold-v1", "description": ": d"}
    theirs["body"]["throttle"]["rateLimit"] = 12.0
    theirs["body"]["tags"] |= {"aforo:plan": "gold", "aforo:stage": "a1/prod"}
    assert ours == theirs


def test_a_key_is_made_as_recorded_with_a_tag_more(spoken: list[dict[str, Any]]) -> None:
    theirs = golden("POST", "/apikeys")

    theirs["body"]["tags"] |= {"aforo:key": "sub-1"}
    assert theirs in spoken


def test_a_usage_plan_is_patched_in_the_words_that_were_recorded(spoken: list[dict[str, Any]]) -> None:
    theirs, without_quota = [one["body"]["patchOperations"] for one in RECORDINGS if one["path"] == "/usageplans/up1"
                             and one["method"] == "PATCH"]  # fmt: skip
    wanted = {
        "name": "n",
        "description": "d",
        "stages": ["a1:prod"],
        "throttle": {"rateLimit": "50", "burstLimit": 100},
        "quota": {"limit": 5000, "period": "DAY", "offset": 0},
    }
    found = {
        **wanted,
        "stages": ["a2:prod"],
        "throttle": {"rateLimit": "1", "burstLimit": 1},
        "quota": {"limit": 1, "period": "MONTH", "offset": 0},
    }

    assert patch(wanted, found) == theirs
    assert patch({**wanted, "quota": None}, wanted) == without_quota
    sent = [
        one["body"]["patchOperations"] for one in spoken if one["method"] == "PATCH" and "usageplans" in one["path"]
    ]
    assert sent[0] == [
        {"op": "replace", "path": "/throttle/rateLimit", "value": "12"},
        {"op": "replace", "path": "/throttle/burstLimit", "value": "20"},
        {"op": "replace", "path": "/quota/limit", "value": "1000"},
    ]


def test_a_key_is_read_as_recorded_but_with_its_value(spoken: list[dict[str, Any]]) -> None:
    theirs = golden("GET", "/apikeys/k1")

    assert {**theirs, "query": [["includeValue", "true"]]} in spoken


def test_every_recording_is_one_of_these() -> None:
    told = {
        *EQUAL,
        ("POST", "/usageplans"),
        ("POST", "/apikeys"),
        ("PATCH", "/usageplans/up1"),
        ("GET", "/apikeys/k1"),
        ("GET", "/usageplans/up1"),
    }

    assert {(one["method"], one["path"]) for one in RECORDINGS} == told

"""
MuleSoft: what a client of somebody else's making (anypoint-sdk) sends for the same intents.

Four intents are carried out in another way on purpose. Client applications are made, listed and deleted in Exchange, as
the specification and the vendor's help say, not below ``/apiplatform``, which answers with empty lists where scopes are
missing. A contract is revoked by the action, which the specification has, not by setting its status, which it has not.
A contract's tier is asked for as ``requestedTierId``, as the specification names it. And a policy is sent without the
id of its template, which its asset stands for, and as a whole when it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.gateways.fakes.api_manager import CREDENTIALS
from tests.gateways.fakes.mulesoft import FakeAnypoint
from tests.gateways.golden import comparable, normal, recorded
from tests.gateways.mulesoft_cases import REF, connected, grant, judged, plan, record, restore

RECORDINGS = [normal(one) for one in recorded("mulesoft-anypoint-sdk-0.3.2.json")]
RECORD = record(plan(rate_per_minute=100))


@pytest.fixture
def mule() -> Iterator[FakeAnypoint]:
    with judged() as fake:
        yield fake


def lived_through(fake: FakeAnypoint) -> list[dict[str, Any]]:
    """Let the adapter do everything once, and return what it sent, with ids as in the recordings."""
    adapter = connected(fake)
    restore(adapter, RECORD)
    fake.tiers[next(iter(fake.tiers))]["status"] = "DEPRECATED"
    fake.policy()["configurationData"]["exposeHeaders"] = True
    restore(adapter, RECORD)
    placed = adapter.place_key(grant(), REF, "prod_1")
    adapter.place_key(grant(), REF, "prod_1")
    fake.wants_exchange = True
    adapter.place_key(grant(key="gkey_2"), REF, "prod_1")
    adapter.remove_key(grant(), placed.handle, REF, last=True)
    adapter.remove_key(grant(key="gkey_2"), {}, REF, last=True)
    restore(adapter, record())
    return [as_recorded(comparable(sent)) for sent in fake.requests()]


def as_recorded(sent: dict[str, Any]) -> dict[str, Any]:
    """Return a request with the ids that the recorder gave out: 1, and for what stands in for others 2 and 3."""
    kinds = {"tiers": "1", "policies": "1", "applications": "1", "contracts": "3"}
    parts = sent["path"].split("/")
    parts = [kinds.get(before, one) if one.isdigit() else one for before, one in zip(["", *parts], parts, strict=False)]
    body = sent["body"]
    if body is not None:
        ids = {"applicationId": 1, "requestedTierId": 2, "tierId": 2}
        body = {name: ids.get(name, value) for name, value in body.items()}
    return {**sent, "path": "/".join(parts), "body": body}


def recording(method: str, end: str, *, has: str = "") -> dict[str, Any]:
    """Return the recording of a method on a path that ends so, whose body has a field."""
    [found] = [
        one
        for one in RECORDINGS
        if one["method"] == method and one["path"].endswith(end) and (not has or has in (one["body"] or {}))
    ]
    return found


@pytest.mark.parametrize(
    ("method", "end"),
    [
        ("POST", "/oauth2/token"),
        ("GET", "/tiers"),
        ("POST", "/tiers"),
        ("PUT", "/tiers/1"),
        ("DELETE", "/tiers/1"),
        ("GET", "/policies"),
        ("GET", "/contracts"),
        ("POST", "/applications/1/contracts"),
        ("DELETE", "/contracts/3"),
    ],
)
def test_the_same_intent_sends_the_same_request(mule: FakeAnypoint, method: str, end: str) -> None:
    assert recording(method, end) in lived_through(mule)


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what takes fields out of a body."""
    return lambda body: {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    ("method", "end", "ours", "theirs"),
    [
        ("POST", "/policies", without("pointcutData"), without("policyTemplateId")),
        (
            "PATCH", "/policies/1",
            without("groupId", "assetId", "assetVersion", "pointcutData", "order"), without(),
        ),
        (
            "POST", "/apis/77/contracts",
            without(), lambda body: {"applicationId": body["applicationId"], "requestedTierId": body["tierId"]},
        ),
    ],
)  # fmt: skip
def test_a_request_differs_only_where_it_is_meant_to(
    mule: FakeAnypoint, method: str, end: str, ours: Any, theirs: Any
) -> None:
    wanted = recording(method, end)
    sent = [one for one in lived_through(mule) if (one["method"], one["path"]) == (method, wanted["path"])]

    assert sent
    assert all(ours(one["body"]) == theirs(wanted["body"]) for one in sent)


def test_applications_have_the_same_body_in_exchange(mule: FakeAnypoint) -> None:
    sent = lived_through(mule)
    exchange = [
        {**one, "path": one["path"].replace("/exchange/api/v2/", "/apiplatform/repository/v2/")}
        for one in sent
        if one["path"].startswith("/exchange/")
    ]

    made = [one for one in exchange if one["method"] == "POST" and one["path"].endswith("/applications")]
    assert made[0]["body"] == recording("POST", "/applications", has="name")["body"]
    assert made[0]["query"] == [["apiInstanceId", REF]]
    assert recording("DELETE", "/applications/1") in exchange
    [listed] = [one for one in RECORDINGS if one["method"] == "GET" and one["path"].endswith("/applications")]
    named = {**listed, "query": sorted([*listed["query"], ["query", "aforo-gkey_1"]])}
    assert named in exchange


def test_a_contract_is_revoked_by_the_action(mule: FakeAnypoint) -> None:
    revoked = recording("PATCH", "/contracts/3")
    path = revoked["path"].replace("/api/v1/", "/xapi/v1/") + "/revoke"

    assert {"method": "POST", "path": path, "query": [], "body": None} in lived_through(mule)


def test_no_recording_is_left_out() -> None:
    assert len(RECORDINGS) == 16
    assert recording("POST", "/oauth2/token")["body"] == {"grant_type": "client_credentials", **CREDENTIALS}

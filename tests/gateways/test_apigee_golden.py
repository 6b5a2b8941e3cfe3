"""What Google's own client sends for the same intents, and ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.gateways.apigee import ApigeeAdapter
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Connection, KeyGrant
from catalog.limits import BY_NAME, Limit
from tests.gateways.fakes.apigee import SETTINGS, FakeApigee
from tests.gateways.fakes.server import serving
from tests.gateways.golden import comparable, normal, recorded

RECORDINGS = recorded("apigee-google-api-python-client-2.202.0.json")
SECRET = f"sk_live_{'a' * 32}"
KEY = KeyGrant(subscription="sub_1", key="gkey_1", plan="plan_gold", customer="cust_1", secret=SECRET)
MOVED = KeyGrant(subscription="sub_1", key="gkey_1", plan="plan_gold", customer="cust_1")


def plan(ref: str) -> DesiredPlan:
    name = ref.partition("_")[2]
    limits = (Limit(10_000, BY_NAME["quota_per_month"]),)
    return DesiredPlan(ref=ref, code=name, version=1, name=name.title(), limits=limits)


def record(*plans: DesiredPlan) -> DesiredDocument:
    return DesiredDocument(mark="aforo", product="prod_1", code="pets", name="Pets", plans=plans)


def restore(adapter: ApigeeAdapter, document: DesiredDocument) -> None:
    for change in changes_between(adapter.fetch(document, "petstore"), adapter.desired(document, "petstore")):
        adapter.apply(change, document, "petstore")


@pytest.fixture(scope="module")
def said() -> list[str]:
    """All that our adapter said in the life of a plan and a key."""
    fake = FakeApigee()
    with serving(fake):
        connection = Connection(
            id="gate_1", vendor="APIGEE", base_url=fake.base_url, settings=SETTINGS, credentials=fake.credentials(),
            mark="aforo", inside=("127.0.0.0/8",), retry_wait_s=(0.0, 0.01),
        )  # fmt: skip
        adapter = ApigeeAdapter(connection)
        adapter.probe()
        restore(adapter, record(plan("plan_gold")))
        adapter.fetch(record(plan("plan_gold")), "petstore")
        fake.products["by-hand"] = {"name": "by-hand"}
        adapter.fetch(record(plan("plan_gold")), "petstore")
        fake.products["aforo-plan_gold"]["quota"] = "5"
        both = record(plan("plan_gold"), plan("plan_silver"))
        restore(adapter, both)
        adapter.place_key(KEY, "petstore", "prod_1")
        fake.all_keys()[0]["apiProducts"].append({"apiproduct": "aforo-plan_silver", "status": "approved"})
        adapter.place_key(MOVED, "petstore", "prod_1")
        adapter.suspend_key(KEY, {}, "petstore")
        adapter.place_key(MOVED, "petstore", "prod_1")
        adapter.remove_key(KEY, {}, "petstore", last=True)
        restore(adapter, record())
    assert fake.violations == []
    return [told(comparable(sent)) for sent in fake.requests() if "token" not in sent.path]


def told(request: dict[str, Any]) -> str:
    """Return a request as text; Google's client always says that it wants JSON, and every order means the same."""
    query = [pair for pair in request["query"] if pair != ["alt", "json"] and pair[0] != "startKey"]
    paged = any(pair[0] == "startKey" for pair in request["query"])
    return json.dumps({**request, "query": query, "paged": paged}, sort_keys=True)


@pytest.mark.parametrize("recording", RECORDINGS, ids=[f"{one['method']} {one['path'][-40:]}" for one in RECORDINGS])
def test_ours_says_what_googles_client_says(said: list[str], recording: dict[str, Any]) -> None:
    assert told(normal(recording)) in said

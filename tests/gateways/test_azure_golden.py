"""What Microsoft's own client sends for the same intents, and ours."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from catalog.gateways.azure import AzureAdapter
from catalog.gateways.diffing import changes_between
from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.interface import Connection, KeyGrant
from catalog.limits import BY_NAME, Limit
from tests.gateways.contract import Sent
from tests.gateways.fakes.azure import CREDENTIALS, SETTINGS, FakeAzure
from tests.gateways.fakes.server import serving
from tests.gateways.golden import comparable, normal, recorded

RECORDINGS = recorded("azure-mgmt-apimanagement-5.0.0.json")
SECRET = f"sk_live_{'a' * 32}"
KEY = KeyGrant(subscription="sub_1", key="gkey_1", plan="plan_gold", customer="cust_1", secret=SECRET)


def plan(ref: str, per_minute: int = 100) -> DesiredPlan:
    limits = (Limit(per_minute, BY_NAME["rate_per_minute"]), Limit(10_000, BY_NAME["quota_per_day"]))
    return DesiredPlan(
        ref=ref, code=ref.partition("_")[2], version=1, name=ref.partition("_")[2].title(), limits=limits
    )


def record(*plans: DesiredPlan) -> DesiredDocument:
    return DesiredDocument(mark="aforo", product="prod_1", code="pets", name="Pets", plans=plans)


def restore(adapter: AzureAdapter, document: DesiredDocument) -> None:
    for change in changes_between(adapter.fetch(document, "petstore"), adapter.desired(document, "petstore")):
        adapter.apply(change, document, "petstore")


@pytest.fixture(scope="module")
def said() -> list[str]:
    """All that our adapter said in the life of a plan and a key."""
    fake = FakeAzure()
    with serving(fake):
        connection = Connection(
            id="gate_1", vendor="AZURE_APIM", base_url=fake.base_url, settings=SETTINGS, credentials=CREDENTIALS,
            mark="aforo", inside=("127.0.0.0/8",), retry_wait_s=(0.0, 0.01),
        )  # fmt: skip
        adapter = AzureAdapter(connection)
        adapter.probe()
        both = record(plan("plan_gold"), plan("plan_silver"))
        restore(adapter, both)
        fake.products["aforo-plan_gold"]["state"] = "notPublished"
        fake.policies["aforo-plan_gold"] = fake.policies["aforo-plan_gold"].replace('"100"', '"7"')
        restore(adapter, both)
        placed = adapter.place_key(KEY, "petstore", "prod_1")
        adapter.suspend_key(KEY, placed.handle, "petstore")
        moved = KeyGrant(subscription="sub_1", key="gkey_1", plan="plan_silver", customer="cust_1")
        adapter.place_key(moved, "petstore", "prod_1")
        adapter.remove_key(KEY, placed.handle, "petstore", last=True)
        restore(adapter, record())
    assert fake.violations == []
    return [told(comparable(sent), sent.headers) for sent in fake.requests() if "token" not in sent.path]


def told(request: dict[str, Any], headers: Any) -> str:
    """Return a request as text, with what of the etag matters: whether it is one that was read, or any."""
    etag = next((value for name, value in headers.items() if name.lower() == "if-match"), "")
    body = request["body"]
    if body and "value" in body.get("properties", {}):
        # The blanks between elements are the service's, in a policy that was read before.
        value = re.sub(r">\s+<", "><", body["properties"]["value"].strip())
        body["properties"]["value"] = value.replace('"7"', '"100"')
    return json.dumps({**request, "if-match": etag if etag in ("", "*") else "read"}, sort_keys=True)


def test_nothing_is_sent_without_an_api_version(said: list[str]) -> None:
    assert said
    assert all("api-version" in one for one in said)


@pytest.mark.parametrize("recording", RECORDINGS, ids=[f"{one['method']} {one['path'][-40:]}" for one in RECORDINGS])
def test_ours_says_what_microsofts_client_says(said: list[str], recording: dict[str, Any]) -> None:
    assert told(normal(recording), recording["headers"]) in said


def test_a_request_that_nobody_sends_is_missed(said: list[str]) -> None:
    other = Sent("PUT", "/subscriptions/azsub-1/elsewhere", {}, b"")

    assert told(comparable(other), {}) not in said

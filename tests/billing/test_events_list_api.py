"""Events read back over the API, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import UsageHour
from customers.models import UNCLASSIFIED_ID, Subscription
from tests.billing.events_wire import error_of, event, metered_by_tokens
from tests.factories import NOW, make_subscriber, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def subscription() -> Subscription:
    """Return a subscription whose plan sums up the “tokens” of each “call”."""
    return metered_by_tokens()


def test_events_are_listed_newest_first_as_they_came(api: APIClient, subscription: Subscription) -> None:
    api.post("/v1/events", event(subscription, "old", timestamp="2026-03-10T12:10:00.5+00:00"))
    api.post("/v1/events", event(subscription, "new"))

    listed = api.get("/v1/events").json()

    assert [one["transaction_id"] for one in listed["data"]] == ["new", "old"]
    assert listed["data"][1] == {
        "transaction_id": "old",
        "type": "call",
        "timestamp": "2026-03-10T12:10:00.500000Z",
        "received_at": "2026-03-10T13:00:00Z",
        "customer": subscription.customer_id,
        "subscription": subscription.id,
        "credential": None,
        "subscriber": None,
        "named": "",
        "properties": {"tokens": 5},
    }


def test_events_are_filtered(api: APIClient, subscription: Subscription) -> None:
    credential = subscription.credentials.get().id
    other = make_subscription()
    for sent in (
        event(subscription, "a", timestamp="2026-03-10T12:10:00Z"),
        event(subscription, "b", timestamp="2026-03-10T12:20:00Z", credential=credential),
        event(other, "c", timestamp="2026-03-10T12:30:00Z", type="other"),
    ):
        assert api.post("/v1/events", sent).status_code == 201

    def found(**parameters: str) -> str:
        return "".join(one["transaction_id"] for one in api.get("/v1/events", parameters).json()["data"])

    assert found(customer=subscription.customer_id) == "ba"
    assert found(subscription=other.id) == "c"
    assert found(credential=credential) == "b"
    assert found(type="other") == "c"
    assert found(timestamp_after="2026-03-10T12:20:00Z") == "cb"
    assert found(timestamp_before="2026-03-10T12:20:00Z") == "a"
    assert found(timestamp_after="2026-03-10T12:20:00Z", timestamp_before="2026-03-10T12:30:00Z") == "b"
    assert found(customer=str(UNCLASSIFIED_ID)) == ""


def test_events_are_found_by_subscriber_and_nobodys_by_what_they_named(
    api: APIClient, subscription: Subscription
) -> None:
    bob = make_subscriber(customer=subscription.customer)
    unknown = "sub_01h455vb4pex5vsknk084sn02q"
    for sent in (
        event(subscription, "a", subscriber=bob.email),
        event(subscription, "b"),
        event(subscription, "c", subscription=unknown),
        event(subscription, "d", subscription=None, subscriber="eve@else.org"),
    ):
        assert api.post("/v1/events", sent).status_code == 201

    def found(**parameters: str) -> dict[str, str]:
        listed = api.get("/v1/events", parameters).json()["data"]
        return {one["transaction_id"]: one["named"] for one in listed}

    assert found(subscriber=bob.id) == {"a": ""}
    assert found(named=f"subscription {unknown}") == {"c": f"subscription {unknown}"}
    assert found(named="subscriber eve@else.org") == {"d": "subscriber eve@else.org"}
    assert found(named="eve") == {}


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ("customer=x", "invalid_customer"),
        ("timestamp_after=2026-03-10", "invalid_timestamp_after"),
        ("limit=0", "invalid_limit"),
        ("weather=fine", "unknown_field"),
    ],
)
def test_a_filter_that_is_none_is_refused(api: APIClient, parameter: str, code: str) -> None:
    assert error_of(api.get(f"/v1/events?{parameter}"))[:3] == (400, "validation_error", code)


def test_deep_lists_are_read_by_cursor(api: APIClient, subscription: Subscription) -> None:
    sent = [event(subscription, f"t{n:02d}", timestamp=f"2026-03-10T12:{n % 10:02d}:00Z") for n in range(25)]
    assert api.post("/v1/events/batch", {"events": sent}).json()["accepted"] == 25

    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while cursor is not None:
        page = api.get("/v1/events", {"limit": 4, **cursor}).json()
        seen += [one["transaction_id"] for one in page["data"]]
        following = page["pagination"]["next_cursor"]
        if following is None:
            break
        cursor = {"cursor": following}

    assert sorted(seen) == sorted(one["transaction_id"] for one in sent)


SCOPES = [
    ("post", "/v1/events", "events:write", "billing:write"),
    ("post", "/v1/events/batch", "events:write", "billing:read"),
    ("get", "/v1/events", "billing:read", "events:write"),
]


@pytest.mark.parametrize(("method", "path", "right", "wrong"), SCOPES)
def test_the_scope_decides(api_of: Callable[..., APIClient], method: str, path: str, right: str, wrong: str) -> None:
    assert getattr(api_of(right), method)(path).status_code != 403
    refused = getattr(api_of(wrong), method)(path)
    assert error_of(refused)[:3] == (403, "permission_error", "insufficient_scope")
    assert refused.json()["error"]["details"] == {"required": right}
    assert getattr(APIClient(), method)(path).status_code == 401


def test_amounts_in_the_properties_may_be_texts(api: APIClient, subscription: Subscription) -> None:
    api.post("/v1/events", event(subscription, properties={"tokens": "2.5"}))

    assert UsageHour.objects.get().tokens == Decimal("2.5")

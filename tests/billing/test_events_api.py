"""Events over the API: one, and in batches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import UsageEvent, UsageHour
from customers.models import UNCLASSIFIED_ID, Subscription
from tests.billing.events_wire import JSON, error_of, event, metered_by_tokens, post
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def subscription() -> Subscription:
    """Return a subscription whose plan sums up the “tokens” of each “call”."""
    return metered_by_tokens()


def test_an_event_is_accepted_and_its_repeat_is_a_duplicate(api: APIClient, subscription: Subscription) -> None:
    credential = subscription.credentials.get()
    sent = event(subscription, credential=credential.id)

    first, second = api.post("/v1/events", sent), api.post("/v1/events", sent)

    said = {
        "transaction_id": "t1",
        "status": "accepted",
        "customer": subscription.customer_id,
        "subscription": subscription.id,
        "credential": credential.id,
        "subscriber": None,
    }
    assert (first.status_code, first.json()) == (201, said)
    assert (second.status_code, second.json()) == (200, {**said, "status": "duplicate"})
    assert UsageHour.objects.get().events == 1


def test_another_event_under_the_transaction_id_is_a_conflict(api: APIClient, subscription: Subscription) -> None:
    api.post("/v1/events", event(subscription))

    again = api.post("/v1/events", event(subscription, properties={"tokens": 6}))

    assert error_of(again) == (409, "conflict_error", "transaction_id_conflict", "transaction_id")
    assert UsageEvent.objects.get().properties == {"tokens": 5}


def test_an_event_of_nobody_is_accepted(api: APIClient) -> None:
    sent = {"transaction_id": "t1", "type": "call", "customer": "cust_01h455vb4pex5vsknk084sn02q"}

    answer = api.post("/v1/events", sent)

    assert (answer.status_code, answer.json()["customer"], answer.json()["subscription"]) == (
        201,
        UNCLASSIFIED_ID,
        None,
    )


REFUSED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"transaction_id": None}, "required", "transaction_id"),
    ({"type": 5}, "invalid_type", "type"),
    ({"subscription": None}, "required", "credential"),
    ({"subscription": "sub_x"}, "invalid_subscription", "subscription"),
    ({"credential": "sk_live_0123456789abcdef0123456789abcdef"}, "invalid_credential", "credential"),
    ({"timestamp": "2026-03-10T12:30:00"}, "invalid_timestamp", "timestamp"),
    ({"timestamp": "2026-03-10T13:05:01Z"}, "timestamp_in_future", "timestamp"),
    ({"timestamp": "0001-01-01T00:00:00+14:00"}, "invalid_timestamp", "timestamp"),
    ({"properties": {"tokens": "sNaN"}}, "invalid_properties", "properties.tokens"),
    ({"properties": {"tokens": 10**18}}, "invalid_properties", "properties.tokens"),
    ({"nonsense": 1}, "unknown_field", "nonsense"),
]


@pytest.mark.parametrize(("change", "code", "param"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_malformed_event_is_refused(
    api: APIClient, subscription: Subscription, change: dict[str, Any], code: str, param: str | None
) -> None:
    answer = api.post("/v1/events", event(subscription, **change))

    assert error_of(answer) == (400, "validation_error", code, param)
    assert UsageEvent.objects.count() == 0


@pytest.mark.parametrize("body", ["[]", '"event"', "5", "null", "{}", ""])
def test_what_is_no_event_is_refused(api: APIClient, body: str) -> None:
    answer = api.generic("POST", "/v1/events", body, content_type=JSON)

    assert answer.status_code == 400


def test_properties_keep_every_digit(api: APIClient, subscription: Subscription) -> None:
    properties = {"tokens": Decimal("0.1000000000000000055"), "big": 123456789012345678901234567890}

    assert post(api, "/v1/events", event(subscription, type="other", properties=properties)).status_code == 201

    listed = json.loads(api.get("/v1/events").content, parse_float=Decimal)
    assert listed["data"][0]["properties"] == properties


def test_a_batch_tells_of_each_event_by_its_place(api: APIClient, subscription: Subscription) -> None:
    bad = event(subscription, "t2", properties={"tokens": "many"})
    conflict = event(subscription, "t1", properties={"tokens": 9})
    sent = [event(subscription), bad, None, event(subscription), conflict, event(subscription, "t3"), {}, [1]]

    answer = api.post("/v1/events/batch", {"events": sent})

    assert answer.status_code == 200
    said = answer.json()
    assert (said["accepted"], said["duplicates"], said["rejected"]) == (2, 1, 5)
    assert [(one["index"], one["transaction_id"], one["status"]) for one in said["results"]] == [
        (0, "t1", "accepted"),
        (1, "t2", "rejected"),
        (2, None, "rejected"),
        (3, "t1", "duplicate"),
        (4, "t1", "rejected"),
        (5, "t3", "accepted"),
        (6, None, "rejected"),
        (7, None, "rejected"),
    ]
    assert "error" not in said["results"][0]
    assert said["results"][1]["error"] == {
        "code": "invalid_properties",
        "param": "properties.tokens",
        "message": f"'properties.tokens' is a number, as the metric {the_metric(subscription)} sums it",
    }
    assert said["results"][2]["error"] == {"code": "invalid_event", "message": "An event is an object"}
    assert said["results"][4]["error"]["code"] == "transaction_id_conflict"
    assert UsageHour.objects.get().events == 2


def the_metric(subscription: Subscription) -> str:
    """Return the code of the metric that the subscription's plan charges."""
    return subscription.plan.charges.get().metric.code


BATCHES: list[tuple[Any, int, str | None]] = [
    ({"events": [{}] * 1000}, 200, None),
    ({"events": [{}] * 1001}, 400, "invalid_events"),
    ({"events": []}, 400, "invalid_events"),
    ({"events": {}}, 400, "invalid_events"),
    ({"events": None}, 400, "invalid_events"),
    ({}, 400, "required"),
    ([], 400, "invalid_body"),
    ({"events": [{}], "more": 1}, 400, "unknown_field"),
]


@pytest.mark.parametrize(("body", "status", "code"), BATCHES, ids=lambda value: str(value)[:30])
def test_a_batch_has_one_to_a_thousand_events(api: APIClient, body: Any, status: int, code: str | None) -> None:
    answer = api.post("/v1/events/batch", body)

    assert (answer.status_code, answer.json().get("error", {}).get("code")) == (status, code)


def test_a_batch_may_have_eight_mebibytes_and_one_event_one(api: APIClient, subscription: Subscription) -> None:
    text = {"text": "x" * (2**20 - 500)}
    large = [event(subscription, f"t{n}", type="other", properties=text) for n in range(8)]

    assert api.post("/v1/events", {**large[0], "transaction_id": "x"}).status_code == 201
    assert api.post("/v1/events", event(subscription, "y", properties={"text": "x" * 2**20})).status_code == 413
    assert api.post("/v1/events/batch", {"events": large}).json()["accepted"] == 8
    too_large = [*large, event(subscription, "t9", properties={"text": "x" * 5000})]
    assert error_of(api.post("/v1/events/batch", {"events": too_large}))[2] == "payload_too_large"


def test_an_idempotency_key_replays_the_answer(api: APIClient, subscription: Subscription) -> None:
    sent = event(subscription)

    first = api.post("/v1/events", sent, headers={"Idempotency-Key": "k1"})
    again = api.post("/v1/events", sent, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    assert again.json() == first.json()

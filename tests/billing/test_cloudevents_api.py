"""CloudEvents over the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import UsageEvent
from customers.models import Subscription
from tests.billing.events_wire import CLOUD_EVENT, CLOUD_EVENTS, error_of, event, metered_by_tokens, post
from tests.factories import NOW, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def subscription() -> Subscription:
    """Return a subscription whose plan sums up the “tokens” of each “call”."""
    return metered_by_tokens()


def cloud_event(name: str = "t1", **fields: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/gateway",
        "type": "call",
        "time": "2026-03-10T12:30:00Z",
        "datacontenttype": "application/json",
        "data": {"tokens": 5},
        **fields,
    }


@pytest.mark.parametrize("attribute", ["subject", "extension"])
@pytest.mark.parametrize("kind", ["credential", "subscription", "customer"])
def test_a_cloud_event_is_an_event(api: APIClient, subscription: Subscription, attribute: str, kind: str) -> None:
    reference = {
        "credential": subscription.credentials.get().id,
        "subscription": subscription.id,
        "customer": subscription.customer_id,
    }[kind]
    whose = {"subject": reference} if attribute == "subject" else {kind: reference, "subject": "call/7"}

    answer = post(api, "/v1/events", cloud_event(**whose), f"{CLOUD_EVENT}; charset=utf-8")

    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    assert answer.json()["subscription"] == subscription.id
    kept = UsageEvent.objects.get()
    assert (kept.transaction_id, kept.type, kept.properties) == ("t1", "call", {"tokens": 5})
    assert kept.timestamp == NOW + timedelta(minutes=30)


def test_a_cloud_event_repeats_the_same_event_of_our_own(api: APIClient, subscription: Subscription) -> None:
    api.post("/v1/events", event(subscription))

    answer = post(api, "/v1/events", cloud_event(subject=subscription.id), CLOUD_EVENT)

    assert (answer.status_code, answer.json()["status"]) == (200, "duplicate")


CLOUD_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "0.3"}, "invalid_specversion"),
    ({"source": ""}, "required"),
    ({"id": None}, "required"),
    ({"type": None}, "required"),
    ({"time": "2026-03-10"}, "invalid_timestamp"),
    ({"data": "text"}, "invalid_properties"),
    ({"data_base64": "eA=="}, "invalid_properties"),
    ({"subject": None}, "required"),
    ({"subject": "call/7"}, "invalid_credential"),
    ({"subject": "sk_live_0123456789abcdef0123456789abcdef"}, "invalid_credential"),
]


@pytest.mark.parametrize(("change", "code"), CLOUD_REFUSED, ids=lambda value: str(value)[:50])
def test_a_malformed_cloud_event_is_refused(
    api: APIClient, subscription: Subscription, change: dict[str, Any], code: str
) -> None:
    answer = post(api, "/v1/events", cloud_event(**{"subject": subscription.id, **change}), CLOUD_EVENT)

    assert error_of(answer)[:3] == (400, "validation_error", code)


def test_cloud_events_come_in_batches_too(api: APIClient, subscription: Subscription) -> None:
    sent = [cloud_event(subject=subscription.id), cloud_event("t2"), cloud_event("t3", subject=subscription.id), 5]

    answer = post(api, "/v1/events/batch", sent, CLOUD_EVENTS)

    assert [(one["transaction_id"], one["status"]) for one in answer.json()["results"]] == [
        ("t1", "accepted"),
        ("t2", "rejected"),
        ("t3", "accepted"),
        (None, "rejected"),
    ]


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/v1/events", CLOUD_EVENTS), ("/v1/events/batch", CLOUD_EVENT), ("/v1/events", "text/plain")],
)
def test_another_content_type_is_refused(api: APIClient, path: str, content_type: str) -> None:
    assert post(api, path, {}, content_type).status_code == 415


@pytest.mark.parametrize("attribute", ["subject", "extension"])
def test_a_cloud_event_names_a_subscriber(api: APIClient, subscription: Subscription, attribute: str) -> None:
    bob = make_subscriber(customer=subscription.customer)
    whose = {"subject": bob.id} if attribute == "subject" else {"subscriber": bob.email}

    answer = post(api, "/v1/events", cloud_event(**whose), CLOUD_EVENT)

    assert (answer.status_code, answer.json()["subscriber"]) == (201, bob.id)
    assert answer.json()["subscription"] == subscription.id


def test_a_cloud_event_says_who_and_which_product_beside_its_subject(
    api: APIClient, subscription: Subscription
) -> None:
    bob = make_subscriber(customer=subscription.customer)
    sent = {"subject": subscription.customer_id, "subscriber": bob.id}

    fitting = cloud_event("a", **sent, product=subscription.plan.product.code)
    other = cloud_event("b", **sent, product="other")
    answers = [post(api, "/v1/events", one, CLOUD_EVENT).json() for one in (fitting, other)]

    assert [one["customer"] for one in answers] == [subscription.customer_id] * 2
    assert [one["subscriber"] for one in answers] == [bob.id] * 2
    assert [one["subscription"] for one in answers] == [subscription.id, None]

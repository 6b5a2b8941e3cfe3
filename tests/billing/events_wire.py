"""Events as they go over the wire."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from config.api.json import dumps
from customers.models import Subscription
from tests.factories import make_charge, make_metric, make_plan, make_subscription

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
CLOUD_EVENTS = "application/cloudevents-batch+json"


def metered_by_tokens() -> Subscription:
    """Return a subscription whose plan sums up the “tokens” of each “call”."""
    metric = make_metric(event_type="call", aggregation="SUM", property="tokens")
    return make_subscription(plan=make_plan(charges=[make_charge(metric)]))


def event(owner: Subscription, name: str = "t1", **fields: Any) -> dict[str, Any]:
    return {
        "transaction_id": name,
        "type": "call",
        "timestamp": "2026-03-10T12:30:00Z",
        "subscription": owner.id,
        "properties": {"tokens": 5},
        **fields,
    }


def post(api: APIClient, path: str, body: Any, content_type: str = JSON) -> Any:
    """Send ``body`` with all digits of its numbers."""
    return api.generic("POST", path, dumps(body).decode(), content_type=content_type)


def error_of(response: Any) -> tuple[int, str, str, str | None]:
    """Return status, type, code and param of a refusal."""
    error = response.json()["error"]
    return response.status_code, error["type"], error["code"], error.get("param")

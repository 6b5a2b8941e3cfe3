"""A customer's running periods over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from tests.billing.usage_wire import FEBRUARY, NOW, metered, use
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def test_current_usage_is_that_of_the_running_periods(api: APIClient) -> None:
    subscription = metered()
    use(subscription, "2026-02-21T10:00:00Z", tokens=1000, model="a")
    use(subscription, "2026-02-21T10:01:00Z", "image")
    use(subscription, "2026-01-31T23:59:59Z", "image")
    tokens, images = subscription.plan.charges.order_by("position")

    answer = api.get(f"/v1/customers/{subscription.customer_id}/current-usage")

    assert json.loads(answer.content, parse_float=Decimal) == {
        "customer_id": subscription.customer_id,
        "currency": "USD",
        "total_amount": Decimal("0.011"),
        "subscriptions": [
            {
                "subscription": subscription.id,
                "from": "2026-02-01T00:00:00Z",
                "to": "2026-03-01T00:00:00Z",
                "amount": Decimal("0.011"),
                "charges": [
                    {
                        "charge": tokens.id,
                        "metric": tokens.metric_id,
                        "description": tokens.metric.name,
                        "units": 1000,
                        "events": 1,
                        "amount": Decimal("0.001"),
                        "filters": {},
                    },
                    {
                        "charge": images.id,
                        "metric": images.metric_id,
                        "description": images.metric.name,
                        "units": 1,
                        "events": 1,
                        "amount": Decimal("0.01"),
                        "filters": {},
                    },
                ],
            }
        ],
    }


def test_the_filters_of_a_charge_are_shown(api: APIClient) -> None:
    metric = make_metric(event_type="chat", dimensions=["model"])
    plan = make_plan(charges=[make_charge(metric, match={"model": ["a", "b"]}), make_charge(metric)])
    subscription = make_subscription(plan=plan, now=FEBRUARY)
    for number, model in enumerate("abc"):
        use(subscription, f"2026-02-21T10:0{number}:00Z", model=model)

    answer = api.get(f"/v1/customers/{subscription.customer_id}/current-usage").json()

    [running] = answer["subscriptions"]
    assert [(charge["filters"], charge["units"]) for charge in running["charges"]] == [
        ({"model": ["a", "b"]}, 2),
        ({}, 1),
    ]


def test_a_customer_without_subscriptions_has_no_current_usage(api: APIClient) -> None:
    answer = api.get(f"/v1/customers/{make_customer(currency='EUR').id}/current-usage").json()

    assert (answer["currency"], answer["total_amount"], answer["subscriptions"]) == ("EUR", 0, [])

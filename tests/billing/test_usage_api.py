"""A customer's usage over the API: the printed shape, the sums, the days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.operations.usage import receive_events
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.deletion import delete_customer
from tests.billing.usage_wire import NOW, metered, use
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def usage_of(api: APIClient, customer: Customer | str, **parameters: str) -> Any:
    """Return the answer with its numbers as they are printed."""
    pk = customer if isinstance(customer, str) else customer.id
    answer = api.get(f"/v1/customers/{pk}/usage", parameters)
    return json.loads(answer.content, parse_float=Decimal)


def test_the_answer_is_the_printed_one(api: APIClient) -> None:
    subscription = metered()
    for minute in range(3):
        use(subscription, f"2026-02-21T10:0{minute}:00Z", tokens=1000, model="inno-ai-boyong-4.5", latency_ms=200)
    use(subscription, "2026-02-21T11:00:00Z", "image", model="inno-flux-1-dev", latency_ms=380)
    use(subscription, "2026-02-20T23:59:59Z", tokens=500, model="inno-ai-boyong-4.5")
    use(subscription, "2026-01-31T23:59:59Z", tokens=500, model="inno-ai-boyong-4.5")

    found = usage_of(api, subscription.customer, start_date="2026-02-01", end_date="2026-02-21", group_by="day")

    assert found == {
        "customer_id": subscription.customer_id,
        "period": {"start": "2026-02-01T00:00:00Z", "end": "2026-02-21T23:59:59Z"},
        "summary": {
            "total_requests": 5,
            "total_tokens": 3500,
            "total_cost": Decimal("0.0135"),
            "average_latency_ms": 245,
        },
        "breakdown": [
            {
                "date": "2026-02-21",
                "requests": 4,
                "tokens": 3000,
                "cost": Decimal("0.013"),
                "by_model": {
                    "inno-ai-boyong-4.5": {"requests": 3, "tokens": 3000, "cost": Decimal("0.003")},
                    "inno-flux-1-dev": {"requests": 1, "cost": Decimal("0.01")},
                },
            },
            {
                "date": "2026-02-20",
                "requests": 1,
                "tokens": 500,
                "cost": Decimal("0.0005"),
                "by_model": {"inno-ai-boyong-4.5": {"requests": 1, "tokens": 500, "cost": Decimal("0.0005")}},
            },
        ],
    }


def test_without_parameters_it_is_the_last_thirty_days_by_day(api: APIClient) -> None:
    subscription = metered()
    for at in ("2026-01-21T23:59:59Z", "2026-01-22T00:00:00Z", "2026-02-21T18:29:59Z"):
        use(subscription, at, "image")

    found = usage_of(api, subscription.customer)

    assert found["period"] == {"start": "2026-01-22T00:00:00Z", "end": "2026-02-21T23:59:59Z"}
    assert [row["date"] for row in found["breakdown"]] == ["2026-02-21", "2026-01-22"]


def test_nothing_used_is_an_empty_answer(api: APIClient) -> None:
    found = usage_of(api, make_customer())

    assert found["breakdown"] == []
    assert found["summary"] == {
        "total_requests": 0,
        "total_tokens": 0,
        "total_cost": 0,
        "average_latency_ms": None,
    }


GROUPED = [
    ("hour", ["2026-02-21T18:00:00Z", "2026-02-16T00:00:00Z", "2026-02-15T23:00:00Z", "2026-01-31T23:00:00Z"]),
    ("day", ["2026-02-21", "2026-02-16", "2026-02-15", "2026-01-31"]),
    ("week", ["2026-02-16", "2026-02-09", "2026-01-26"]),
    ("month", ["2026-02-01", "2026-01-01"]),
]


@pytest.mark.parametrize(("group_by", "dates"), GROUPED)
def test_rows_are_hours_days_weeks_and_months(api: APIClient, group_by: str, dates: list[str]) -> None:
    subscription = metered()
    for at in ("2026-01-31T23:59:59Z", "2026-02-15T23:00:00Z", "2026-02-16T00:00:00Z", "2026-02-21T18:30:00Z"):
        use(subscription, at, "image")

    found = usage_of(api, subscription.customer, group_by=group_by)

    assert [row["date"] for row in found["breakdown"]] == dates
    assert sum(row["cost"] for row in found["breakdown"]) == found["summary"]["total_cost"] == Decimal("0.04")


def test_days_are_the_customers_own(api: APIClient) -> None:
    subscription = metered(timezone="Asia/Kolkata")
    for at in ("2026-02-20T18:29:59Z", "2026-02-20T18:30:00Z"):
        use(subscription, at, "image")

    # In India it is past midnight, the 22nd.
    assert usage_of(api, subscription.customer)["period"]["end"] == "2026-02-22T18:29:59Z"
    found = usage_of(api, subscription.customer, start_date="2026-02-21", end_date="2026-02-21")

    assert found["period"] == {"start": "2026-02-20T18:30:00Z", "end": "2026-02-21T18:29:59Z"}
    assert [(row["date"], row["requests"]) for row in found["breakdown"]] == [("2026-02-21", 1)]
    hourly = usage_of(api, subscription.customer, group_by="hour")
    assert [row["date"] for row in hourly["breakdown"]] == ["2026-02-20T18:30:00Z", "2026-02-20T17:30:00Z"]


def test_usage_without_a_model_is_unknown_so_that_models_add_up(api: APIClient) -> None:
    subscription = metered()
    use(subscription, "2026-02-21T10:00:00Z", tokens=1000)
    use(subscription, "2026-02-21T10:00:00Z", tokens=2000, model="unknown")
    use(subscription, "2026-02-21T10:00:00Z", tokens=3000, model="named")

    [row] = usage_of(api, subscription.customer)["breakdown"]

    assert row["by_model"] == {
        "named": {"requests": 1, "tokens": 3000, "cost": Decimal("0.003")},
        "unknown": {"requests": 2, "tokens": 3000, "cost": Decimal("0.003")},
    }
    assert row["cost"] == Decimal("0.006")


def test_input_and_output_tokens_are_tokens(api: APIClient) -> None:
    subscription = metered()
    use(subscription, "2026-02-21T10:00:00Z", "other", input_tokens=30, output_tokens=12)

    summary = usage_of(api, subscription.customer)["summary"]

    assert (summary["total_tokens"], summary["total_cost"]) == (42, 0)


def test_latency_is_the_mean_of_those_measured(api: APIClient) -> None:
    subscription = metered()
    for minute, latency in enumerate([100, 100, 101]):
        use(subscription, f"2026-02-21T10:0{minute}:00Z", "other", latency_ms=latency)
    use(subscription, "2026-02-21T10:03:00Z", "other")

    assert usage_of(api, subscription.customer)["summary"]["average_latency_ms"] == Decimal("100.333")


def test_usage_of_nobody_can_be_seen(api: APIClient) -> None:
    sent = {"transaction_id": "t", "type": "call", "customer": "cust_01h455vb4pex5vsknk084sn02q"}
    receive_events([sent], now=NOW)

    assert usage_of(api, UNCLASSIFIED_ID)["summary"]["total_requests"] == 1


REFUSED = [
    ("start_date=2026-02-22", "invalid_start_date", "start_date"),
    ("start_date=2026-02-10&end_date=2026-02-09", "invalid_end_date", "end_date"),
    ("start_date=yesterday", "invalid_start_date", "start_date"),
    ("start_date=2026-02-30", "invalid_start_date", "start_date"),
    ("start_date=2026-02-01T00:00:00Z", "invalid_start_date", "start_date"),
    ("start_date=1969-12-31", "invalid_start_date", "start_date"),
    ("end_date=9999-12-31", "invalid_end_date", "end_date"),
    ("end_date=", "invalid_end_date", "end_date"),
    ("group_by=year", "invalid_group_by", "group_by"),
    ("group_by=Day", "invalid_group_by", "group_by"),
    ("start_date=2025-01-17&group_by=hour", "invalid_start_date", "start_date"),
    ("start_date=2016-01-01&end_date=2026-02-21", "invalid_end_date", "end_date"),
    ("start=2026-02-01", "unknown_field", "start"),
    ("start_date=2026-02-01&start_date=2026-02-02", "duplicate_key", "start_date"),
]


@pytest.mark.parametrize(("parameters", "code", "param"), REFUSED)
def test_a_span_that_is_none_is_refused(api: APIClient, parameters: str, code: str, param: str) -> None:
    answer = api.get(f"/v1/customers/{make_customer().id}/usage?{parameters}")

    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (400, "validation_error", code)
    assert error["param"] == param


TAKEN = [
    ("start_date=2026-02-21", "2026-02-21"),
    ("start_date=2026-02-10&end_date=2026-02-10", "2026-02-10"),
    ("start_date=2025-01-18&group_by=hour", "2025-01-18"),
    ("start_date=2016-02-15&group_by=month", "2016-02-15"),
    ("start_date=1970-01-01&end_date=1970-01-01", "1970-01-01"),
    ("end_date=9997-12-31&start_date=9997-12-01", "9997-12-01"),
    ("end_date=1970-01-05", "1970-01-01"),
    ("end_date=2026-02-20", "2026-01-22"),
    ("end_date=2025-12-31", "2025-12-01"),
]


@pytest.mark.parametrize(("parameters", "start"), TAKEN)
@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kolkata"])
def test_a_span_on_the_edge_is_taken(api: APIClient, parameters: str, start: str, timezone: str) -> None:
    with time_machine.travel(NOW - timedelta(hours=12), tick=False):
        answer = api.get(f"/v1/customers/{make_customer(timezone=timezone).id}/usage?{parameters}")

    assert answer.status_code == 200
    begin = datetime.fromisoformat(answer.json()["period"]["start"])
    shift = timedelta(hours=5, minutes=30) if timezone != "UTC" else timedelta()
    assert f"{begin + shift:%Y-%m-%d}" == start


@pytest.mark.parametrize("path", ["usage", "current-usage"])
def test_usage_of_an_unknown_or_deleted_customer_is_not_found(api: APIClient, path: str) -> None:
    deleted = make_customer()
    delete_customer(deleted.id, confirm=True, now=NOW)

    for pk in ("cust_unknown", "cust_01h455vb4pex5vsknk084sn02q", deleted.id):
        answer = api.get(f"/v1/customers/{pk}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "customer_not_found")


@pytest.mark.parametrize("path", ["usage", "current-usage", "statement"])
def test_the_scope_decides(api_of: Callable[..., APIClient], path: str) -> None:
    customer = make_customer()

    assert api_of("billing:read").get(f"/v1/customers/{customer.id}/{path}").status_code == 200
    assert api_of("customers:read").get(f"/v1/customers/{customer.id}/{path}").status_code == 403

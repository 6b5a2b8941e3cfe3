"""What the answers about customers tell of their use: when they were active last, and their running month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credentials.models import Credential
from customers.models import Customer
from tests.billing.usage_wire import NOW, metered, use
from tests.factories import make_customer, make_hold, make_wallet

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def read(api: APIClient, customer: Customer) -> Any:
    answer = api.get(f"/v1/customers/{customer.id}")
    assert answer.status_code == 200
    return answer.json()


def test_a_customer_was_active_last_when_its_newest_usage_happened(api: APIClient) -> None:
    used, idle = metered(), make_customer(now=NOW)
    use(used, "2026-02-21T10:00:00Z", tokens=1)
    use(used, "2026-02-20T10:00:00Z", tokens=1)

    rows = {row["id"]: row["last_active"] for row in api.get("/v1/customers").json()["data"]}

    assert rows == {used.customer_id: "2026-02-21T10:00:00Z", idle.id: None}
    assert read(api, used.customer)["last_active"] == "2026-02-21T10:00:00Z"


def test_the_use_of_a_key_is_activity_too(api: APIClient) -> None:
    subscription = metered()
    use(subscription, "2026-02-21T10:00:00Z", tokens=1)

    for at, expected in ((NOW - 24 * HOUR, "2026-02-21T10:00:00Z"), (NOW, "2026-02-21T18:30:00Z")):
        Credential.objects.filter(subscription=subscription).update(last_used_at=at)
        assert read(api, subscription.customer)["last_active"] == expected


def test_a_customer_is_read_with_its_month_on_its_own_calendar(api: APIClient) -> None:
    subscription = metered("Asia/Manila")
    # In Manila, February began at 16:00 UTC on 31 January.
    for at, tokens in (("2026-01-31T15:59:59Z", 100), ("2026-01-31T16:00:00Z", 7), ("2026-02-21T10:00:00Z", 35)):
        use(subscription, at, tokens=tokens)

    usage = read(api, subscription.customer)["usage"]

    assert usage == {"requests_this_month": 2, "tokens_this_month": 42, "credits_remaining": 0}


def test_the_credits_that_remain_are_what_open_wallets_in_its_currency_can_spend(api: APIClient) -> None:
    customer = make_customer(currency="USD")
    for balance, currency in (("10.5", "USD"), ("4.25", "USD"), ("99", "EUR")):
        make_wallet(customer=customer, balance=balance, currency=currency, name=f"{balance} {currency}", now=NOW)
    make_hold("0.75", wallet=customer.wallets.get(name="10.5 USD"), now=NOW)

    assert read(api, customer)["usage"]["credits_remaining"] == 14


def test_only_a_single_customer_is_read_with_its_month(api: APIClient) -> None:
    customer = make_customer()
    path = f"/v1/customers/{customer.id}"

    assert "usage" in read(api, customer)
    assert "usage" not in api.get("/v1/customers").json()["data"][0]
    changed = api.patch(path, {"name": "Renamed"}).json()
    assert not {"usage", "last_active"} & set(changed)
    assert "limits" in changed

"""Subscriptions that the API does not start, beside those it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.ids import TypeID
from customers.models import UNCLASSIFIED_ID, Subscription
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_customer
from tests.api_client import code_of, error_of, refusal_of
from tests.customers.bodies import new_subscription
from tests.factories import NOW, make_customer, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


BODIES: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({"customer": "acme"}, (400, "invalid_customer", "customer")),
    ({"plan": str(TypeID.new("prod"))}, (400, "invalid_plan", "plan")),
    ({"customer": str(TypeID.new("cust"))}, (404, "customer_not_found", "customer")),
    ({"plan": str(TypeID.new("plan"))}, (404, "rate_plan_not_found", "plan")),
    ({"customer": None}, (400, "invalid_customer", "customer")),
    ({"billing_time": "monthly"}, (400, "invalid_billing_time", "billing_time")),
    ({"starts_at": "2026-03-10T12:00:00"}, (400, "invalid_starts_at", "starts_at")),
    ({"ends_at": "2026-03-10T12:00:00Z"}, (400, "invalid_ends_at", "ends_at")),
    ({"ends_at": "tomorrow"}, (400, "invalid_ends_at", "ends_at")),
    ({"bill_from": "2026-03-10T11:59:59Z"}, (400, "invalid_bill_from", "bill_from")),
    ({"external_id": "x" * 256}, (400, "invalid_external_id", "external_id")),
    ({"external_id": "taken"}, (409, "duplicate_external_id", "external_id")),
    ({"status": "active"}, (400, "unknown_field", "status")),
]


@pytest.mark.parametrize(("change", "refusal"), BODIES)
def test_a_subscription_that_cannot_be_is_refused(
    api: APIClient, change: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    taken = make_subscription(external_id="taken")

    assert refusal_of(api.post("/v1/subscriptions", {**new_subscription(), **change})) == refusal

    assert Subscription.objects.get() == taken
    assert api.post("/v1/subscriptions", new_subscription(external_id="free")).status_code == 201


def test_a_subscription_names_customer_and_plan(api: APIClient) -> None:
    error = error_of(api.post("/v1/subscriptions", {}))

    assert {(one["param"], one["code"]) for one in error["details"]["fields"]} == {
        ("customer", "required"), ("plan", "required")
    }  # fmt: skip


def test_a_deleted_customer_subscribes_to_nothing_and_neither_does_the_unclassified(api: APIClient) -> None:
    deleted = delete_customer(make_customer().id, confirm=True, now=NOW)

    assert code_of(api.post("/v1/subscriptions", new_subscription(customer=deleted.id))) == (404, "customer_not_found")
    unclassified = api.post("/v1/subscriptions", new_subscription(customer=str(UNCLASSIFIED_ID)))
    assert refusal_of(unclassified) == (409, "system_customer", "customer")
    assert not Subscription.objects.exists()


def test_a_suspended_customer_subscribes_to_nothing(api: APIClient, clock: time_machine.Traveller) -> None:
    body = new_subscription()
    suspend_customer(body["customer"], until=NOW + HOUR, now=NOW)

    assert code_of(api.post("/v1/subscriptions", body)) == (409, "customer_suspended")
    clock.shift(HOUR)
    assert api.post("/v1/subscriptions", body).status_code == 201


@pytest.mark.parametrize(
    ("stage", "takes"),
    [("EXPERIMENTAL", False), ("BETA", True), ("GA", True), ("DEPRECATED", False), ("RETIRED", False)],
)
def test_only_products_in_beta_and_ga_take_subscriptions(api: APIClient, stage: str, takes: bool) -> None:
    plan = make_plan(product=make_product(stage=stage))

    answer = api.post("/v1/subscriptions", new_subscription(plan=plan.id))

    if takes:
        assert answer.status_code == 201
    else:
        assert code_of(answer) == (409, "product_not_subscribable")


def test_only_an_active_plan_takes_subscriptions(api: APIClient) -> None:
    draft, archived = make_plan(active=False), archive_rate_plan(make_plan().id, now=NOW)

    for plan in (draft, archived):
        answer = api.post("/v1/subscriptions", new_subscription(plan=plan.id))
        assert refusal_of(answer) == (409, "rate_plan_not_active", "plan")


def test_a_customer_subscribes_in_its_own_currency(api: APIClient) -> None:
    euro = make_plan(currency="EUR").id

    refused = api.post("/v1/subscriptions", new_subscription(plan=euro))

    assert refusal_of(refused) == (409, "currency_mismatch", "plan")
    customer = make_customer(currency="EUR").id
    assert api.post("/v1/subscriptions", new_subscription(plan=euro, customer=customer)).status_code == 201

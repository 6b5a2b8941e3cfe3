"""The status of customers: active, inactive or suspended, and the way from any of them to any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from customers.errors import SystemCustomer
from customers.events import CustomerEvent, CustomerReactivated, CustomerSuspended, CustomerUpdated
from customers.models import UNCLASSIFIED_ID, Customer, CustomerStatus
from customers.operations.status import activate_customer, deactivate_customer, set_status
from customers.operations.suspension import reactivate_customer, suspend_customer
from tests.api_client import ids_of
from tests.events import heard
from tests.factories import NOW, make_customer, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def path_of(customer: Customer) -> str:
    return f"/v1/customers/{customer.id}"


#: Where a customer stands, and what happened on the way to the status asked for.
WAYS: list[tuple[str, str, list[str]]] = [
    ("active", "active", []),
    ("active", "inactive", ["customer.updated"]),
    ("active", "suspended", ["customer.suspended"]),
    ("inactive", "active", ["customer.updated"]),
    ("inactive", "inactive", []),
    ("inactive", "suspended", ["customer.suspended"]),
    ("suspended", "active", ["customer.reactivated"]),
    ("suspended", "inactive", ["customer.reactivated", "customer.updated"]),
    ("suspended", "suspended", []),
    ("both", "active", ["customer.reactivated", "customer.updated"]),
    ("both", "inactive", ["customer.reactivated"]),
    ("both", "suspended", []),
]


@pytest.mark.parametrize(("before", "asked", "happened"), WAYS)
def test_a_customer_comes_from_any_status_to_any_other(
    api: APIClient, before: str, asked: str, happened: list[str]
) -> None:
    customer = make_customer()
    if before in {"inactive", "both"}:
        deactivate_customer(customer.id, now=NOW)
    if before in {"suspended", "both"}:
        suspend_customer(customer.id, reason="Why", until=NOW + HOUR, now=NOW)

    with heard(CustomerEvent) as events:
        changed = api.patch(path_of(customer), {"status": asked})

    assert (changed.status_code, changed.json()["status"]) == (200, asked)
    assert [type(event).name for event in events] == happened
    assert ids_of(api.get(f"/v1/customers?status={asked}")) == [customer.id]
    others = {"active", "inactive", "suspended"} - {asked}
    assert [ids_of(api.get(f"/v1/customers?status={other}")) for other in others] == [[], []]


def test_suspended_again_by_its_status_a_customer_keeps_reason_and_end() -> None:
    customer = suspend_customer(make_customer().id, reason="Why", until=NOW + HOUR, now=NOW)

    customer = set_status(customer.id, status="suspended", now=NOW)

    assert (customer.suspension_reason, customer.suspended_until) == ("Why", NOW + HOUR)


def test_suspended_by_its_status_it_is_so_for_good() -> None:
    customer = set_status(make_customer().id, status="suspended", now=NOW)

    assert (customer.suspended_at, customer.suspended_until, customer.suspension_reason) == (NOW, None, "")


def test_a_suspension_that_has_run_out_is_none_to_lift(clock: time_machine.Traveller, api: APIClient) -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)
    clock.shift(HOUR)

    with heard(CustomerEvent) as events:
        answer = api.patch(path_of(customer), {"status": "active"})

    assert (answer.json()["status"], events) == ("active", [])


def test_status_and_fields_change_together_or_not_at_all(api: APIClient) -> None:
    customer, other = make_customer(currency="USD"), make_customer()
    make_subscription(customer=customer)
    path = path_of(customer)
    versions = customer.history.count()

    refused = [
        api.patch(path, {"status": "suspended", "email": other.email}),
        api.patch(path, {"status": "inactive", "currency": "EUR"}),
        api.patch(path, {"status": "inactive", "parent": customer.id}),
    ]
    assert [answer.status_code for answer in refused] == [409, 409, 409]
    assert (api.get(path).json()["status"], customer.history.count()) == ("active", versions)

    changed = api.patch(path, {"status": "inactive", "name": "Renamed"}).json()
    assert (changed["status"], changed["name"]) == ("inactive", "Renamed")


def test_a_refused_status_leaves_no_field_changed() -> None:
    customer = make_customer()

    with pytest.raises(SystemCustomer):
        set_status(UNCLASSIFIED_ID, status="suspended", name="Renamed", now=NOW)
    assert Customer.objects.get(pk=UNCLASSIFIED_ID).name == "UNCLASSIFIED"

    assert set_status(customer.id, status="suspended", name="Renamed", now=NOW).name == "Renamed"


def test_deactivated_or_activated_twice_is_once() -> None:
    customer = make_customer()

    with heard(CustomerUpdated) as updates:
        assert deactivate_customer(customer.id, now=NOW).deactivated_at == NOW
        assert deactivate_customer(customer.id, now=NOW + HOUR).deactivated_at == NOW
        assert activate_customer(customer.id, now=NOW + HOUR).deactivated_at is None
        assert activate_customer(customer.id, now=NOW + HOUR).deactivated_at is None

    assert updates == [
        CustomerUpdated(customer_id=customer.id, at=NOW, fields=("status",)),
        CustomerUpdated(customer_id=customer.id, at=NOW + HOUR, fields=("status",)),
    ]


def test_a_suspension_outranks_inactivity_and_leaves_it_behind() -> None:
    customer = deactivate_customer(make_customer().id, now=NOW)

    with heard(CustomerSuspended) as suspended, heard(CustomerReactivated) as reactivated:
        assert suspend_customer(customer.id, now=NOW).status(NOW) is CustomerStatus.SUSPENDED
        assert reactivate_customer(customer.id, now=NOW).status(NOW) is CustomerStatus.INACTIVE

    assert (len(suspended), len(reactivated)) == (1, 1)


@pytest.mark.parametrize("operation", [deactivate_customer, activate_customer])
def test_the_unclassified_customer_stays_active(operation: Any) -> None:
    with pytest.raises(SystemCustomer):
        operation(UNCLASSIFIED_ID, now=NOW)

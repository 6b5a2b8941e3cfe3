"""The same rule on every path: a customer with a subscription is deleted by none, and nothing of it changes."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from config.kernel.history import HistoryRow
from customers.errors import CustomerDeletionBlocked
from customers.models import Customer
from customers.operations.deletion import DeletionMode, delete_customer
from tests.api_client import api_client, code_of, error_of, refusal_of
from tests.factories import NOW, make_clerk, make_customer, make_operator, make_subscription, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

BLOCKED = (409, "customer_deletion_blocked")


def over_the_api(customer: Customer, query: str = "") -> None:
    assert code_of(api_client("customers:write").delete(f"/v1/customers/{customer.id}{query}")) == BLOCKED


def at_the_desk(address: str, sent: dict[str, Any]) -> None:
    desk = Client()
    desk.force_login(make_operator())
    page = desk.post(address, {**sent, "confirmed": "yes", "confirm": "on", "reason": "Tidy", "mode": "guarded"})
    assert page.status_code == 200, "the page comes back instead of the list"


def on_its_page(customer: Customer) -> None:
    at_the_desk(reverse("admin:customers_customer_delete", args=[customer.pk]), {})


def in_bulk(customer: Customer) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [customer.pk]}
    at_the_desk(reverse("admin:customers_customer_changelist"), chosen)


def by_the_operation(customer: Customer) -> None:
    with pytest.raises(CustomerDeletionBlocked):
        delete_customer(customer.id, confirm=True, now=NOW)


def by_the_command(customer: Customer) -> None:
    with pytest.raises(CommandError, match="something stands in the way"):
        call_command("delete_customer", customer.id, "--confirm", stdout=io.StringIO())


def by_the_query_set(customer: Customer) -> None:
    with pytest.raises(ProtectedError):
        Customer.objects.filter(pk=customer.pk).delete()


def by_the_instance(customer: Customer) -> None:
    with pytest.raises(ProtectedError):
        Customer.objects.get(pk=customer.pk).delete()


def by_sql(customer: Customer) -> None:
    with pytest.raises(DatabaseError, match="annot delete"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [customer.id.uuid])


def by_raw_delete(customer: Customer) -> None:
    with pytest.raises(DatabaseError, match="annot delete"), transaction.atomic():
        Customer.objects.filter(pk=customer.pk)._raw_delete("default")


PATHS: dict[str, Callable[[Customer], None]] = {
    "the API": over_the_api,
    "the API, confirmed": lambda customer: over_the_api(customer, "?confirm=true"),
    "the delete page": on_its_page,
    "the bulk action": in_bulk,
    "the operation": by_the_operation,
    "the command": by_the_command,
    "QuerySet.delete": by_the_query_set,
    "Model.delete": by_the_instance,
    "SQL": by_sql,
    "_raw_delete": by_raw_delete,
}


def everything() -> dict[str, list[Any]]:
    """Return every row of the business and its history; who calls and clicks is none of it."""
    mine = ("catalog", "customers", "credentials", "billing")
    models = [model for label in mine for model in apps.get_app_config(label).get_models() if not model._meta.proxy]
    kept = [model for model in models if "operatorkey" not in str(model._meta.model_name)]
    assert any(issubclass(model, HistoryRow) for model in kept)
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list(*columns_of(model))) for model in kept
    }


def columns_of(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_customer_with_a_subscription_is_deleted_on_no_path(path: Callable[[Customer], None]) -> None:
    customer = make_subscription().customer
    make_wallet(customer=customer, balance="5")
    before = everything()

    path(customer)

    assert everything() == before
    assert Customer.objects.live().filter(pk=customer.pk).exists()


def test_terminating_over_the_api_needs_a_scope_of_its_own() -> None:
    customer = make_subscription().customer
    address = f"/v1/customers/{customer.id}?mode=terminate&confirm=true"

    refused = api_client("customers:read", "customers:write").delete(address)
    assert code_of(refused) == (403, "insufficient_scope")
    assert error_of(refused)["details"] == {"required": "customers:terminate"}
    assert Customer.objects.live().filter(pk=customer.pk).exists()

    deleted = api_client("customers:write", "customers:terminate").delete(address)
    assert (deleted.status_code, deleted.json()) == (
        200, {"id": customer.id, "deleted": True, "deleted_at": "2026-03-10T12:00:00Z"}
    )  # fmt: skip


def test_a_key_for_everything_may_terminate(api: APIClient) -> None:
    customer = make_subscription().customer

    assert api.delete(f"/v1/customers/{customer.id}?mode=terminate&confirm=true").status_code == 200


def test_the_mode_is_one_of_two_and_guarded_by_default(api: APIClient) -> None:
    path = f"/v1/customers/{make_customer().id}"

    assert refusal_of(api.delete(f"{path}?mode=force")) == (400, "invalid_mode", "mode")
    assert refusal_of(api.delete(f"{path}?mode=")) == (400, "invalid_mode", "mode")
    assert refusal_of(api.delete(f"{path}?mode=TERMINATE")) == (400, "invalid_mode", "mode")
    assert api.delete(f"{path}?mode=guarded").status_code == 200


def test_terminating_over_the_api_has_to_be_confirmed_and_waits_for_children(api: APIClient) -> None:
    parent = make_subscription().customer
    path = f"/v1/customers/{parent.id}"
    child = make_customer(parent=parent.id)
    report = api.get(f"{path}/deletion-check").json()

    blocked = api.delete(f"{path}?mode=terminate&confirm=true")
    assert (code_of(blocked), error_of(blocked)["details"]) == (BLOCKED, report)
    assert report["findings"][0] == {
        "code": "child_customers", "verdict": "BLOCK", "count": 1,
        "message": "1 customer(s) stand below this one; move or delete them first",
    }  # fmt: skip

    assert api.delete(f"/v1/customers/{child.id}").status_code == 200
    unconfirmed = api.delete(f"{path}?mode=terminate")
    assert code_of(unconfirmed) == (409, "customer_deletion_needs_confirmation")
    assert api.delete(f"{path}?mode=terminate&confirm=true").status_code == 200


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("delete_customer", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_report_and_deletes_what_may_go() -> None:
    customer = make_customer()
    make_wallet(customer=customer, balance="5")
    out = io.StringIO()

    with pytest.raises(CommandError, match="needs to be confirmed") as failure:
        call_command("delete_customer", customer.id, stdout=out)

    assert failure.value.returncode == 1
    told = ["WARN: 1 finding(s)", "  WARN wallet_balance: 1 wallet(s) with a balance ($5.00) will be forfeited [$5.00]"]
    assert out.getvalue().splitlines() == told
    assert printed(customer.id, "--confirm").splitlines() == [*told, f"{customer.id} is deleted"]
    customer.refresh_from_db()
    assert customer.history.latest("history_id").history_actor == "command delete_customer"


def test_the_command_terminates_as_of_a_moment() -> None:
    subscription = make_subscription()

    printed(subscription.customer_id, "--terminate", "--confirm", "--as-of", "2026-03-20T00:00:00Z")

    subscription.refresh_from_db()
    customer = Customer.objects.get(pk=subscription.customer_id)
    assert f"{subscription.terminated_at:%Y-%m-%d} {customer.deleted_at:%Y-%m-%d}" == "2026-03-20 2026-03-20"


def test_the_command_knows_no_deleted_customer_and_no_other_thing() -> None:
    gone = delete_customer(make_customer().id, confirm=False, now=NOW)

    for unknown in (gone.id, "cust_1", make_wallet().id):
        with pytest.raises(CommandError, match="not found"):
            printed(unknown, "--confirm", "--terminate")


def test_termination_is_the_same_thing_on_every_path_that_has_it() -> None:
    """Show by what is left that the operation is behind all of them."""
    left = []
    for terminate in (over_the_api_terminated, at_the_desk_terminated, by_the_command_terminated, by_the_operation_too):
        subscription = make_subscription(starts_at=NOW - timedelta(days=3))
        terminate(subscription.customer)
        subscription.refresh_from_db()
        customer = Customer.objects.get(pk=subscription.customer_id)
        left.append((subscription.terminated_at, customer.deleted_at, customer.invoices.get().status))

    assert left == [(NOW, NOW, "finalized")] * 4


def over_the_api_terminated(customer: Customer) -> None:
    api_client().delete(f"/v1/customers/{customer.id}?mode=terminate&confirm=true")


def at_the_desk_terminated(customer: Customer) -> None:
    desk = Client()
    desk.force_login(make_clerk("delete_customer", "terminate_customer", "view_customer"))
    sent = {"confirmed": "yes", "confirm": "on", "reason": "Tidy", "mode": "terminate"}
    desk.post(reverse("admin:customers_customer_delete", args=[customer.pk]), sent)


def by_the_command_terminated(customer: Customer) -> None:
    printed(customer.id, "--terminate", "--confirm")


def by_the_operation_too(customer: Customer) -> None:
    delete_customer(customer.id, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)

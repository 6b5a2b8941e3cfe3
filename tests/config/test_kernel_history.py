"""History: each change is one row that names who and why, and no row ever changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from config.kernel.history import HistoryRow, acting_as, because, current_actor
from credentials.models import Credential
from customers.operations.customers import update_customer
from tests.factories import (
    NOW,
    make_add_on,
    make_agent,
    make_charge,
    make_coupon,
    make_customer,
    make_gateway_mapping,
    make_hold,
    make_metric,
    make_operator_key,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
    make_tax,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)

HISTORIES = [model for model in apps.get_models() if issubclass(model, HistoryRow)]


@pytest.fixture
def _one_of_each() -> None:
    """Make a row of every model with history."""
    metric, tax = make_metric(), make_tax()
    plan = make_plan(charges=[make_charge(metric)], amount=Decimal(31), taxes=[tax.id])
    make_gateway_mapping(product=plan.product)
    subscription = make_subscription(plan=plan)
    make_add_on(taxes=[tax.id])
    make_coupon(plans=[plan.id])
    make_coupon(metrics=[metric.id])
    bill_due(now=APRIL)
    record_payment(Invoice.objects.get(customer=subscription.customer).id, amount=Decimal(1), now=APRIL)
    make_hold()
    make_operator_key()
    make_product(openapi_url="https://example.com/openapi.json")
    make_agent()
    make_subscriber()


@pytest.mark.usefixtures("_one_of_each")
@pytest.mark.parametrize("model", HISTORIES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("statement", ["UPDATE {} SET history_actor = 'somebody else'", "DELETE FROM {}"])
def test_no_history_row_is_ever_changed_or_deleted(model: type[HistoryRow], statement: str) -> None:
    assert model._default_manager.exists()

    with (
        pytest.raises(DatabaseError, match="Cannot update or delete rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(model._meta.db_table))


@pytest.mark.parametrize("change", [{"history_actor": "somebody else"}, {"history_change_reason": "other"}])
def test_no_history_row_is_changed_through_the_orm(change: dict[str, str]) -> None:
    history = make_customer().history

    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
        history.update(**change)
    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
        history.all().delete()


def test_a_row_names_who_acted_and_why() -> None:
    with acting_as("ops@example.com", reason="They asked us to"):
        customer = make_customer()
    with acting_as("key integration"), because("Moved up"):
        update_customer(customer.id, tier="startup", now=LATER)
    update_customer(customer.id, tier="free", now=LATER)

    rows = customer.history.order_by("history_id")
    assert list(rows.values_list("history_type", "history_actor", "history_change_reason", "tier")) == [
        ("+", "ops@example.com", "They asked us to", "free"),
        ("~", "key integration", "Moved up", "startup"),
        ("~", "system", "", "free"),
    ]


def test_the_actor_is_that_of_the_innermost_block_and_is_given_back() -> None:
    with acting_as("outer", user_id=7):
        with because("a reason"):
            assert (current_actor().label, current_actor().user_id, current_actor().reason) == ("outer", 7, "a reason")
        with acting_as("inner"):
            assert (current_actor().label, current_actor().user_id) == ("inner", None)
        assert (current_actor().label, current_actor().reason) == ("outer", "")
    assert current_actor().label == "system"


def test_no_history_row_carries_a_digest() -> None:
    make_subscription()

    columns = {field.name for field in Credential.history.model._meta.fields}
    assert "name" in columns
    assert not columns & {"digest", "last_used_at"}

"""What the operations of the catalog, of customers and of credentials leave in history: one row for each change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import getmembers, isfunction
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Max

from catalog.operations import (
    add_ons,
    coupons,
    documentation,
    gateway_mappings,
    gateway_outcomes,
    gateway_sync,
    gateways,
    metrics,
    plan_deletion,
    plan_versions,
    product_clones,
    products,
    rate_plans,
    taxes,
)
from config.kernel.history import HistoryRow, acting_as
from credentials.models import Credential
from credentials.operations import (
    credentials,
    gateway_key_outcomes,
    gateway_key_requests,
    gateway_sweeps,
    moves,
    operator_keys,
    uses,
)
from customers.models import Customer, Subscription
from customers.operations import (
    agents,
    customers,
    deletion,
    plan_changes,
    status,
    subscribers,
    subscription_ends,
    subscriptions,
    suspension,
    teams,
)
from tests.extra_operations import EXTRA_OPERATIONS
from tests.factories import (
    NOW,
    make_customer,
    make_operator_key,
    make_subscription,
)
from tests.gateway_key_operations import GATEWAY_KEY_OPERATIONS
from tests.gateway_operations import GATEWAY_OPERATIONS
from tests.plan_operations import PLAN_OPERATIONS
from tests.product_operations import PRODUCT_OPERATIONS
from tests.subscription_operations import SUBSCRIPTION_OPERATIONS
from tests.unit_operations import UNIT_OPERATIONS

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)

HISTORIES: list[Any] = [model for model in apps.get_models() if issubclass(model, HistoryRow)]


def suspended(**fields: Any) -> Customer:
    return suspension.suspend_customer(make_customer().id, now=NOW, **fields)


def key_of(subscription: Subscription) -> Credential:
    return Credential.objects.get(subscription=subscription)


#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "create_customer",
        lambda: customers.CustomerFields(name="C", email="c@example.com"),
        lambda made: customers.create_customer(made, with_key=True, now=NOW),
        {"customer": 1, "credential": 1},
    ),
    (
        "update_customer",
        make_customer,
        lambda made: customers.update_customer(made.id, name="New", tier="startup", now=LATER),
        {"customer": 1},
    ),
    (
        "deactivate_customer",
        make_customer,
        lambda made: status.deactivate_customer(made.id, now=LATER),
        {"customer": 1},
    ),
    (
        "activate_customer",
        lambda: status.deactivate_customer(make_customer().id, now=NOW),
        lambda made: status.activate_customer(made.id, now=LATER),
        {"customer": 1},
    ),
    (
        "set_status",
        suspended,
        # The new name, the end of the suspension and the deactivation are three facts.
        lambda made: status.set_status(made.id, status="inactive", name="New", now=LATER),
        {"customer": 3},
    ),
    (
        "delete_customer",
        lambda: customers.create_customer(customers.CustomerFields(name="C", email="c@x.com"), with_key=True, now=NOW),
        lambda made: deletion.delete_customer(made.id, confirm=True, now=LATER),
        {"customer": 1, "credential": 1},
    ),
    (
        "suspend_customer",
        make_customer,
        lambda made: suspension.suspend_customer(made.id, reason="R", now=LATER),
        {"customer": 1},
    ),
    (
        "reactivate_customer",
        suspended,
        lambda made: suspension.reactivate_customer(made.id, now=LATER),
        {"customer": 1},
    ),
    (
        "expire_suspension",
        lambda: suspended(until=LATER),
        lambda made: suspension.expire_suspension(made.id, now=LATER),
        {"customer": 1},
    ),
    (
        "issue_customer_key",
        make_customer,
        lambda made: credentials.issue_customer_key(made.id, name="K", scopes=["*"], now=NOW),
        {"credential": 1},
    ),
    (
        "issue_subscription_credential",
        make_subscription,
        lambda made: credentials.issue_subscription_credential(made.id, now=NOW),
        {"credential": 1},
    ),
    (
        "revoke_credential",
        lambda: key_of(make_subscription()),
        lambda made: credentials.revoke_credential(made.id, now=LATER),
        {"credential": 1},
    ),
    (
        "rotate_credential",
        lambda: key_of(make_subscription()),
        lambda made: credentials.rotate_credential(made.id, grace=timedelta(hours=1), now=LATER),
        {"credential": 1},
    ),
    (
        "revoke_all",
        lambda: [key_of(make_subscription()), key_of(make_subscription())],
        lambda made: credentials.revoke_all(made, wipe=False, now=LATER),
        {"credential": 2},
    ),
    (
        "create_operator_key",
        lambda: {"name": "K", "scopes": ["*"]},
        lambda made: operator_keys.create_operator_key(**made, now=NOW),
        {"operatorkey": 1},
    ),
    (
        "revoke_operator_key",
        lambda: make_operator_key()[0],
        lambda made: operator_keys.revoke_operator_key(made.id, now=LATER),
        {"operatorkey": 1},
    ),
    *EXTRA_OPERATIONS,
    *GATEWAY_KEY_OPERATIONS,
    *PLAN_OPERATIONS,
    *PRODUCT_OPERATIONS,
    *GATEWAY_OPERATIONS,
    *SUBSCRIPTION_OPERATIONS,
    *UNIT_OPERATIONS,
]


@pytest.mark.parametrize(
    ("prepare", "operate", "rows"), [pytest.param(*entry[1:], id=entry[0]) for entry in OPERATIONS]
)
def test_an_operation_writes_one_row_for_each_object_it_changes(
    prepare: Callable[[], Any], operate: Callable[[Any], object], rows: dict[str, int]
) -> None:
    made = prepare()
    newest = {model: model._default_manager.aggregate(last=Max("history_id", default=0))["last"] for model in HISTORIES}

    with acting_as("ops@example.com", reason="As agreed"):
        operate(made)

    written = [row for model in HISTORIES for row in model._default_manager.filter(pk__gt=newest[model])]
    assert Counter(type(row).__name__.removeprefix("Historical").lower() for row in written) == rows
    assert {(row.history_actor, row.history_change_reason) for row in written} <= {("ops@example.com", "As agreed")}


def test_the_table_holds_every_operation() -> None:
    modules = [
        products,
        product_clones,
        documentation,
        metrics,
        rate_plans,
        plan_deletion,
        plan_versions,
        customers,
        deletion,
        status,
        suspension,
        subscriptions,
    ]
    modules += [credentials, operator_keys, taxes, add_ons, coupons]
    modules += [credentials, operator_keys, gateway_key_requests, gateway_key_outcomes, gateway_sweeps]
    modules += [gateways, gateway_mappings, gateway_sync, gateway_outcomes]
    modules += [uses, teams, agents, subscribers, subscription_ends, plan_changes, moves]
    own = [(module, name, found) for module in modules for name, found in getmembers(module, isfunction)]
    operations = {name for module, name, found in own if found.__module__ == module.__name__ and name[0] != "_"}

    # They are steps of the product's operations, which are in the table.
    steps = {"insert_product", "refuse_openapi_url", "follow_openapi_url", "copy_documentation", "remove_plan"}
    # Some lock and change nothing, the others call an operation of the table for each row that is due.
    others = steps | {
        "lock_with_plans",
        "lock_customer",
        "keep_customer",
        "expire_due_suspensions",
        "end_due_subscriptions",
    }
    # They are steps of the gateways' operations, which are in the table; who works at a gateway is no change of it.
    others |= {"connection_of", "note_attention", "unlink", "check_mappings_of", "end_job", "fail_job"}
    others |= {"claim_gateway", "release_gateway", "seconds_to_next_job"}
    # When a secret was used last is no change of its credential.
    assert {entry[0] for entry in OPERATIONS} == operations - others - {"record_uses"}

"""Attribution: whose an event is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import UsageEvent
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.senders import ACCEPTED, LATER, UNKNOWN, counted, event, metered, send
from tests.factories import (
    NOW,
    make_customer,
    make_plan,
    make_product,
    make_subscription,
)


def whose(sent: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Send an event and return the customer, subscription and credential that it is kept on."""
    [outcome] = send(sent)
    assert outcome.status is ACCEPTED
    kept = UsageEvent.objects.get(transaction_id=sent["transaction_id"])
    assert outcome.attribution is not None
    found = outcome.attribution
    assert (kept.customer_id, kept.subscription_id, kept.credential_id) == (
        found.customer,
        found.subscription,
        found.credential,
    )
    return str(found.customer), found.subscription, found.credential


@pytest.mark.django_db
def test_the_credential_comes_before_the_subscription_and_that_before_the_customer() -> None:
    customer = make_customer()
    subscription, _ = metered(customer=customer)
    own = subscription.credentials.get()
    other, _ = metered()
    names = {"subscription": other.id, "customer": other.customer_id}

    assert whose(event("a", credential=own.id, **names)) == (customer.id, subscription.id, own.id)
    assert whose(event("b", subscription=subscription.id, customer=other.customer_id)) == (
        customer.id,
        subscription.id,
        None,
    )
    assert whose(event("c", customer=customer.id)) == (customer.id, subscription.id, None)


@pytest.mark.django_db
def test_a_client_id_names_its_credential() -> None:
    product = make_product(product_type="MCP_SERVER")
    subscription = make_subscription(plan=make_plan(product=product))
    credential = subscription.credentials.get()

    found = whose(event(credential=credential.client_id))

    assert found == (subscription.customer_id, subscription.id, credential.id)


@pytest.mark.django_db
def test_a_customers_key_follows_the_only_subscription_and_none_of_several() -> None:
    customer = make_customer()
    key = issue_customer_key(customer.id, name="all", scopes=["*"], now=NOW)
    assert whose(event("none", credential=key.id)) == (customer.id, None, key.id)

    first, _ = metered(customer=customer)
    assert whose(event("one", credential=key.id)) == (customer.id, first.id, key.id)

    metered(customer=customer)
    assert whose(event("two", credential=key.id)) == (customer.id, None, key.id)
    assert whose(event("two by customer", customer=customer.id)) == (customer.id, None, None)

    terminate_subscription(first.id, now=NOW + timedelta(hours=1))
    late = event("after", customer=customer.id, timestamp=(NOW + timedelta(hours=2)).isoformat())
    assert whose(late)[1] not in (None, first.id)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minutes", "is_its_own"), [(-1, False), (0, True), (59, True), (60, False)], ids=["before", "start", "last", "end"]
)
def test_usage_belongs_to_a_subscription_while_it_runs(minutes: int, is_its_own: bool) -> None:
    subscription, _ = metered()
    terminate_subscription(subscription.id, now=NOW + timedelta(hours=1))
    moment = (NOW + timedelta(minutes=minutes)).isoformat()

    found = whose(event(subscription=subscription.id, timestamp=moment))

    assert found == (subscription.customer_id, subscription.id if is_its_own else None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("field", UNKNOWN)
def test_usage_of_nobody_is_kept_on_the_unclassified_customer_and_not_rated(field: str) -> None:
    assert whose(event(**{field: UNKNOWN[field]})) == (UNCLASSIFIED_ID, None, None)
    assert counted() == (1, 1, 0)


@pytest.mark.django_db
def test_usage_of_a_deleted_customer_is_nobodys() -> None:
    customer = make_customer()
    key = issue_customer_key(customer.id, name="k", scopes=["*"], now=NOW)
    assert whose(event("before", credential=key.id))[0] == customer.id
    delete_customer(customer.id, confirm=True, now=NOW)

    assert whose(event("by key", credential=key.id)) == (UNCLASSIFIED_ID, None, None)
    assert whose(event("by id", customer=customer.id)) == (UNCLASSIFIED_ID, None, None)


@pytest.mark.django_db
def test_usage_of_a_deleted_customers_subscription_is_nobodys() -> None:
    plan = make_plan(amount=Decimal(0))
    subscription = make_subscription(plan=plan)
    terminate_subscription(subscription.id, now=NOW + timedelta(hours=1))
    delete_customer(subscription.customer_id, confirm=True, now=LATER)

    assert whose(event(subscription=subscription.id)) == (UNCLASSIFIED_ID, None, None)


@pytest.mark.django_db(transaction=True)
def test_the_unclassified_customer_is_there_also_where_tests_commit() -> None:
    assert whose(event(**UNKNOWN)) == (UNCLASSIFIED_ID, None, None)

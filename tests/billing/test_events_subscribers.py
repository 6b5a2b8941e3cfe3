"""Events that say who used it and which product: subscribers, products, and what nobody's events named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from billing.models import MetricHour, UsageEvent, UsageHour
from billing.operations.usage import receive_events
from catalog.models import Product
from config.kernel.ids import TypeID
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Customer, Subscriber
from customers.operations.customers import update_customer
from customers.operations.deletion import delete_customer
from customers.operations.subscribers import delete_subscriber
from tests.billing.senders import ACCEPTED, LATER, UNKNOWN, counted, event, metered, send, statuses
from tests.factories import (
    NOW,
    make_charge,
    make_customer,
    make_metric,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
)

pytestmark = pytest.mark.django_db


def kept(transaction_id: str = "t1", **fields: Any) -> Any:
    """Send an event and return it as it is kept."""
    [outcome] = send(event(transaction_id, **fields))
    assert outcome.status is ACCEPTED
    found = UsageEvent.objects.get(transaction_id=transaction_id)
    assert outcome.attribution is not None
    assert outcome.attribution.owners == (
        found.customer_id,
        found.subscription_id,
        found.credential_id,
        found.subscriber_id,
    )
    return found


def names_of(subscriber: Subscriber) -> Mapping[str, str]:
    return {"id": subscriber.id, "e-mail": subscriber.email.upper(), "subscriber ID": subscriber.subscriber_id}


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def bob(customer: Customer) -> Subscriber:
    return make_subscriber(customer=customer, email="Bob@acme.com", subscriber_id="b-17")


@pytest.mark.parametrize("way", ["id", "e-mail", "subscriber ID"])
@pytest.mark.parametrize("kind", ["credential", "subscription", "customer"])
def test_an_event_names_the_subscriber_of_its_customer(
    customer: Customer, bob: Subscriber, kind: str, way: str
) -> None:
    subscription, _ = metered(customer=customer)
    references = {
        "credential": subscription.credentials.get().id,
        "subscription": subscription.id,
        "customer": customer.id,
    }

    found = kept(**{kind: references[kind]}, subscriber=names_of(bob)[way])

    assert (found.customer_id, found.subscription_id, found.subscriber_id) == (customer.id, subscription.id, bob.id)
    assert found.named == ""


def test_a_subscriber_id_is_spelled_exactly_and_an_address_in_any_case(customer: Customer, bob: Subscriber) -> None:
    assert kept("a", customer=customer.id, subscriber="B-17").subscriber_id is None
    assert kept("b", customer=customer.id, subscriber="bOB@ACME.com").subscriber_id == bob.id


@pytest.mark.parametrize("name", ["nobody@acme.com", "n-1", "subr_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_subscriber_loses_no_event(customer: Customer, name: str) -> None:
    found = kept(customer=customer.id, subscriber=name)

    assert (found.customer_id, found.subscriber_id, found.named) == (customer.id, None, "")
    assert counted()[1] == 1


def test_another_customers_subscriber_is_unknown_to_this_one(customer: Customer, bob: Subscriber) -> None:
    for number, name in enumerate(names_of(bob).values()):
        assert kept(str(number), customer=make_customer().id, subscriber=name).subscriber_id is None


def test_a_credential_brings_its_own_subscriber_unless_another_is_named(customer: Customer, bob: Subscriber) -> None:
    ann = make_subscriber(customer=customer)
    key = issue_customer_key(customer.id, name="bob's", scopes=["*"], subscriber=bob.id, now=NOW).id

    assert kept("own", credential=key).subscriber_id == bob.id
    assert kept("named", credential=key, subscriber=ann.id).subscriber_id == ann.id
    assert kept("unknown", credential=key, subscriber="nobody@acme.com").subscriber_id is None


@pytest.mark.parametrize("way", ["id", "e-mail", "subscriber ID"])
def test_a_subscriber_alone_says_whose_the_event_is(customer: Customer, bob: Subscriber, way: str) -> None:
    subscription, _ = metered(customer=customer)

    found = kept(subscriber=names_of(bob)[way])

    assert (found.customer_id, found.subscription_id, found.subscriber_id) == (customer.id, subscription.id, bob.id)
    assert (found.credential_id, found.named) == (None, "")


def test_a_name_that_two_customers_know_is_nobodys(bob: Subscriber) -> None:
    make_subscriber(customer=make_customer(), email="bob@ACME.com", subscriber_id="other")

    found = kept("a", subscriber="Bob@acme.com")

    assert (found.customer_id, found.subscriber_id) == (UNCLASSIFIED_ID, None)
    assert found.named == "subscriber bob@acme.com"
    assert kept("b", subscriber="b-17").subscriber_id == bob.id


def test_a_deleted_subscriber_is_unknown(customer: Customer, bob: Subscriber) -> None:
    delete_subscriber(bob.id, confirm=True, now=NOW)

    assert kept("within", customer=customer.id, subscriber=bob.id).subscriber_id is None
    assert kept("alone", subscriber=bob.id).customer_id == UNCLASSIFIED_ID


def test_a_subscriber_of_a_deleted_customer_is_unknown(customer: Customer, bob: Subscriber) -> None:
    delete_customer(customer.id, confirm=True, now=NOW)

    found = kept(subscriber=bob.email)

    assert (found.customer_id, found.subscriber_id, found.named) == (UNCLASSIFIED_ID, None, "subscriber bob@acme.com")


def test_an_unclassified_subscriber_keeps_its_usage_together() -> None:
    eve = make_subscriber(email="eve@else.org")

    alone = kept("alone", subscriber="eve@else.org")
    beside = kept("beside", subscription=UNKNOWN["subscription"], subscriber=eve.id)

    assert (alone.customer_id, alone.subscriber_id, alone.named) == (UNCLASSIFIED_ID, eve.id, "subscriber eve@else.org")
    assert (beside.customer_id, beside.subscriber_id) == (UNCLASSIFIED_ID, eve.id)
    assert beside.named == f"subscription {UNKNOWN['subscription']}"


@pytest.mark.parametrize("kind", UNKNOWN)
def test_nobodys_usage_keeps_what_it_named(kind: str) -> None:
    assert kept(**{kind: UNKNOWN[kind]}).named == f"{kind} {UNKNOWN[kind]}"


def test_usage_sent_to_the_bucket_itself_is_unclassified_too() -> None:
    found = kept(customer=str(UNCLASSIFIED_ID))

    assert (found.customer_id, found.named) == (UNCLASSIFIED_ID, f"customer {UNCLASSIFIED_ID}")


def test_the_longest_name_of_a_subscriber_is_kept() -> None:
    assert kept(subscriber="x" * 255).named == f"subscriber {'x' * 255}"


def test_roll_ups_keep_subscribers_apart(customer: Customer, bob: Subscriber) -> None:
    subscription, _ = metered(customer=customer)
    send(
        event("a", subscription=subscription.id, subscriber=bob.id),
        event("b", subscription=subscription.id, subscriber="bob@acme.com"),
        event("c", subscription=subscription.id),
    )

    for rows in (UsageHour.objects, MetricHour.objects):
        assert set(rows.values_list("subscriber", "events")) == {(bob.id, 2), (None, 1)}


@pytest.fixture
def two_products(customer: Customer) -> dict[str, str]:
    """Return the subscription of the customer to each of two products, by the product's code."""
    metric = make_metric(event_type="call")
    products = [make_product(code=code) for code in ("chat", "search")]
    plans = [make_plan(product=one, charges=[make_charge(metric)]) for one in products]
    return {plan.product.code: str(make_subscription(customer=customer, plan=plan).id) for plan in plans}


def test_a_product_tells_which_of_several_subscriptions(
    customer: Customer, bob: Subscriber, two_products: dict[str, str]
) -> None:
    product = Product.objects.get(code="chat")

    assert kept("neither", customer=customer.id).subscription_id is None
    assert kept("code", customer=customer.id, product="chat").subscription_id == two_products["chat"]
    assert kept("id", customer=customer.id, product=product.id).subscription_id == two_products["chat"]
    assert kept("other", customer=customer.id, product="search").subscription_id == two_products["search"]
    assert kept("by subscriber", subscriber=bob.email, product="search").subscription_id == two_products["search"]


def test_a_product_narrows_a_customers_key_and_no_key_of_a_subscription(
    customer: Customer, two_products: dict[str, str]
) -> None:
    key = issue_customer_key(customer.id, name="all", scopes=["*"], now=NOW)
    subscription = metered()[0]

    assert kept("free", credential=key.id, product="chat").subscription_id == two_products["chat"]
    assert kept("bound", credential=subscription.credentials.get().id, product="chat").subscription_id == (
        subscription.id
    )


@pytest.mark.parametrize("product", ["nothing", "prod_01h455vb4pex5vsknk084sn02q"])
def test_usage_of_another_product_is_the_customers_and_of_no_subscription(customer: Customer, product: str) -> None:
    metered(customer=customer)

    found = kept(customer=customer.id, product=product)

    assert (found.customer_id, found.subscription_id) == (customer.id, None)
    assert counted() == (1, 1, 0)


@pytest.mark.parametrize("change", [{"subscriber": "ann@acme.com"}, {"subscriber": None}, {"product": "chat"}], ids=str)
def test_another_subscriber_or_product_under_the_same_transaction_id_is_a_conflict(
    customer: Customer, change: dict[str, Any]
) -> None:
    first = event(customer=customer.id, subscriber="bob@acme.com")

    assert statuses(send(first, first, {**first, **change})) == ["accepted", "duplicate", "transaction_id_conflict"]


def test_who_a_subscriber_was_does_not_change_afterwards(customer: Customer, bob: Subscriber) -> None:
    sent = event(customer=customer.id, subscriber=bob.email)
    send(sent)
    delete_subscriber(bob.id, confirm=True, now=NOW)
    update_customer(customer.id, name="Renamed", now=NOW)

    assert statuses(receive_events([sent], now=LATER + timedelta(hours=1))) == ["duplicate"]
    assert UsageEvent.objects.get().subscriber_id == bob.id


def test_a_batch_mixes_every_way_of_naming(customer: Customer, bob: Subscriber) -> None:
    subscription, _ = metered(customer=customer)
    stranger = TypeID.new("key")

    send(
        event("key", credential=subscription.credentials.get().id, subscriber="b-17"),
        event("alone", subscriber=bob.id),
        event("nobody", credential=stranger, subscriber="b-17"),
    )

    found = {one.transaction_id: (one.customer_id, one.subscriber_id) for one in UsageEvent.objects.all()}
    assert found == {
        "key": (customer.id, bob.id),
        "alone": (customer.id, bob.id),
        "nobody": (UNCLASSIFIED_ID, None),
    }
    call_command("verify_books")

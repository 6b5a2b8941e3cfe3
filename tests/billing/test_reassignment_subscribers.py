"""Usage of subscribers: it is reassigned by them, and follows them to the customer that they are assigned to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Invoice, UsageEvent, UsageHour, UsageReassignment
from billing.operations.billing_runs import bill_due
from billing.operations.reassignment import reassign_usage
from billing.operations.usage_moves import Reassignment
from billing.queries.books import breaches
from config.kernel.history import acting_as
from customers.errors import SubscriberCustomerLocked
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.subscribers import reassign_subscriber, update_subscriber
from tests.billing.bills import APRIL, JUNE, MARCH
from tests.billing.unclassified import LOST, by_tokens, events_of, lose, units_of
from tests.factories import make_customer, make_subscriber

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOBODY = "cust_01h455vb4pex5vsknk084sn02q"


def reassign(customer: Customer, **chosen: Any) -> Reassignment:
    """Reassign what is chosen, and see that the books are right after it."""
    found = reassign_usage(customer=customer.id, now=JUNE, **chosen)
    assert list(breaches()) == []
    return found


def test_what_an_unclassified_subscriber_used_moves_with_it() -> None:
    subscription = by_tokens()
    bob, eve = make_subscriber(email="bob@acme.com"), make_subscriber(email="eve@acme.com")
    for one in (bob, eve):
        lose(MARCH, MARCH + DAY, whose={"subscriber": one.id}, prefix=one.id)

    reassign_subscriber(bob.id, customer=subscription.customer_id, now=JUNE)

    assert (events_of(subscription.customer), events_of(UNCLASSIFIED_ID)) == (2, 2)
    assert set(UsageEvent.objects.values_list("customer", "subscription", "subscriber")) == {
        (subscription.customer_id, subscription.id, bob.id),
        (UNCLASSIFIED_ID, None, eve.id),
    }
    assert units_of(subscription) == 10
    assert list(breaches()) == []


def test_so_does_what_named_its_email_before_it_was_known() -> None:
    customer = make_customer()
    lose(MARCH, whose={"subscriber": "Bob@Acme.com"})
    lose(MARCH, whose={"subscriber": "bob@acme.community"}, prefix="other")
    bob = make_subscriber(email="bob@acme.com")

    reassign_subscriber(bob.id, customer=customer.id, now=JUNE)

    assert UsageEvent.objects.filter(customer=customer).values_list("subscriber", "named").get() == (
        bob.id,
        "subscriber bob@acme.com",
    )
    assert events_of(UNCLASSIFIED_ID) == 1
    assert list(breaches()) == []


def test_what_is_billed_already_stays_behind() -> None:
    subscription = by_tokens()
    bob = make_subscriber()
    lose(MARCH, APRIL, whose={"subscriber": bob.id})
    bill_due(now=APRIL)

    reassign_subscriber(bob.id, customer=subscription.customer_id, now=JUNE)

    assert (events_of(subscription.customer), events_of(UNCLASSIFIED_ID)) == (1, 1)
    assert Invoice.objects.get().total == 0
    assert UsageReassignment.objects.values_list("moved", "kept").get() == (1, 1)


def test_other_changes_of_a_subscriber_move_nothing() -> None:
    customer = make_customer()
    bob = make_subscriber()
    lose(MARCH, whose={"subscriber": bob.id})

    update_subscriber(bob.id, first_name="Bob", now=JUNE)
    assert events_of(UNCLASSIFIED_ID) == 1
    update_subscriber(bob.id, customer=customer.id, now=JUNE)

    assert events_of(customer) == 1


def test_a_subscriber_that_cannot_be_assigned_keeps_its_usage() -> None:
    acme, other = make_customer(), make_customer()
    bob = make_subscriber(customer=acme)
    lose(MARCH)

    with pytest.raises(SubscriberCustomerLocked):
        reassign_subscriber(bob.id, customer=other.id, now=JUNE)

    assert (events_of(UNCLASSIFIED_ID), UsageReassignment.objects.count()) == (1, 0)


def test_who_assigned_the_subscriber_moved_the_usage() -> None:
    customer = make_customer()
    bob = make_subscriber()
    lose(MARCH, whose={"subscriber": bob.id})

    with acting_as("olga", reason="He called"):
        reassign_subscriber(bob.id, customer=customer.id, now=JUNE)

    fields = ("customer", "subscriber", "named", "actor", "reason")
    assert UsageReassignment.objects.values_list(*fields).get() == (customer.id, bob.id, "", "olga", "He called")


def test_usage_of_a_known_subscriber_moves_by_its_id_and_finds_its_namesake_there() -> None:
    customer = make_customer()
    lost = make_subscriber(email="bob@acme.com")
    lose(MARCH, whose={"customer": NOBODY, "subscriber": "bob@acme.com"})
    lose(MARCH, prefix="other")
    assert UsageEvent.objects.filter(subscriber=lost).count() == 1
    namesake = make_subscriber(customer=customer, email="BOB@acme.com")

    assert reassign(customer, subscriber=lost.id).moved == 1

    assert UsageEvent.objects.get(customer=customer).subscriber_id == namesake.id
    assert set(UsageHour.objects.values_list("customer", "subscriber")) == {
        (customer.id, namesake.id),
        (UNCLASSIFIED_ID, None),
    }


def test_a_subscriber_that_the_customer_has_not_is_nobody_there() -> None:
    customer = make_customer()
    lost = make_subscriber(email="bob@acme.com")
    lose(MARCH, whose={"subscriber": lost.id})

    assert reassign(customer, subscriber=lost.id).moved == 1

    assert UsageEvent.objects.get().subscriber_id is None


def test_what_was_named_by_an_email_alone_finds_the_customers_subscriber() -> None:
    customer = make_customer()
    lose(MARCH, whose={"subscriber": "Bob@Acme.com"})
    bob = make_subscriber(customer=customer, email="bob@acme.com")

    assert reassign(customer, named="subscriber bob@acme.com").moved == 1

    assert UsageEvent.objects.get().subscriber_id == bob.id


def test_given_both_only_events_that_are_both_move() -> None:
    customer = make_customer()
    lost = make_subscriber(email="bob@acme.com")
    lose(MARCH, whose={"customer": NOBODY, "subscriber": lost.id}, prefix="both")
    lose(MARCH, whose={"subscriber": lost.id}, prefix="subscriber")
    lose(MARCH, prefix="named")

    assert reassign(customer, named=LOST, subscriber=lost.id).moved == 1

    assert UsageEvent.objects.get(customer=customer).transaction_id.startswith("both")

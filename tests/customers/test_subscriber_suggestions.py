"""Which customer an unclassified subscriber probably belongs to: the only one with its e-mail domain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from customers.errors import NoSuggestedCustomer
from customers.models import Subscriber
from customers.operations.customers import update_customer
from customers.operations.deletion import delete_customer
from customers.operations.subscribers import assign_suggested_customer
from customers.queries.suggestions import with_suggestions
from tests.factories import NOW, make_customer, make_subscriber

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def suggested(subscriber: Subscriber) -> Any:
    """Return the customer that the subscriber as it is stored is suggested to belong to."""
    [found] = with_suggestions([Subscriber.objects.get(pk=subscriber.pk)])
    return found.suggestion


@pytest.mark.parametrize("domains", [["acme.com"], ["acme.io", "acme.com"], ["ACME.com"]])
def test_the_only_customer_with_the_email_domain_is_suggested(domains: list[str]) -> None:
    customer = make_customer(associated_domains=domains)

    assert suggested(make_subscriber(email="bob@acme.com")) == customer
    assert suggested(make_subscriber(email="Alice@Acme.COM")) == customer


@pytest.mark.parametrize("email", ["bob@mail.acme.com", "bob@acme.com.evil.com", "acme.com@other.com"])
def test_another_domain_suggests_nobody(email: str) -> None:
    make_customer(associated_domains=["acme.com"])

    assert suggested(make_subscriber(email=email)) is None


def test_a_suggestion_ends_with_the_second_customer_of_the_domain_and_returns_when_that_is_deleted() -> None:
    subscriber = make_subscriber(email="bob@acme.com")
    first = make_customer(associated_domains=["acme.com"])
    second = make_customer(associated_domains=["acme.com"])

    assert suggested(subscriber) is None
    delete_customer(second.id, confirm=True, now=NOW)
    assert suggested(subscriber) == first
    update_customer(first.id, associated_domains=[], now=LATER)
    assert suggested(subscriber) is None


def test_who_has_a_customer_gets_no_suggestion() -> None:
    subscriber = make_subscriber(customer=make_customer(), email="bob@acme.com")
    make_customer(associated_domains=["acme.com"])

    assert suggested(subscriber) is None


def test_suggestions_for_a_page_are_one_query(django_assert_num_queries: Callable[[int], Any]) -> None:
    customers = [make_customer(associated_domains=[f"acme{number}.com"]) for number in range(5)]
    subscribers = [make_subscriber(email=f"bob@acme{number}.com") for number in range(5)]

    with django_assert_num_queries(1):
        found = with_suggestions(subscribers)
    with django_assert_num_queries(0):
        assert with_suggestions([]) == []

    assert [one.suggestion for one in found] == customers


def test_a_subscriber_is_assigned_to_the_suggested_customer_and_without_one_to_none() -> None:
    customer = make_customer(associated_domains=["acme.com"])
    fitting, other = make_subscriber(email="bob@acme.com"), make_subscriber(email="bob@other.com")

    assert assign_suggested_customer(fitting.id, now=LATER).customer == customer
    for subscriber in (other, fitting):
        with pytest.raises(NoSuggestedCustomer) as refusal:
            assign_suggested_customer(subscriber.id, now=LATER)
        assert refusal.value.details == {"domain": subscriber.email_domain}
    assert Subscriber.objects.unclassified().get() == other

"""Subscribers: people and service accounts, of a customer or of nobody known yet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.kernel.errors import NotFound
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.errors import (
    DuplicateSubscriberEmail,
    DuplicateSubscriberId,
    SubscriberCustomerLocked,
    SubscriberDeletionNeedsConfirmation,
)
from customers.events import SubscriberDeleted, SubscriberReassigned
from customers.models import UNCLASSIFIED_ID, Subscriber
from customers.operations.deletion import delete_customer
from customers.operations.subscribers import (
    create_subscriber,
    delete_subscriber,
    reassign_subscriber,
    update_subscriber,
)
from tests.events import heard
from tests.factories import NOW, make_customer, make_subscriber

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)

#: What the report says of one key that the deletion takes along.
ONE_KEY = {"code": "active_api_keys", "verdict": "WARN", "message": "1 key(s) will be revoked", "count": 1}


def test_a_subscriber_belongs_to_nobody_and_is_called_by_our_id_unless_it_is_said_otherwise() -> None:
    customer = make_customer()

    plain = create_subscriber(email="bob@acme.com", now=NOW)
    full = create_subscriber(
        email="Bob@acme.com", customer=customer.id, first_name="Bob", last_name="Bo", subscriber_id="U-1", now=NOW
    )

    assert (plain.customer_id, plain.subscriber_id, plain.full_name) == (UNCLASSIFIED_ID, plain.id, "")
    full.refresh_from_db()
    assert (full.customer, full.email, full.full_name, full.subscriber_id) == (
        customer, "Bob@acme.com", "Bob Bo", "U-1"
    )  # fmt: skip


@pytest.mark.parametrize("empty", [None, ""])
def test_an_emptied_subscriber_id_is_our_own_id_again(empty: str | None) -> None:
    subscriber = make_subscriber(subscriber_id="U-1")

    assert update_subscriber(subscriber.id, subscriber_id=empty, now=LATER).subscriber_id == subscriber.id


def test_deleted_customers_take_no_subscribers() -> None:
    gone = delete_customer(make_customer().id, confirm=True, now=NOW)
    subscriber = make_subscriber()

    with pytest.raises(NotFound):
        create_subscriber(email="bob@acme.com", customer=gone.id, now=NOW)
    with pytest.raises(NotFound):
        reassign_subscriber(subscriber.id, customer=gone.id, now=NOW)

    assert Subscriber.objects.get().customer_id == UNCLASSIFIED_ID


def test_an_email_and_an_id_are_one_among_the_live_subscribers_of_a_customer_only() -> None:
    customer = make_customer()
    first = make_subscriber(customer=customer, email="bob@acme.com", subscriber_id="U-1")
    second = make_subscriber(customer=customer)

    with pytest.raises(DuplicateSubscriberEmail):
        make_subscriber(customer=customer, email="BOB@acme.com")
    with pytest.raises(DuplicateSubscriberId):
        make_subscriber(customer=customer, subscriber_id="U-1")
    with pytest.raises(DuplicateSubscriberEmail):
        update_subscriber(second.id, email="bob@ACME.com", now=LATER)
    with pytest.raises(DuplicateSubscriberId):
        update_subscriber(second.id, subscriber_id="U-1", now=LATER)

    make_subscriber(customer=make_customer(), email="bob@acme.com", subscriber_id="U-1")
    delete_subscriber(first.id, confirm=False, now=LATER)
    assert update_subscriber(second.id, email="bob@acme.com", subscriber_id="U-1", now=LATER).subscriber_id == "U-1"


def test_an_unclassified_subscriber_is_reassigned_once_and_what_happened_is_published() -> None:
    subscriber, customer, other = make_subscriber(), make_customer(), make_customer()

    with heard(SubscriberReassigned) as reassigned:
        reassign_subscriber(subscriber.id, customer=customer.id, now=LATER)
        reassign_subscriber(subscriber.id, customer=customer.id, now=LATER)
        for target in (other.id, UNCLASSIFIED_ID):
            with pytest.raises(SubscriberCustomerLocked) as refusal:
                reassign_subscriber(subscriber.id, customer=target, now=LATER)
            assert refusal.value.param == "customer"

    assert Subscriber.objects.get().customer == customer
    assert reassigned == [
        SubscriberReassigned(
            customer_id=customer.id, previous_customer_id=UNCLASSIFIED_ID, subscriber_id=subscriber.id, at=LATER
        )
    ]


def test_a_reassignment_onto_a_customer_that_has_such_a_subscriber_is_refused_and_moves_nothing() -> None:
    customer = make_customer()
    make_subscriber(customer=customer, email="bob@acme.com")
    subscriber = make_subscriber(email="Bob@acme.com")

    with heard(SubscriberReassigned) as reassigned, pytest.raises(DuplicateSubscriberEmail):
        reassign_subscriber(subscriber.id, customer=customer.id, now=LATER)

    subscriber.refresh_from_db()
    assert (subscriber.customer_id, reassigned) == (UNCLASSIFIED_ID, [])
    assert reassign_subscriber(subscriber.id, customer=make_customer().id, now=LATER).email == "Bob@acme.com"


def test_a_refused_reassignment_changes_nothing_else_either() -> None:
    subscriber = make_subscriber(customer=make_customer(), first_name="Bob")

    with pytest.raises(SubscriberCustomerLocked):
        update_subscriber(subscriber.id, first_name="Rob", customer=make_customer().id, now=LATER)
    assert Subscriber.objects.get().first_name == "Bob"

    update_subscriber(subscriber.id, first_name="Rob", customer=subscriber.customer_id, now=LATER)
    assert Subscriber.objects.get().first_name == "Rob"


def test_a_change_that_is_none_leaves_the_subscriber_as_it_was() -> None:
    subscriber = make_subscriber(first_name="Bob")

    unchanged = update_subscriber(
        subscriber.id, first_name="Bob", subscriber_id="", customer=UNCLASSIFIED_ID, now=LATER
    )

    assert unchanged.updated_at == NOW


def test_deleting_a_subscriber_without_keys_needs_no_confirmation() -> None:
    subscriber = make_subscriber()

    with heard(SubscriberDeleted) as deleted:
        delete_subscriber(subscriber.id, confirm=False, now=LATER)

    assert deleted == [SubscriberDeleted(customer_id=UNCLASSIFIED_ID, subscriber_id=subscriber.id, at=LATER)]
    assert not Subscriber.objects.live().exists()


def test_deleting_a_subscriber_with_keys_needs_confirmation_and_revokes_them_and_no_others() -> None:
    customer = make_customer()
    bob, alice = make_subscriber(customer=customer), make_subscriber(customer=customer)
    key, other = (
        issue_customer_key(customer.id, name="Laptop", scopes=["*"], subscriber=one.id, now=NOW) for one in (bob, alice)
    )

    with pytest.raises(SubscriberDeletionNeedsConfirmation) as refusal:
        delete_subscriber(bob.id, confirm=False, now=LATER)
    assert refusal.value.details == {"subscriber_id": bob.id, "verdict": "WARN", "findings": [ONE_KEY]}
    assert Credential.objects.get(pk=key.pk).revoked_at is None

    delete_subscriber(bob.id, confirm=True, now=LATER)
    assert {one.pk: one.revoked_at for one in Credential.objects.all()} == {key.pk: LATER, other.pk: None}


def test_a_deleted_subscriber_and_one_of_a_deleted_customer_are_not_found() -> None:
    deleted, orphan = make_subscriber(), make_subscriber(customer=make_customer())
    delete_subscriber(deleted.id, confirm=False, now=NOW)
    delete_customer(orphan.customer_id, confirm=True, now=NOW)

    for subscriber in (deleted, orphan):
        with pytest.raises(NotFound):
            update_subscriber(subscriber.id, first_name="Rob", now=LATER)
        with pytest.raises(NotFound):
            reassign_subscriber(subscriber.id, customer=make_customer().id, now=LATER)
        with pytest.raises(NotFound):
            delete_subscriber(subscriber.id, confirm=True, now=LATER)


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("bob@acme.com", True),
        ("bob", True),
        ("acm", True),
        ("Smith Bob", True),
        ("u-17", True),
        ("cme", False),
        ("bob jones", False),
        ("@", False),
        ("", True),
    ],
)
def test_a_search_finds_beginnings_of_words_of_email_names_and_id(words: str, is_found: bool) -> None:
    subscriber = make_subscriber(email="bob@acme.com", first_name="Robert", last_name="Smith", subscriber_id="U-17")

    assert list(Subscriber.objects.searched(words)) == ([subscriber] if is_found else [])


def test_an_email_is_found_as_a_whole_in_whatever_case() -> None:
    subscriber = make_subscriber(email="Bob@acme.com")

    assert Subscriber.objects.with_email("bob@ACME.com").get() == subscriber
    assert not Subscriber.objects.with_email("bob@acme").exists()


def test_a_subscribers_row_is_never_erased() -> None:
    subscriber = make_subscriber()

    for erase in (
        subscriber.delete,
        Subscriber.objects.all().delete,
        lambda: connection.cursor().execute("DELETE FROM customers_subscriber WHERE id = %s", [subscriber.id.uuid]),
    ):
        with pytest.raises(DatabaseError, match="Cannot delete rows"), transaction.atomic():
            erase()
    assert Subscriber.objects.filter(pk=subscriber.pk).exists()


def test_the_database_refuses_twins_in_another_case_to_raw_sql_too() -> None:
    make_subscriber(email="bob@acme.com")
    other = make_subscriber()

    with (
        pytest.raises(IntegrityError, match="subscriber_one_live_per_email"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE customers_subscriber SET email = 'BOB@acme.com' WHERE id = %s", [other.id.uuid])

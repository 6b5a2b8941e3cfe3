"""Subscribers at the desk, those whose customer is not known among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.admin import change_url
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Subscriber
from customers.operations.deletion import delete_customer
from customers.operations.subscribers import delete_subscriber, reassign_subscriber
from tests.factories import NOW, make_customer, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

#: What a browser sends for the rows shown below a form.
NO_ROWS = {"credentials-TOTAL_FORMS": "0", "credentials-INITIAL_FORMS": "0"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_subscriber_{page}", args=arguments)


def found(desk: Client, **query: Any) -> list[Subscriber]:
    return list(desk.get(url("changelist"), query).context["cl"].result_list)


def buttons(response: Any) -> list[str]:
    return [one["title"] for one in response.context["actions_detail"]]


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_subscriber_belongs_to_nobody_unless_the_form_says_otherwise(desk: Client) -> None:
    form = desk.get(url("add")).context["adminform"].form
    assert form["customer"].value() == UNCLASSIFIED_ID

    desk.post(url("add"), {"email": "bob@acme.com", "customer": UNCLASSIFIED_ID})
    subscriber = Subscriber.objects.get()
    assert (subscriber.customer_id, subscriber.subscriber_id) == (UNCLASSIFIED_ID, subscriber.id)

    customer = make_customer()
    desk.post(url("add"), {"email": "bob@acme.com", "customer": customer.pk, "subscriber_id": "U-1"})
    assert customer.subscribers.get().subscriber_id == "U-1"


def test_a_subscriber_is_changed_and_deleted_and_its_customer_stays(desk: Client) -> None:
    customer = make_customer()
    subscriber = make_subscriber(customer=customer)
    issue_customer_key(customer.id, name="Laptop", scopes=["*"], subscriber=subscriber.id, now=NOW)
    body = {**NO_ROWS, "email": "rob@acme.com", "first_name": "Rob", "subscriber_id": "", "change_reason": "Married"}

    desk.post(url("change", subscriber.pk), {**body, "customer": make_customer().pk})
    subscriber.refresh_from_db()
    assert (subscriber.email, subscriber.first_name) == ("rob@acme.com", "Rob")
    assert (subscriber.customer, subscriber.subscriber_id) == (customer, subscriber.id)

    desk.post(url("delete", subscriber.pk), {"confirmed": "yes", "reason": "Left"})
    assert Subscriber.objects.live().exists()
    desk.post(url("delete", subscriber.pk), {"confirmed": "yes", "confirm": "on", "reason": "Left"})
    rows = subscriber.history.order_by("history_id")
    assert not Subscriber.objects.live().exists()
    assert Credential.objects.get().revoked_at == NOW
    assert [(row.history_actor, row.history_change_reason) for row in rows][1:] == [
        ("olga", "Married"),
        ("olga", "Left"),
    ]


def test_an_email_that_is_taken_is_refused_beside_the_field(desk: Client) -> None:
    subscriber = make_subscriber(email="bob@acme.com")

    answer = desk.post(url("add"), {"email": "BOB@acme.com", "customer": UNCLASSIFIED_ID})

    assert answer.context["adminform"].form.errors == {
        "email": ["The customer has a subscriber with email 'BOB@acme.com' already"]
    }
    assert list(Subscriber.objects.all()) == [subscriber]


def test_the_suggestion_is_shown_with_its_domain_on_list_and_page(desk: Client) -> None:
    customer = make_customer(name="Acme Corp", associated_domains=["acme.com"])
    subscriber = make_subscriber(email="bob@acme.com")

    for page in (url("changelist"), url("change", subscriber.pk)):
        text = desk.get(page).content.decode()
        assert change_url(customer) in text
        assert "Acme Corp</a> (acme.com)" in text

    make_customer(associated_domains=["acme.com"])
    assert "(acme.com)" not in desk.get(url("changelist")).content.decode()


def test_assigning_offers_the_suggestion_and_takes_another_customer_too(desk: Client) -> None:
    suggested, other = make_customer(associated_domains=["acme.com"]), make_customer()
    bob, alice = make_subscriber(email="bob@acme.com"), make_subscriber(email="alice@acme.com")

    form = desk.get(url("assign", bob.pk)).context["form"]
    assert form["customer"].value() == suggested.pk
    assert form["customer"].help_text == f"{suggested} is suggested, because of the domain acme.com."
    for subscriber, customer in ((bob, suggested), (alice, other)):
        desk.post(url("assign", subscriber.pk), {"confirmed": "yes", "customer": customer.pk, "reason": "Asked"})

    assert (suggested.subscribers.get(), other.subscribers.get()) == (bob, alice)
    row = bob.history.latest("history_id")
    assert (row.history_actor, row.history_change_reason) == ("olga", "Asked")
    assert "Assign to customer" not in buttons(desk.get(url("change", bob.pk)))


def test_only_live_customers_and_not_the_unclassified_one_can_be_chosen(desk: Client) -> None:
    subscriber = make_subscriber()
    gone = delete_customer(make_customer().id, confirm=True, now=NOW)

    for customer in (gone.pk, UNCLASSIFIED_ID, ""):
        answer = desk.post(url("assign", subscriber.pk), {"confirmed": "yes", "customer": customer, "reason": "Asked"})
        assert list(answer.context["form"].errors) == ["customer"]
    assert Subscriber.objects.unclassified().get() == subscriber


def test_several_subscribers_are_assigned_at_once_and_those_with_a_customer_are_refused(desk: Client) -> None:
    customer = make_customer(associated_domains=["acme.com"])
    bob, alice = make_subscriber(email="bob@acme.com"), make_subscriber(email="alice@acme.com")
    settled = make_subscriber(customer=make_customer(), email="carol@acme.com")
    chosen = {"action": "assign", "_selected_action": [bob.pk, alice.pk], "index": "0"}

    form = desk.post(url("changelist"), chosen).context["form"]
    assert form["customer"].value() == customer.pk
    assert Subscriber.objects.unclassified().count() == 2
    chosen["_selected_action"] = [bob.pk, alice.pk, settled.pk]
    body = {**chosen, "confirmed": "yes", "customer": customer.pk, "reason": "Asked"}
    answer = desk.post(url("changelist"), body, follow=True)

    assert set(customer.subscribers.all()) == {bob, alice}
    assert any("Only a subscriber of the UNCLASSIFIED customer" in message for message in messages_of(answer))


def test_each_is_assigned_to_its_own_suggestion_and_those_without_one_are_named(desk: Client) -> None:
    acme, zebra = make_customer(associated_domains=["acme.com"]), make_customer(associated_domains=["zebra.com"])
    bob, zoe = make_subscriber(email="bob@acme.com"), make_subscriber(email="zoe@zebra.com")
    stray = make_subscriber(email="stray@other.com")
    chosen = {"action": "assign_suggested", "_selected_action": [bob.pk, zoe.pk, stray.pk], "index": "0"}

    desk.post(url("changelist"), chosen)
    assert Subscriber.objects.unclassified().count() == 3
    answer = desk.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Sorted"}, follow=True)

    assert (acme.subscribers.get(), zebra.subscribers.get()) == (bob, zoe)
    assert Subscriber.objects.unclassified().get() == stray
    assert any("stray@other.com" in message and "other.com" in message for message in messages_of(answer))


def test_the_list_is_searched_and_filtered_and_leaves_deleted_ones_out(desk: Client) -> None:
    customer = make_customer()
    bob = make_subscriber(email="bob@acme.com", first_name="Robert", subscriber_id="U-17")
    alice = make_subscriber(customer=customer, email="alice@zebra.com")
    delete_subscriber(make_subscriber().id, confirm=False, now=NOW)
    delete_customer(make_subscriber(customer=make_customer()).customer_id, confirm=True, now=NOW)

    assert set(found(desk)) == {bob, alice}
    for words in ("bob@acme.com", "bob", "rob", "u-17"):
        assert found(desk, q=words) == [bob]
    assert found(desk, q="ebra") == []
    assert (found(desk, classification="unclassified"), found(desk, classification="assigned")) == ([bob], [alice])
    assert found(desk, customer__id__exact=customer.pk) == [alice]


def test_a_list_of_many_subscribers_asks_no_more_than_one_of_few(
    desk: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(12):
        make_customer(associated_domains=[f"acme{number}.com"])
        make_subscriber(email=f"bob@acme{number}.com")

    with django_assert_max_num_queries(11):
        assert len(found(desk)) == 12


def test_forms_find_teams_agents_and_subscribers_as_they_are_typed(desk: Client) -> None:
    bob, _ = make_subscriber(email="bob@acme.com"), make_subscriber(email="alice@acme.com")
    query = {"app_label": "credentials", "model_name": "credential", "field_name": "subscriber", "term": "bob"}

    answer = desk.get(reverse("admin:autocomplete"), query)

    assert [row["id"] for row in answer.json()["results"]] == [bob.pk]


def test_a_reader_sees_everything_and_changes_nothing(reader: Client) -> None:
    subscriber = make_subscriber()

    assert reader.get(url("changelist")).status_code == 200
    assert reader.get(url("change", subscriber.pk)).status_code == 200
    paths = [url("change", subscriber.pk), url("delete", subscriber.pk), url("assign", subscriber.pk)]
    answers = [reader.post(path, {"confirmed": "yes", "reason": "x"}) for path in paths]
    assert {answer.status_code for answer in answers} == {403}
    reassign_subscriber(subscriber.id, customer=make_customer().id, now=NOW)
    assert reader.get(url("change", subscriber.pk)).status_code == 200

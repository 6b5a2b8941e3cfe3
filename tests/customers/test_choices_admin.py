"""What is offered where a record is found by typing: told apart by the customer, and only what can be chosen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import UNCLASSIFIED_ID
from tests.factories import make_agent, make_clerk, make_customer, make_subscriber, make_subscription, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def offered(browser: Client, model: str, field: str, **query: str) -> set[str]:
    """Return the texts offered for a field of ``model`` (``app.name``)."""
    app, name = model.split(".")
    asked = {"app_label": app, "model_name": name, "field_name": field, "term": "", **query}
    answer = browser.get(reverse("admin:autocomplete"), asked)
    assert answer.status_code == 200
    return {one["text"] for one in answer.json()["results"]}


def test_records_of_one_name_are_told_apart_by_their_customer(desk: Client) -> None:
    for name in ("Acme", "Globex"):
        customer = make_customer(name=name)
        make_agent(team=make_team(customer=customer, name="Support"), name="Bot")
        make_subscriber(customer=customer, email="maya@mail.com")
        make_subscription(customer=customer, name="Pro")

    assert offered(desk, "customers.agent", "team") == {"Support (Acme)", "Support (Globex)"}
    assert offered(desk, "credentials.credential", "agent") == {"Bot (Acme)", "Bot (Globex)"}
    assert offered(desk, "credentials.credential", "subscriber") == {"maya@mail.com (Acme)", "maya@mail.com (Globex)"}
    assert offered(desk, "credentials.credential", "subscription") == {"Pro (Acme)", "Pro (Globex)"}


def test_naming_the_customer_takes_no_query_a_record(desk: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(8):
        make_agent()

    with django_assert_max_num_queries(6):
        assert len(offered(desk, "credentials.credential", "agent")) == 8


def test_a_team_once_chosen_is_still_named_with_its_customer(desk: Client) -> None:
    team = make_team(customer=make_customer(name="Acme"), name="Support")

    page = desk.post(reverse("admin:customers_agent_add"), {"team": team.pk, "name": "", "kind": "AGENT"})

    assert "Support (Acme)" in page.content.decode()


def test_a_parent_is_neither_the_bucket_nor_the_customer_itself_nor_one_below_it(desk: Client) -> None:
    group = make_customer(name="Group")
    europe = make_customer(name="Europe", parent=group.pk)
    make_customer(name="Berlin", parent=europe.pk)
    make_customer(name="Apart")
    everybody = {"Group", "Europe", "Berlin", "Apart"}

    assert offered(desk, "customers.customer", "parent") == everybody
    assert offered(desk, "customers.customer", "parent", parent_of=europe.pk) == {"Group", "Apart"}
    assert offered(desk, "customers.subscriber", "customer") == {*everybody, "UNCLASSIFIED"}


def test_the_page_of_a_customer_asks_for_its_own_parent(desk: Client) -> None:
    customer = make_customer()

    assert (
        f"parent_of={customer.pk}"
        in desk.get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()
    )
    assert "parent_of=" not in desk.get(reverse("admin:customers_customer_add")).content.decode()


def test_what_is_no_id_is_a_bad_request(desk: Client) -> None:
    asked = {"app_label": "customers", "model_name": "customer", "field_name": "parent", "parent_of": "nobody"}

    assert desk.get(reverse("admin:autocomplete"), asked).status_code == 400
    assert offered(desk, "customers.customer", "parent", parent_of=UNCLASSIFIED_ID) == set()


def test_nothing_is_offered_to_who_may_not_see_it() -> None:
    browser = Client()
    browser.force_login(make_clerk("view_agent"))
    asked = {"app_label": "customers", "model_name": "agent", "field_name": "team"}

    assert browser.get(reverse("admin:autocomplete"), asked).status_code == 403
    assert Client().get(reverse("admin:autocomplete"), asked).status_code == 302

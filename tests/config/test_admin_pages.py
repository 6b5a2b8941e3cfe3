"""What every page of the desk has in common: whose page it is, times with their zone, a history in words, an icon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.admin import change_url
from config.kernel.admin.theme import is_gone
from customers.models import Customer
from customers.operations.customers import update_customer
from customers.operations.deletion import delete_customer
from tests.factories import NOW, make_customer, make_subscriber, make_subscription, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def page(obj: Any, name: str) -> str:
    """Return the path of one of the pages of ``obj``."""
    return change_url(obj).replace("/change/", f"/{name}/")


def text_of(browser: Client, path: str, **query: str) -> str:
    return browser.get(path, query).content.decode()


def heading_of(browser: Client, path: str) -> str:
    """Return the first heading of a page, which is the way down to it."""
    return text_of(browser, path).partition("<h1")[2].partition("</h1>")[0]


@pytest.mark.parametrize("name", ["change", "suspend", "delete", "history"])
def test_every_page_of_one_record_names_it_with_a_way_back(desk: Client, name: str) -> None:
    customer = make_customer(name="iRobot & Sons")

    heading = heading_of(desk, page(customer, name))

    assert f"/admin/customers/customer/{customer.pk}/change/" in heading
    assert "iRobot &amp; Sons" in heading


def test_a_page_about_many_records_names_none_of_them_above(desk: Client) -> None:
    chosen = [make_customer(name="Acme"), make_customer(name="Globex")]

    asked = {"action": "suspend", "_selected_action": [one.pk for one in chosen]}
    answer = desk.post(reverse("admin:customers_customer_changelist"), asked).content.decode()

    assert "Acme" not in answer.partition("<h1")[2].partition("</h1>")[0]
    assert "2 customers" in " ".join(answer.split())


def test_no_time_is_shown_without_its_zone(desk: Client) -> None:
    subscription = make_subscription()

    for path in (reverse("admin:customers_subscription_changelist"), change_url(subscription)):
        assert f"{subscription.starts_at:%Y-%m-%d %H:%M} UTC" in text_of(desk, path)


def test_a_history_speaks_of_names_and_words(desk: Client) -> None:
    parent, customer = make_customer(name="Group"), make_customer()
    later = NOW + timedelta(hours=1)
    update_customer(customer.pk, parent=parent.pk, associated_domains=["acme.com", "acme.de"], now=later)
    update_customer(customer.pk, metadata={"seats": 12, "region": "EMEA"}, now=later)

    text = text_of(desk, page(customer, "history"))

    for words in ("Group", "acme.com, acme.de", "region: EMEA, seats: 12"):
        assert words in text
    assert parent.pk not in text


def test_a_history_takes_as_many_queries_for_many_names_as_for_one(
    desk: Client, django_assert_num_queries: Any
) -> None:
    customer = make_customer()
    parents = [make_customer() for _ in range(5)]
    desk.get(page(customer, "history"))

    update_customer(customer.pk, parent=parents[0].pk, now=NOW)
    with django_assert_num_queries(7):
        desk.get(page(customer, "history"))

    for one in parents[1:]:
        update_customer(customer.pk, parent=one.pk, now=NOW)
    with django_assert_num_queries(7):
        assert parents[3].name in text_of(desk, page(customer, "history"))


def test_a_history_is_offered_of_what_has_one(desk: Client) -> None:
    customer = make_customer()

    assert page(customer, "history") in text_of(desk, change_url(customer))
    for name in ("customerstatement", "customerusage"):
        path = reverse(f"admin:billing_{name}_change", args=[customer.pk])
        assert "history/" not in text_of(desk, path)


def test_what_was_deleted_is_named_without_a_link(desk: Client) -> None:
    wallet = make_wallet()
    customer = wallet.customer

    assert f'href="{change_url(customer)}"' in text_of(desk, change_url(wallet))
    delete_customer(customer.pk, confirm=True, now=NOW)

    text = text_of(desk, change_url(wallet))
    assert is_gone(Customer.objects.get(pk=customer.pk))
    assert f"{customer.name} (deleted)" in text
    assert f'href="{change_url(customer)}"' not in text


def test_a_subscriber_keeps_the_case_of_its_address_in_the_heading(desk: Client) -> None:
    assert "maya@acme.com" in heading_of(desk, change_url(make_subscriber(email="maya@acme.com")))


def test_the_icon_stands_in_the_page_itself(client: Client) -> None:
    assert 'rel="icon" href="data:image/svg+xml,' in text_of(client, reverse("admin:login"))


def test_the_checkbox_of_a_row_is_named_after_what_it_selects(desk: Client) -> None:
    customer = make_customer(name="Fish & <Chips>")

    page = desk.get("/admin/customers/customer/").content.decode()

    assert f'name="_selected_action" value="{customer.pk}"' in page
    assert 'aria-label="Select Fish &amp; &lt;Chips&gt;"' in page

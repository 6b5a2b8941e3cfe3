"""A customer's page in a real browser: the menu of actions by the keyboard, rows of metadata added and removed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from tests.desk.browser import apart, open_page
from tests.factories import make_customer, make_operator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PASSWORD = "correct horse battery staple"


def open_customer(page: Page, url: str, customer: Customer) -> None:
    """Log in and open the customer's page."""
    page.goto(f"{url}/admin/customers/customer/{customer.pk}/change/")
    page.fill("#id_username", "olga")
    page.fill("#id_password", PASSWORD)
    page.click("text=Log in")
    expect(page.locator("[name=name]")).to_have_value(customer.name)


def test_the_menu_of_actions_opens_and_leads_on_by_the_keyboard_alone(live_server: Any) -> None:
    make_operator(username="olga", password=PASSWORD)
    customer = make_customer(name="Acme")

    with open_page("customer-menu") as page:
        open_customer(page, live_server.url, customer)
        menu = page.get_by_role("button", name="Actions")
        expect(menu).to_have_attribute("aria-expanded", "false")
        menu.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Assign plan")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Deactivate")).to_be_hidden()

        menu.click()
        page.get_by_role("link", name="Deactivate").click()
        page.fill("[name=reason]", "Dormant")
        page.locator("form button[type=submit]").last.click()
        expect(page.get_by_text("Acme is inactive.")).to_be_visible()


def test_rows_of_metadata_are_added_and_removed(live_server: Any) -> None:
    make_operator(username="olga", password=PASSWORD)
    customer = make_customer(metadata={"seats": 12, "region": "EMEA"})

    with open_page("customer-metadata") as page:
        open_customer(page, live_server.url, customer)
        shown = page.locator("[name=metadata-key]").evaluate_all("boxes => boxes.map(box => box.value)")
        page.get_by_role("button", name="Add row").click()
        expect(page.locator("[name=metadata-key]").last).to_be_focused()
        page.keyboard.type("colour")
        page.keyboard.press("Tab")
        page.keyboard.type("blue")
        page.get_by_role("button", name=f"Remove row {shown.index('region') + 1}").click()
        page.locator("[name=_save]").click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        kept = apart(Customer.objects.get, pk=customer.pk)

    assert kept.metadata == {"seats": 12, "colour": "blue"}

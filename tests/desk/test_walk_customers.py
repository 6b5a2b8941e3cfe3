"""The way of a customer through the house with a real browser: below another, staffed, keyed, moved up, and gone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice
from credentials.models import Credential
from customers.models import Customer, Subscription
from tests.desk.browser import apart
from tests.desk.test_walk import confirm, desk, open_row, save
from tests.factories import make_customer, make_plan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def test_a_subsidiary_is_staffed_moved_up_and_deleted_with_all_that_is_open(live_server: Any) -> None:
    make_customer(name="Acme Group")
    small = make_plan(code="small", name="Small", amount=Decimal(10))
    make_plan(product=small.product, code="large", name="Large", amount=Decimal(50))

    with desk(live_server.url) as page:
        create_below(page, live_server.url, name="Acme Labs", parent="Acme Group")
        assert staff(page, live_server.url, customer="Acme Labs").startswith("sk-cust-")
        move_up(page, live_server.url, customer="Acme Labs")
        delete_by_terminating(page, live_server.url, customer="Acme Labs")

    gone = Customer.objects.get(name="Acme Labs")
    assert gone.deleted_at is not None
    assert [one.plan.name for one in Subscription.objects.order_by("starts_at", "id")] == ["Small", "Large"]
    assert not Subscription.objects.live().exists()
    assert not Credential.objects.filter(revoked_at__isnull=True).exists()


def create_below(page: Page, url: str, *, name: str, parent: str) -> None:
    """Create a customer below another and see where it stands."""
    page.goto(f"{url}/admin/customers/customer/add/")
    page.fill("[name=name]", name)
    page.fill("[name=email]", "labs@acme.example")
    choose(page, "parent", parent)
    save(page)
    open_row(page, name)
    expect(page.locator("#hierarchy").get_by_role("link", name=parent)).to_be_visible()


def staff(page: Page, url: str, *, customer: str) -> str:
    """Give the customer a plan, a team, an agent and the agent a key, which is returned as the page shows it."""
    act(page, "Assign plan")
    page.locator("[name=plan]").select_option(index=2)
    confirm(page)
    page.get_by_role("link", name="I have copied it").click()

    page.goto(f"{url}/admin/customers/team/add/")
    choose(page, "customer", customer)
    page.fill("[name=name]", "Support")
    save(page)
    page.goto(f"{url}/admin/customers/agent/add/")
    choose(page, "team", f"Support ({customer})")
    page.fill("[name=name]", "Triage")
    save(page)

    open_customer(page, url, customer)
    act(page, "Issue key")
    page.fill("[name=name]", "Triage key")
    page.locator("[name=agent]").select_option(index=1)
    confirm(page)
    return page.get_by_label("key", exact=True).input_value()


def move_up(page: Page, url: str, *, customer: str) -> None:
    """Change to the dearer plan and end on the page of the subscription that follows."""
    open_customer(page, url, customer)
    page.get_by_role("link", name="Small").first.click()
    act(page, "Change plan")
    page.locator("[name=plan]").select_option(index=1)
    confirm(page)
    expect(page.get_by_text("Changed to Large")).to_be_visible()


def delete_by_terminating(page: Page, url: str, *, customer: str) -> None:
    """Read what stands in the way, choose to terminate it, and find the invoice with a name that leads nowhere."""
    open_customer(page, url, customer)
    act(page, "Delete")
    expect(page.get_by_text("Delete only by terminating")).to_be_visible()
    page.locator("[name=mode][value=terminate]").check()
    page.locator("[name=confirm]").check()
    confirm(page, reason="Sold")
    expect(page.get_by_text(f"Deleted {customer}.")).to_be_visible()

    page.goto(f"{url}/admin/billing/invoice/")
    open_row(page, str(apart(Invoice.objects.exclude(number=None).first)))
    expect(page.get_by_text(f"{customer} (deleted)")).to_be_visible()
    expect(page.locator("#content").get_by_role("link", name=customer)).to_have_count(0)


def open_customer(page: Page, url: str, name: str) -> None:
    """Open a customer's page from the list."""
    page.goto(f"{url}/admin/customers/customer/")
    open_row(page, name)


def act(page: Page, name: str) -> None:
    """Choose from the menu of actions."""
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name=name).last.click()


def choose(page: Page, field: str, text: str) -> None:
    """Find a record by typing and choose it."""
    page.locator(f".field-{field} .select2-selection").click()
    page.locator(".select2-search__field").fill(text.partition(" (")[0])
    page.locator(".select2-results__option", has_text=text).click()

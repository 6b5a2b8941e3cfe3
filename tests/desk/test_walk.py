"""The way through the house as an operator walks it, with a real browser: from a new customer to a paid invoice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import Invoice
from credentials.models import Credential
from tests.desk.browser import apart, open_page
from tests.factories import make_operator, make_operator_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PASSWORD = "correct horse battery staple"


@contextmanager
def desk(url: str) -> Iterator[Page]:
    """Yield a browser page on which an operator is logged in."""
    make_operator(username="olga", password=PASSWORD)
    with open_page("walk") as page:
        page.goto(f"{url}/admin/")
        page.fill("#id_username", "olga")
        page.fill("#id_password", PASSWORD)
        page.click("text=Log in")
        expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
        yield page


def test_an_operator_takes_a_new_customer_to_a_paid_invoice(live_server: Any) -> None:
    last_month = (timezone.now().replace(day=1) - timedelta(days=10)).replace(hour=0, minute=0, second=0, microsecond=0)

    with desk(live_server.url) as page:
        sell_a_product(page, live_server.url)
        key = subscribe_a_customer(page, live_server.url, starts_at=last_month)
        assert re.fullmatch(r"sk_live_[0-9a-f]{32}", key)
        send_usage(page, live_server.url, at=last_month + timedelta(hours=5))
        apart(call_command, "bill_due")
        pay_the_invoice(page, live_server.url)


def sell_a_product(page: Page, url: str) -> None:
    """Make a product in GA, a metric, and an active plan that charges for it."""
    page.goto(f"{url}/admin/catalog/product/add/")
    page.select_option("[name=product_type]", "STANDARD_API")
    page.fill("[name=code]", "inference")
    page.fill("[name=name]", "Inference API")
    save(page)
    open_row(page, "Inference API")
    for stage in ("BETA", "GA"):
        page.get_by_role("button", name="Actions").click()
        page.get_by_role("link", name=f"Advance to {stage}").click()
        confirm(page, reason="Launch")

    page.goto(f"{url}/admin/catalog/metric/add/")
    page.fill("[name=code]", "input-tokens")
    page.fill("[name=name]", "Input tokens")
    page.select_option("[name=aggregation]", "SUM")
    page.fill("[name=event_type]", "llm.request")
    page.fill("[name=property]", "input_tokens")
    save(page)

    page.goto(f"{url}/admin/catalog/rateplan/add/")
    page.locator(".field-product .select2-selection").click()
    page.locator(".select2-dropdown .select2-search__field").fill("Inference")
    page.locator(".select2-results__option", has_text="Inference API").click()
    page.fill("[name=code]", "pro")
    page.fill("[name=name]", "Pro")
    page.fill("[name=amount]", "0")
    page.locator("select[name$='-metric']").first.select_option(label="Input tokens (input-tokens)")
    page.locator("[name$='-unit_amount']").first.fill("0.0000025")
    save(page)
    open_row(page, "Pro")
    page.get_by_role("link", name="Activate").click()
    confirm(page, reason="On sale")


def subscribe_a_customer(page: Page, url: str, *, starts_at: datetime) -> str:
    """Make a customer, assign the plan, and return the key as the page shows it, once."""
    page.goto(f"{url}/admin/customers/customer/add/")
    page.fill("[name=name]", "Acme Robotics")
    page.fill("[name=email]", "billing@acme.example")
    save(page)
    open_row(page, "Acme Robotics")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name="Assign plan").click()
    page.locator("[name=plan]").select_option(index=1)
    page.fill("[name=starts_at]", f"{starts_at:%Y-%m-%d %H:%M:%S}")
    confirm(page)
    return page.get_by_label("key", exact=True).input_value()


def send_usage(page: Page, url: str, *, at: datetime) -> None:
    """Send an event under the key's public id, as the customer's system would."""
    _, secret = apart(make_operator_key, "events:write", now=timezone.now())
    credential = apart(Credential.objects.get)
    event = {
        "transaction_id": "walk-1",
        "type": "llm.request",
        "timestamp": at.isoformat(),
        "credential": credential.id,
        "properties": {"input_tokens": 1_000_000},
    }
    answer = page.request.post(f"{url}/v1/events", data=event, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status == 201, answer.text()


def pay_the_invoice(page: Page, url: str) -> None:
    """Read the invoice and record that it was paid."""
    invoice = apart(Invoice.objects.get)
    page.goto(f"{url}/admin/billing/invoice/")
    open_row(page, str(invoice.number))
    expect(page.get_by_text("Input tokens").first).to_be_visible()
    expect(page.get_by_text("$2.50").first).to_be_visible()
    page.get_by_role("link", name="Record payment").click()
    page.fill("[name=amount]", "2.50")
    page.fill("[name=reference]", "Wire 4711")
    confirm(page)
    expect(page.get_by_text("The payment is recorded.")).to_be_visible()
    expect(page.get_by_text("Paid", exact=True).first).to_be_visible()


def open_row(page: Page, name: str) -> None:
    """Open the page of the object that a list shows under ``name``."""
    page.locator("#result_list").get_by_role("link", name=name, exact=True).click()


def save(page: Page) -> None:
    """Save the form and see that it was taken."""
    page.locator("[name=_save]").click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def confirm(page: Page, *, reason: str = "") -> None:
    """Say why, where asked, and confirm."""
    if reason:
        page.fill("[name=reason]", reason)
    page.locator("main button[type=submit], #content button[type=submit], form button[type=submit]").last.click()

"""Invoices, statements, usage and the dashboard at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from billing.models import Hold, Invoice, InvoiceStatus, Payment
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from config.kernel.admin import change_url
from tests.billing.bills import APRIL, MARCH, draft, metered, use
from tests.factories import make_clerk, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _april() -> Iterator[None]:
    with time_machine.travel(APRIL, tick=False):
        yield


def run(browser: Client, obj: Any, name: str, **asked: str) -> Any:
    """Confirm the action ``name`` on the page of ``obj``."""
    meta = obj._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[quote(obj.pk)])
    return browser.post(address, {"confirmed": "1", "reason": "Asked by mail", **asked}, follow=True)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_draft_is_refreshed_and_finalized_once(desk: Client) -> None:
    invoice, subscription = draft(amount="10")
    use(subscription, MARCH + timedelta(days=1))

    run(desk, invoice, "refresh")
    invoice.refresh_from_db()
    assert invoice.total == 12

    run(desk, invoice, "finalize")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.number) == (InvoiceStatus.FINALIZED, "INV-2026-000001")
    assert "not a draft" in text_of(run(desk, invoice, "finalize"))


def test_a_payment_is_recorded_and_what_is_too_much_becomes_credit(desk: Client) -> None:
    subscription = metered(amount="10")
    bill_due(now=APRIL)
    invoice = Invoice.objects.get()

    asked = {"amount": "12.50", "method": "bank_transfer", "reference": "Wire 4711"}
    assert "part as credit" in text_of(run(desk, invoice, "pay", **asked))
    assert "nothing due" in text_of(run(desk, invoice, "pay", **asked))

    payment = Payment.objects.get()
    assert (payment.applied, payment.unapplied) == (Decimal(10), Decimal("2.50"))
    assert payment.history.get().history_actor == "olga"
    assert subscription.customer_id == payment.customer_id


def test_an_amount_finer_than_the_currency_is_refused_beside_its_input(desk: Client) -> None:
    metered(amount="10")
    bill_due(now=APRIL)

    page = text_of(run(desk, Invoice.objects.get(), "pay", amount="1.005", method="cash"))

    assert "whole minor units" in page
    assert 'value="1.005"' in page
    assert not Payment.objects.exists()


def test_what_is_due_is_billed_from_the_list_of_invoices(desk: Client) -> None:
    metered(amount="10")
    address = reverse("admin:billing_invoice_bill")

    assert desk.get(address).status_code == 200
    assert not Invoice.objects.exists()
    page = text_of(desk.post(address, {"confirmed": "1", "reason": ""}, follow=True))

    assert "1 invoice(s) drafted, 1 finalized." in page
    assert str(Invoice.objects.get()) in page


def test_an_invoice_shows_its_lines_with_their_days_and_tiers(desk: Client) -> None:
    subscription = metered(amount="10", customer=make_customer(timezone="Asia/Kolkata"))
    use(subscription, MARCH, MARCH + timedelta(days=2))
    bill_due(now=APRIL)

    page = text_of(desk.get(change_url(Invoice.objects.get())))

    for text in ("2 × 1", "2026-03-01 – 2026-03-31", "$12.00"):
        assert text in page


def test_statements_list_everybody_also_those_that_owe_nothing(desk: Client) -> None:
    debtor, other = make_customer(name="Debtor"), make_customer(name="Other")
    metered(amount="10", customer=debtor)
    bill_due(now=APRIL)

    page = text_of(desk.get(reverse("admin:billing_customerstatement_changelist")))
    assert ("Debtor" in page, "Other" in page, "$10.00" in page, "UNCLASSIFIED" in page) == (True, True, True, False)

    link = f"{reverse('admin:billing_invoice_changelist')}?customer__id__exact={debtor.pk}&payment=open"
    assert link.replace("&", "&amp;") in page
    assert str(Invoice.objects.get()) in text_of(desk.get(link))
    record_payment(Invoice.objects.get().pk, amount=Decimal(10), now=APRIL)
    assert str(Invoice.objects.get()) not in text_of(desk.get(link))

    own = reverse("admin:billing_customerstatement_change", args=[quote(other.pk)])
    assert "1–30 days overdue" in text_of(desk.get(own))


def test_usage_shows_the_running_period_and_the_days_before(desk: Client) -> None:
    subscription = metered(unit_amount="0.005", starts_at=MARCH)
    use(subscription, APRIL - timedelta(days=1), APRIL, now=APRIL)
    address = reverse("admin:billing_customerusage_change", args=[quote(subscription.customer_id)])

    page = text_of(desk.get(address))

    for text in ("2026-04-01 – 2026-04-30", "$0.005", "2026-03-31", "unknown", "$0.01<"):
        assert text in page
    assert text_of(desk.get(reverse("admin:billing_customerusage_changelist")))
    idle = reverse("admin:billing_customerusage_change", args=[quote(make_customer().pk)])
    assert "No subscription is running." in text_of(desk.get(idle))


def test_money_is_held_at_the_desk_no_further_than_there_is(desk: Client) -> None:
    wallet = make_wallet(balance="10")

    run(desk, wallet, "hold", amount="4", reference="job-1")
    page = text_of(run(desk, wallet, "hold", amount="6.01", reference="job-2"))

    assert "6 can be spent, 6.01 was asked for" in page
    assert [(hold.amount, hold.reference) for hold in Hold.objects.all()] == [(4, "job-1")]


def test_the_dashboard_counts_what_is_there(desk: Client) -> None:
    subscription = metered(amount="10")
    use(subscription, APRIL, now=APRIL)
    bill_due(now=APRIL)

    page = text_of(desk.get(reverse("admin:index")))

    for text in ("Active subscriptions", "Open invoices", "$10.00", "Requests per day"):
        assert text in page


def test_who_may_only_look_moves_nothing(reader: Client) -> None:
    invoice, _ = draft(amount="10")

    assert reader.get(change_url(invoice)).status_code == 200
    for name in ("refresh", "finalize", "pay"):
        assert run(reader, invoice, name, amount="1", method="cash").status_code == 403
    assert reader.post(reverse("admin:billing_invoice_bill"), {"confirmed": "1"}).status_code == 403
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.DRAFT


def test_the_dashboard_shows_no_figures_to_who_may_not_see_invoices(client: Client) -> None:
    client.force_login(make_clerk("view_customer"))

    page = client.get(reverse("admin:index"))

    assert page.status_code == 200
    assert "Open invoices" not in text_of(page)


def test_a_small_unit_price_is_printed_without_an_exponent(desk: Client) -> None:
    subscription = metered(amount="0", unit_amount="0.00000057")
    use(subscription, MARCH + timedelta(days=1))
    bill_due(now=APRIL)

    page = text_of(desk.get(change_url(Invoice.objects.get())))

    assert "1 × 0.00000057" in page
    assert "5.7E-7" not in page


def test_a_negative_amount_is_refused_in_words(desk: Client) -> None:
    page = text_of(run(desk, make_wallet(), "fund", amount="-5"))

    assert "Must be more than 0." in page
    assert "equal to 1E-12" not in page

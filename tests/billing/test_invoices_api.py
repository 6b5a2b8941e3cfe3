"""Invoices over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.usage import receive_events
from customers.models import Customer
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.invoices_wire import APRIL, MARCH, error_of, exact, invoice_of
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db


UNKNOWN = "inv_01h455vb4pex5vsknk084sn02q"
TIERS = {"tiers": [{"up_to": "2", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.25"}]}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(APRIL, tick=False) as traveller:
        yield traveller


def metered_invoice(customer: Customer) -> Invoice:
    """Return the invoice of March over a base fee of 10 and five calls in two tiers."""
    charge = make_charge(make_metric(event_type="call", name="Calls"), model="GRADUATED", properties=TIERS)
    plan = make_plan(charges=[charge], amount=Decimal(10), name="Basic")
    subscription = make_subscription(customer=customer, plan=plan, starts_at=MARCH)
    for number in range(5):
        sent = {"transaction_id": f"t{number}", "type": "call", "subscription": subscription.id}
        receive_events([{**sent, "timestamp": MARCH.isoformat()}], now=APRIL)
    bill_due(now=APRIL)
    return Invoice.objects.get(customer=customer)


def test_an_invoice_is_shown_with_its_lines(api: APIClient) -> None:
    customer = make_customer(name="Acme", email="a@acme.com", billing_email="bills@acme.com", external_id="A-1")
    invoice = metered_invoice(customer)
    base, usage = invoice.lines.order_by("position")
    period = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}

    answer = api.get(f"/v1/invoices/{invoice.id}")

    assert answer["ETag"]
    assert exact(answer) == {
        "id": invoice.id,
        "number": "INV-2026-000001",
        "status": "finalized",
        "payment_status": "pending",
        "customer": customer.id,
        "currency": "USD",
        "billing_day": "2026-04-01",
        "finalize_at": "2026-04-01T00:00:00Z",
        "issued_at": "2026-04-01T00:00:00Z",
        "due_at": "2026-05-01T00:00:00Z",
        "billed_to": {
            "customer": customer.id,
            "external_id": "A-1",
            "name": "Acme",
            "legal_name": "",
            "email": "bills@acme.com",
            "phone": "",
            "tax_id": "",
            "address": dict.fromkeys(("line1", "line2", "city", "state", "zip", "country"), ""),
            "remittance_instructions": "",
        },
        "total": Decimal("12.75"),
        "amount_paid": 0,
        "amount_due": Decimal("12.75"),
        "created_at": "2026-04-01T00:00:00Z",
        "updated_at": "2026-04-01T00:00:00Z",
        "lines": [
            {
                "id": base.id,
                "kind": "base",
                "description": "Basic",
                "subscription": base.subscription_id,
                "charge": None,
                "units": 1,
                "amount": 10,
                "period": period,
                "tiers": [],
            },
            {
                "id": usage.id,
                "kind": "usage",
                "description": "Calls",
                "subscription": usage.subscription_id,
                "charge": usage.charge_id,
                "units": 5,
                "amount": Decimal("2.75"),
                "period": period,
                "tiers": [
                    {
                        "above": 0,
                        "up_to": 2,
                        "units": 2,
                        "unit_amount": 1,
                        "flat_amount": 0,
                        "package_size": None,
                        "amount": 2,
                    },
                    {
                        "above": 2,
                        "up_to": None,
                        "units": 3,
                        "unit_amount": Decimal("0.25"),
                        "flat_amount": 0,
                        "package_size": None,
                        "amount": Decimal("0.75"),
                    },
                ],
            },
        ],
    }


def test_lists_leave_the_lines_out(api: APIClient) -> None:
    invoice = invoice_of()

    [listed] = api.get("/v1/invoices").json()["data"]

    shown = api.get(f"/v1/invoices/{invoice.id}").json()
    del shown["lines"]
    assert listed == shown


def test_invoices_are_filtered(api: APIClient, clock: time_machine.Traveller) -> None:
    unpaid, draft, nothing = invoice_of("100"), invoice_of("100", grace_days=60), invoice_of("0")
    partly = invoice_of("100")
    api.post(f"/v1/invoices/{partly.id}/payments", {"amount": 1})

    def found(**parameters: str) -> set[str]:
        return {one["id"] for one in api.get("/v1/invoices", parameters).json()["data"]}

    assert found(customer=unpaid.customer_id) == {unpaid.id}
    assert found(number=str(unpaid.number)) == {unpaid.id}
    assert found(number="INV-2026-999999") == set()
    assert found(status="draft") == {draft.id}
    assert found(status="finalized") == {unpaid.id, nothing.id, partly.id}
    assert found(payment_status="paid") == {nothing.id}
    assert found(payment_status="partial") == {partly.id}
    assert found(payment_status="pending") == {unpaid.id, draft.id}
    assert found(payment_status="pending", status="draft") == {draft.id}
    clock.shift(timedelta(days=30))
    assert found(payment_status="overdue") == {unpaid.id, partly.id}
    assert error_of(api.get("/v1/invoices?status=open"))[:2] == (400, "invalid_status")
    assert error_of(api.get("/v1/invoices?customer=acme"))[:2] == (400, "invalid_customer")
    assert error_of(api.get("/v1/invoices?total=1"))[:2] == (400, "unknown_field")


def test_a_draft_is_refreshed_and_finalized(api: APIClient) -> None:
    invoice = invoice_of("100", grace_days=9)

    refreshed = api.post(f"/v1/invoices/{invoice.id}/refresh")
    assert (refreshed.status_code, refreshed.json()["status"], refreshed.json()["number"]) == (200, "draft", None)

    finalized = api.post(f"/v1/invoices/{invoice.id}/finalize")
    assert (finalized.status_code, finalized.json()["status"]) == (200, "finalized")
    assert finalized.json()["number"] == "INV-2026-000001"
    assert len(finalized.json()["lines"]) == 1

    for verb in ("refresh", "finalize"):
        answer = api.post(f"/v1/invoices/{invoice.id}/{verb}")
        assert error_of(answer)[:2] == (409, "invoice_not_draft")


def test_a_verb_takes_no_body(api: APIClient) -> None:
    invoice = invoice_of("100", grace_days=9)

    assert error_of(api.post(f"/v1/invoices/{invoice.id}/finalize", {"number": "X"})) == (
        400,
        "unknown_field",
        "number",
    )
    assert api.post(f"/v1/invoices/{invoice.id}/finalize", {}).status_code == 200


@pytest.mark.parametrize("path", ["", "/refresh", "/finalize", "/payments"])
@pytest.mark.parametrize("pk", [UNKNOWN, "inv_x", "cust_01h455vb4pex5vsknk084sn02q"])
def test_an_unknown_invoice_is_not_found(api: APIClient, pk: str, path: str) -> None:
    ask = api.post if path else api.get

    answer = ask(f"/v1/invoices/{pk}{path}", {"amount": 1} if path == "/payments" else None)

    assert error_of(answer)[:2] == (404, "invoice_not_found")


def test_invoices_outlive_their_customer(api: APIClient) -> None:
    invoice = invoice_of("100", name="Acme")
    for subscription in invoice.customer.subscriptions.all():
        terminate_subscription(subscription.id, now=APRIL)
    for one in Invoice.objects.filter(customer=invoice.customer, total__gt=0):
        api.post(f"/v1/invoices/{one.id}/payments", {"amount": str(one.total)})
    delete_customer(invoice.customer_id, confirm=True, now=APRIL)

    assert api.get(f"/v1/invoices/{invoice.id}").json()["billed_to"]["name"] == "Acme"
    assert api.get(f"/v1/invoices?customer={invoice.customer_id}").json()["pagination"]["total"] >= 1


SCOPES = [
    ("get", "", "billing:read", "billing:write"),
    ("post", "/refresh", "billing:write", "billing:read"),
    ("post", "/finalize", "billing:write", "billing:read"),
    ("post", "/payments", "billing:write", "billing:read"),
]


@pytest.mark.parametrize(("method", "path", "right", "wrong"), SCOPES)
def test_the_scope_decides(api_of: Callable[..., APIClient], method: str, path: str, right: str, wrong: str) -> None:
    address = f"/v1/invoices/{invoice_of('100', grace_days=9).id}{path}"

    assert getattr(api_of(right), method)(address).status_code != 403
    assert error_of(getattr(api_of(wrong), method)(address))[:2] == (403, "insufficient_scope")


def test_a_write_on_another_version_is_refused(api: APIClient, clock: time_machine.Traveller) -> None:
    invoice = invoice_of("100", grace_days=9)
    address = f"/v1/invoices/{invoice.id}"
    seen = api.get(address)["ETag"]
    clock.shift(timedelta(seconds=1))
    api.post(f"{address}/refresh")

    refused = api.post(f"{address}/finalize", headers={"If-Match": seen})
    assert error_of(refused)[:2] == (409, "version_mismatch")
    current = api.get(address)["ETag"]
    assert api.post(f"{address}/finalize", headers={"If-Match": current}).status_code == 200

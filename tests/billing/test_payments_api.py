"""Payments over the API."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from billing.models import Payment
from tests.billing.invoices_wire import APRIL, error_of, exact, invoice_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(APRIL, tick=False) as traveller:
        yield traveller


def test_a_payment_is_recorded(api: APIClient) -> None:
    invoice = invoice_of("100")
    body = {"amount": "40.50", "method": "cheque", "reference": "C-17", "received_at": "2026-03-31T12:00:00+02:00"}

    answer = api.post(f"/v1/invoices/{invoice.id}/payments", body)

    payment = exact(answer)
    assert answer.status_code == 201
    assert answer["Location"] == f"/v1/payments/{payment['id']}"
    assert payment == {
        "id": payment["id"],
        "customer": invoice.customer_id,
        "invoice": invoice.id,
        "currency": "USD",
        "amount": Decimal("40.5"),
        "applied": Decimal("40.5"),
        "unapplied": 0,
        "method": "cheque",
        "reference": "C-17",
        "received_at": "2026-03-31T10:00:00Z",
        "created_at": "2026-04-01T00:00:00Z",
    }
    assert exact(api.get(answer["Location"])) == payment
    shown = exact(api.get(f"/v1/invoices/{invoice.id}"))
    assert (shown["payment_status"], shown["amount_paid"], shown["amount_due"]) == (
        "partial",
        Decimal("40.5"),
        Decimal("59.5"),
    )


def test_what_is_paid_beyond_is_not_applied(api: APIClient) -> None:
    invoice = invoice_of("100")

    payment = exact(api.post(f"/v1/invoices/{invoice.id}/payments", {"amount": 100.25}))

    assert (payment["applied"], payment["unapplied"], payment["method"]) == (100, Decimal("0.25"), "bank_transfer")
    assert payment["received_at"] == "2026-04-01T00:00:00Z"
    assert api.get(f"/v1/invoices/{invoice.id}").json()["payment_status"] == "paid"
    again = api.post(f"/v1/invoices/{invoice.id}/payments", {"amount": 1})
    assert error_of(again)[:2] == (409, "invoice_not_open")


REFUSED = [
    ({}, "required", "amount"),
    ({"amount": 0}, "invalid_amount", "amount"),
    ({"amount": -1}, "invalid_amount", "amount"),
    ({"amount": "1.005"}, "invalid_amount", "amount"),
    ({"amount": "many"}, "invalid_amount", "amount"),
    ({"amount": True}, "invalid_amount", "amount"),
    ({"amount": 10**18}, "invalid_amount", "amount"),
    ({"amount": 1, "method": "barter"}, "invalid_method", "method"),
    ({"amount": 1, "reference": "x" * 256}, "invalid_reference", "reference"),
    ({"amount": 1, "reference": 5}, "invalid_reference", "reference"),
    ({"amount": 1, "received_at": "2026-03-31"}, "invalid_received_at", "received_at"),
    ({"amount": 1, "received_at": "2026-04-01T00:00:01Z"}, "invalid_received_at", "received_at"),
    ({"amount": 1, "applied": 1}, "unknown_field", "applied"),
]


@pytest.mark.parametrize(("body", "code", "param"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_payment_that_is_none_is_refused(api: APIClient, body: dict[str, Any], code: str, param: str) -> None:
    invoice = invoice_of("100")

    assert error_of(api.post(f"/v1/invoices/{invoice.id}/payments", body)) == (400, code, param)
    assert Payment.objects.count() == 0


def test_a_payment_sent_again_under_its_key_is_recorded_once(api: APIClient) -> None:
    invoice = invoice_of("100")

    answers = [
        api.post(f"/v1/invoices/{invoice.id}/payments", {"amount": 40}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert Payment.objects.count() == 1


def test_payments_are_listed_and_filtered(api: APIClient) -> None:
    first, second = invoice_of("100"), invoice_of("100")
    for invoice in (first, second, second):
        api.post(f"/v1/invoices/{invoice.id}/payments", {"amount": 10})

    def found(**parameters: str) -> list[str]:
        return [one["invoice"] for one in api.get("/v1/payments", parameters).json()["data"]]

    assert sorted(found()) == sorted([first.id, second.id, second.id])
    assert found(invoice=first.id) == [first.id]
    assert found(customer=second.customer_id) == [second.id, second.id]
    assert error_of(api.get("/v1/payments?invoice=x"))[:2] == (400, "invalid_invoice")
    assert error_of(api.get("/v1/payments/pay_01h455vb4pex5vsknk084sn02q"))[:2] == (404, "payment_not_found")

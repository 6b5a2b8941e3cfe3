"""Invoices to be read and paid over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from tests.factories import make_customer, make_plan, make_subscription

MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))


def invoice_of(total: str = "100", *, grace_days: int = 0, **fields: Any) -> Invoice:
    """Return the invoice of March over a base fee."""
    customer = make_customer(invoice_grace_days=grace_days, **fields)
    make_subscription(customer=customer, plan=make_plan(amount=Decimal(total)), starts_at=MARCH)
    bill_due(now=APRIL)
    return Invoice.objects.get(customer=customer)


def exact(answer: Any) -> Any:
    return json.loads(answer.content, parse_float=Decimal)


def error_of(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("param", "")

"""Documents as they were issued: the content of an invoice in one canonical form, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from billing.models import Invoice, InvoiceLine
from config.kernel.digests import exact_json
from config.kernel.money import plain
from customers.models import Customer


def billing_identity(customer: Customer) -> dict[str, Any]:
    """Return whom an invoice is made out to and how to pay it, as it stands on the invoice from its issue on."""
    return {
        "customer": customer.id,
        "external_id": customer.external_id,
        "name": customer.name,
        "legal_name": customer.legal_name,
        "email": customer.billing_email or customer.email,
        "phone": customer.billing_phone,
        "tax_id": customer.tax_id,
        "address": customer.address,
        "remittance_instructions": customer.remittance_instructions,
    }


def content_hash(invoice: Invoice, lines: Sequence[InvoiceLine]) -> str:
    """Return the SHA-256 of everything that a finalized invoice says; payments are no part of it."""
    content = {
        "id": invoice.id,
        "number": invoice.number,
        "customer": invoice.customer_id,
        "currency": invoice.currency,
        "billing_day": invoice.billing_day,
        "issued_at": invoice.issued_at,
        "due_at": invoice.due_at,
        "billed_to": invoice.billed_to,
        "total": _number(invoice.total),
        "lines": [_line(line) for line in lines],
    }
    return hashlib.sha256(exact_json(content)).hexdigest()


def _line(line: InvoiceLine) -> dict[str, object]:
    return {
        "id": line.id,
        "position": line.position,
        "kind": line.kind,
        "description": line.description,
        "subscription": line.subscription_id,
        "charge": line.charge_id,
        "units": _number(line.units),
        "amount": _number(line.amount),
        "period": [line.period_start, line.period_end],
        "tiers": line.tiers,
    }


def _number(value: Decimal) -> str:
    return str(plain(Decimal(value)))

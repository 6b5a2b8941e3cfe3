"""Customers as rows of a spreadsheet: which columns there are, and what a cell means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.kernel.metadata import MAX_KEY_LENGTH, MAX_TEXT_LENGTH
from customers.models import Customer

METADATA_PREFIX = "metadata."

#: The columns of an export; those before ``name`` tell which customer a row is about and where it stands.
IDENTITY_COLUMNS = ("id", "status", "created_at")
FIELD_COLUMNS = (
    "name", "email", "external_id", "parent", "tier", "daily_requests", "rate_limit", "max_tokens_per_request",
    "currency", "timezone", "legal_name", "tax_id", "address_line1", "address_line2", "address_city", "address_state",
    "address_zip", "address_country", "billing_email", "billing_phone", "remittance_instructions", "payment_provider",
    "billing_mode", "net_payment_term_days", "invoice_grace_days", "associated_domains", "storefront_url",
)  # fmt: skip

#: What is typed in capitals or not, as people do.
UPPER_CASE = {"currency", "address_country", "billing_mode"}
LOWER_CASE = {"tier", "payment_provider"}
INTEGERS = {"daily_requests", "rate_limit", "max_tokens_per_request", "net_payment_term_days", "invoice_grace_days"}

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?", re.ASCII)


class UnreadableCell(ValueError):
    """A cell that cannot mean anything; ``column`` names it, ``str()`` says why."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """What a row says: ``id`` where it names a customer, the fields with a value, and the metadata."""

    number: int
    id: str
    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]


def unknown_column(names: Mapping[str, str]) -> str | None:
    """Return the first column that no customer has; None where there is none."""
    known = {*IDENTITY_COLUMNS, *FIELD_COLUMNS}
    return next((name for name in names if name not in known and not _is_metadata(name)), None)


def read_row(number: int, cells: Mapping[str, str]) -> CustomerRow:
    """
    Return what the cells of one row say; empty ones say nothing, and ``status`` and ``created_at`` are for reading.

    Raises:
        UnreadableCell: a number is none, or a metadata key or value is too long.
    """
    said = {name: text for name, text in cells.items() if text}
    return CustomerRow(
        number=number,
        id=said.get("id", ""),
        fields={name: _value(name, said[name]) for name in FIELD_COLUMNS if name in said},
        metadata={name.removeprefix(METADATA_PREFIX): _scalar(name, said[name]) for name in said if _is_metadata(name)},
    )


def export_row(customer: Customer, metadata_keys: tuple[str, ...], *, status: str) -> list[Any]:
    """Return the cells of ``customer``: identity, fields, then the value of each of ``metadata_keys``."""
    values = {name: getattr(customer, name) for name in FIELD_COLUMNS if name != "parent"}
    values["parent"] = customer.parent_id
    values["associated_domains"] = " ".join(customer.associated_domains)
    identity = [str(customer.pk), status, customer.created_at.isoformat()]
    metadata = [_metadata_cell(customer.metadata.get(key)) for key in metadata_keys]
    return [*identity, *(values[name] for name in FIELD_COLUMNS), *metadata]


def _is_metadata(name: str) -> bool:
    return name.startswith(METADATA_PREFIX) and name != METADATA_PREFIX


def _value(name: str, text: str) -> Any:
    if name in INTEGERS:
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise UnreadableCell(name, f"“{text[:40]}” is no whole number")
        return int(text)
    if name == "associated_domains":
        return [domain for domain in re.split(r"[\s,;]+", text) if domain]
    if name in UPPER_CASE:
        return text.upper()
    return text.lower() if name in LOWER_CASE else text


def _scalar(column: str, text: str) -> Any:
    """Return the JSON scalar that a metadata cell spells, else its text."""
    if len(column) - len(METADATA_PREFIX) > MAX_KEY_LENGTH:
        raise UnreadableCell(column, f"A metadata key has at most {MAX_KEY_LENGTH} characters")
    if len(text) > MAX_TEXT_LENGTH:
        raise UnreadableCell(column, f"A metadata value has at most {MAX_TEXT_LENGTH} characters")
    if text in ("true", "false"):
        return text == "true"
    return json.loads(text) if JSON_NUMBER.fullmatch(text) else text


def _metadata_cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool) else value

"""Imports: customers from rows, each created or changed by the operations that everybody uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from config.kernel.errors import DomainError, Invalid
from config.kernel.metadata import merged_metadata
from config.kernel.sheets import SheetRow
from customers.models import Customer
from customers.operations.customers import CustomerFields, create_customer, update_customer
from customers.sheets import CustomerRow, UnreadableCell, read_row, unknown_column


class RowAction(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class RowOutcome:
    """What became of one row, or would: the customer it is about, and of a refused one the column and the reason."""

    number: int
    action: RowAction
    name: str
    customer_id: str = ""
    column: str = ""
    message: str = ""


@dataclass(kw_only=True)
class ImportResult:
    """The outcome of every row; ``written`` tells whether anything stayed."""

    rows: list[RowOutcome] = field(default_factory=list)
    written: bool = False

    @property
    def counts(self) -> Counter[RowAction]:
        """How many rows came to what."""
        return Counter(row.action for row in self.rows)

    @property
    def refused(self) -> list[RowOutcome]:
        """The rows that were refused."""
        return [row for row in self.rows if row.action is RowAction.REFUSED]


def import_customers(
    rows: Iterable[SheetRow], *, dry_run: bool = False, keep_good: bool = False, now: datetime
) -> ImportResult:
    """
    Create or change a customer for every row, in one transaction.

    A row is about the customer whose ``id`` it has, else about the live one with its ``external_id``, else, where it
    has none of these, about the one with its e-mail; otherwise it makes a new customer, without a key. Empty cells
    change nothing. Where a row is refused nothing is written, unless ``keep_good``; a ``dry_run`` tells the same and
    writes nothing.

    Raises:
        Invalid: a column is none of a customer.
        UnreadableSheet: the file is none, as ``read_sheet`` finds out.
    """
    result = ImportResult()
    with transaction.atomic():
        for row in rows:
            column = unknown_column(row.cells) if not result.rows else None
            if column is not None:
                raise Invalid("file", f"“{column}” is no column of a customer")
            result.rows.append(_take(row, now))
        result.written = not dry_run and (keep_good or not result.refused)
        if not result.written:
            transaction.set_rollback(True)
    return result


def _take(row: SheetRow, now: datetime) -> RowOutcome:
    """Carry out one row; a refusal undoes nothing but the row."""
    name = row.cells.get("name") or row.cells.get("email") or row.cells.get("external_id") or ""
    try:
        with transaction.atomic():
            said = read_row(row.number, row.cells)
            known = _known(said)
            action, customer = _create(said, now) if known is None else _change(known, said, now)
    except UnreadableCell as error:
        return _refused(row, name, error.column, str(error))
    except DomainError as refusal:
        return _refused(row, name, refusal.param or "", refusal.message)
    return RowOutcome(number=row.number, action=action, name=customer.name, customer_id=customer.pk)


def _refused(row: SheetRow, name: str, column: str, message: str) -> RowOutcome:
    return RowOutcome(number=row.number, action=RowAction.REFUSED, name=name, column=column, message=message)


def _known(said: CustomerRow) -> Customer | None:
    """Return the customer that a row is about; None for a new one."""
    live = Customer.objects.live().real()
    if said.id:
        return live.find(said.id)
    if "external_id" in said.fields:
        return live.filter(external_id=said.fields["external_id"]).first()
    return live.filter(email__iexact=said.fields["email"]).first() if "email" in said.fields else None


def _create(said: CustomerRow, now: datetime) -> tuple[RowAction, Customer]:
    missing = next((name for name in ("name", "email") if name not in said.fields), None)
    if missing is not None:
        raise Invalid(missing, f"A new customer has a {missing}")
    fields = _checked(Customer(), said)
    return RowAction.CREATED, create_customer(
        CustomerFields(**fields, metadata=merged_metadata({}, said.metadata)), now=now
    )


def _change(known: Customer, said: CustomerRow, now: datetime) -> tuple[RowAction, Customer]:
    fields = _checked(known, said)
    changed = update_customer(known.pk, **fields, metadata_changes=said.metadata or None, now=now)
    same = all(
        getattr(changed, name) == getattr(known, name) for name in {"metadata", "parent_id", *fields} - {"parent"}
    )
    return RowAction.UNCHANGED if same else RowAction.UPDATED, changed


def _checked(customer: Customer, said: CustomerRow) -> dict[str, Any]:
    """
    Return the fields of a row once each is known to be well formed; a parent may be named by its external id.

    Raises:
        Invalid: a value is malformed, or the parent is nobody's.
    """
    fields = dict(said.fields)
    parent = fields.pop("parent", None)
    for name, value in fields.items():
        try:
            customer._meta.get_field(name).clean(value, customer)  # type: ignore[union-attr]
        except ValidationError as error:
            raise Invalid(name, " ".join(error.messages)) from error
    return fields if parent is None else {**fields, "parent": _parent(parent)}


def _parent(named: str) -> str:
    if named.startswith("cust_"):
        return named
    found = Customer.objects.live().real().filter(external_id=named).values_list("pk", flat=True).first()
    if found is None:
        raise Invalid("parent", f"There is no customer with the external id “{named}”")
    return found

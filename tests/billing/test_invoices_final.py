"""Drafts follow usage, final invoices never change, and no moment is billed twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, ProtectedError

from billing.errors import InvoiceNotDraft
from billing.models import BilledPeriod, Invoice, InvoiceLine, LineKind
from billing.operations.billing_runs import bill_due
from billing.operations.invoices import finalize_invoice, refresh_invoice
from config.kernel.errors import NotFound
from tests.billing.bills import APRIL, MARCH, MAY, draft, lines_of, metered, totals, use

pytestmark = pytest.mark.django_db


def test_a_draft_becomes_final_when_its_grace_is_over() -> None:
    invoice, _ = draft()

    assert bill_due(now=APRIL + timedelta(days=3, microseconds=-1)).finalized == 0
    assert bill_due(now=APRIL + timedelta(days=3)).finalized == 1

    invoice.refresh_from_db()
    assert (invoice.status, invoice.total, invoice.issued_at) == ("finalized", 1, APRIL + timedelta(days=3))
    assert invoice.due_at == APRIL + timedelta(days=33)


def test_a_draft_takes_in_the_usage_that_comes_in_its_grace() -> None:
    invoice, subscription = draft()
    use(subscription, MARCH + timedelta(days=1), APRIL, now=APRIL + timedelta(days=1))

    assert lines_of(invoice) == [(LineKind.USAGE, 1, 1)]
    assert refresh_invoice(invoice.id, now=APRIL).total == 2
    assert lines_of(invoice) == [(LineKind.USAGE, 2, 2)]

    use(subscription, MARCH + timedelta(days=2), now=APRIL + timedelta(days=2))
    bill_due(now=APRIL + timedelta(days=3))
    assert lines_of(invoice) == [(LineKind.USAGE, 3, 3)]

    bill_due(now=MAY + timedelta(days=3))
    assert totals() == [3, 1]


def test_a_draft_can_be_finalized_by_hand_and_only_once() -> None:
    invoice, _ = draft()

    finalized = finalize_invoice(invoice.id, now=APRIL)

    assert (finalized.number, finalized.issued_at) == ("INV-2026-000001", APRIL)
    for operation in (finalize_invoice, refresh_invoice):
        with pytest.raises(InvoiceNotDraft) as refusal:
            operation(invoice.id, now=APRIL)
        assert refusal.value.details == {"status": "finalized"}


def test_an_unknown_invoice_is_not_found() -> None:
    with pytest.raises(NotFound):
        finalize_invoice("inv_01h455vb4pex5vsknk084sn02q", now=APRIL)


def test_a_draft_may_still_change() -> None:
    """Show that what the frozen invoice below refuses, a draft takes."""
    invoice, _ = draft()

    Invoice.objects.filter(pk=invoice.pk).update(billing_day=date(2026, 4, 2))
    invoice.lines.update(amount=2)
    invoice.lines.all().delete()
    BilledPeriod.objects.all().delete()
    invoice.delete()

    assert Invoice.objects.count() == 0


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def saved(row: Invoice | InvoiceLine, fields: list[str] | None = None, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=fields)


def in_bulk(row: Invoice | InvoiceLine, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    type(row)._default_manager.bulk_update([row], list(changes))  # type: ignore[list-item]


def another_line(line: InvoiceLine) -> InvoiceLine:
    """Return a copy of ``line`` that is not stored."""
    fields = {field.attname: getattr(line, field.attname) for field in InvoiceLine._meta.concrete_fields}
    del fields["id"]
    return InvoiceLine(**{**fields, "position": 9})


def upserted(line: InvoiceLine) -> None:
    line.amount = Decimal(9)
    InvoiceLine.objects.bulk_create([line], update_conflicts=True, unique_fields=["id"], update_fields=["amount"])


def moved_here(line: InvoiceLine) -> None:
    """Move a line of a draft onto the frozen invoice."""
    other, _ = draft()
    other.lines.update(invoice=line.invoice)


def moved_away(line: InvoiceLine) -> None:
    """Move a line of the frozen invoice onto a draft."""
    other, _ = draft()
    InvoiceLine.objects.filter(pk=line.pk).update(invoice=other, position=9)


def uuid(row: Invoice | InvoiceLine) -> UUID:
    return row.id.uuid


Write = Callable[[Invoice, InvoiceLine], object]
WRITES: dict[str, Write] = {
    "save": lambda invoice, _: saved(invoice, total=Decimal(9)),
    "save one field": lambda invoice, _: saved(invoice, ["number"], number="X"),
    "back to draft": lambda invoice, _: saved(invoice, status="draft", number=None, issued_at=None),
    "update": lambda invoice, _: Invoice.objects.filter(pk=invoice.pk).update(due_at=APRIL),
    "update by expression": lambda *_: Invoice.objects.update(total=F("total") + 1),
    "bulk_update": lambda invoice, _: in_bulk(invoice, billed_to={"name": "Somebody else"}),
    "raw update": lambda invoice, _: sql("UPDATE billing_invoice SET currency = 'EUR' WHERE id = %s", uuid(invoice)),
    "raw update of the hash": lambda *_: sql("UPDATE billing_invoice SET content_hash = 'x'"),
    "delete": lambda invoice, _: invoice.delete(),
    "queryset delete": lambda invoice, _: Invoice.objects.filter(pk=invoice.pk).delete(),
    "_raw_delete": lambda invoice, _: Invoice.objects.filter(pk=invoice.pk)._raw_delete("default"),
    "raw delete": lambda invoice, _: sql("DELETE FROM billing_invoice WHERE id = %s", uuid(invoice)),
    "upsert": lambda invoice, _: Invoice.objects.bulk_create(
        [Invoice(**{**plain(invoice), "total": Decimal(9)})],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["total"],
    ),
    "line save": lambda _, line: saved(line, amount=Decimal(9)),
    "line update": lambda _, line: InvoiceLine.objects.filter(pk=line.pk).update(units=9),
    "line bulk_update": lambda _, line: in_bulk(line, description="Something else"),
    "line insert": lambda _, line: another_line(line).save(force_insert=True),
    "line bulk_create": lambda _, line: InvoiceLine.objects.bulk_create([another_line(line)]),
    "line upsert": lambda _, line: upserted(line),
    "line delete": lambda _, line: line.delete(),
    "line queryset delete": lambda _, line: InvoiceLine.objects.filter(pk=line.pk).delete(),
    "line _raw_delete": lambda _, line: InvoiceLine.objects.filter(pk=line.pk)._raw_delete("default"),
    "line raw update": lambda *_: sql("UPDATE billing_invoiceline SET tiers = '[]', amount = 9"),
    "line raw delete": lambda _, line: sql("DELETE FROM billing_invoiceline WHERE id = %s", uuid(line)),
    "line moved here": lambda _, line: moved_here(line),
    "line moved away": lambda _, line: moved_away(line),
}


def plain(invoice: Invoice) -> dict[str, Any]:
    return {field.attname: getattr(invoice, field.attname) for field in Invoice._meta.concrete_fields}


def content() -> list[Sequence[Any]]:
    """Return all invoices and lines that are final, as they are stored."""
    invoices = Invoice.objects.filter(status="finalized").order_by("pk").values_list()
    lines = InvoiceLine.objects.filter(invoice__status="finalized").order_by("pk").values_list()
    return [*invoices, *lines]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_final_invoice_never_changes(write: Write) -> None:
    subscription = metered()
    use(subscription, MARCH)
    bill_due(now=APRIL)
    invoice = Invoice.objects.get()
    line = invoice.lines.get()
    before = content()

    refusal = pytest.raises((DatabaseError, ProtectedError), match=r"never change|annot delete")
    with refusal, transaction.atomic():
        write(invoice, line)

    assert content() == before


OVERLAPS = [
    ("the same", MARCH, APRIL, False),
    ("within", MARCH + timedelta(days=3), MARCH + timedelta(days=4), False),
    ("around", MARCH - timedelta(days=3), APRIL + timedelta(days=4), False),
    ("over the end", APRIL - timedelta(microseconds=1), MAY, False),
    ("right before", MARCH - timedelta(days=3), MARCH, True),
    ("right after", APRIL, MAY, True),
    ("empty", MAY, MAY, False),
    ("backwards", MAY, APRIL, False),
]


@pytest.mark.parametrize(("start", "end", "fits"), [case[1:] for case in OVERLAPS], ids=[case[0] for case in OVERLAPS])
def test_no_moment_of_a_subscription_is_billed_twice(start: datetime, end: datetime, fits: bool) -> None:
    subscription = metered()
    bill_due(now=APRIL)
    values = {"invoice": Invoice.objects.get(), "starts_at": start, "ends_at": end}

    def insert() -> None:
        with transaction.atomic():
            BilledPeriod.objects.create(subscription=subscription, **values)

    if fits:
        insert()
    else:
        with pytest.raises(DatabaseError):
            insert()
    assert BilledPeriod.objects.count() == 1 + fits


def test_the_same_time_of_another_subscription_may_be_billed() -> None:
    metered()
    bill_due(now=APRIL)
    other = metered(starts_at=MAY)

    BilledPeriod.objects.create(subscription=other, invoice=Invoice.objects.get(), starts_at=MARCH, ends_at=APRIL)

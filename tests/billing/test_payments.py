"""Payments recorded by hand: what they settle, and what they bring beyond it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum

from billing.errors import InvoiceNotOpen
from billing.events import InvoicePaid, PaymentSucceeded
from billing.models import Invoice, Payment, PaymentStatus
from billing.operations.billing_runs import bill_due
from billing.operations.payments import record_payment
from billing.queries.statements import statements_of
from config.kernel import events
from config.kernel.errors import Invalid, NotFound
from tests.billing.test_wallets_concurrency import at_once
from tests.factories import make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))
DAY = timedelta(days=1)


def invoice_of(total: str = "100", *, currency: str = "USD", grace_days: int = 0) -> Invoice:
    """Return the invoice of March; it is due after 30 days."""
    customer = make_customer(currency=currency, invoice_grace_days=grace_days)
    plan = make_plan(amount=Decimal(total), currency=currency)
    make_subscription(customer=customer, plan=plan, starts_at=MARCH)
    bill_due(now=APRIL)
    return Invoice.objects.get(customer=customer)


def pay(invoice: Invoice, amount: str, **fields: Any) -> Payment:
    return record_payment(invoice.id, amount=Decimal(amount), **{"now": APRIL, **fields})


SEQUENCES: list[tuple[list[str], list[str], PaymentStatus]] = [
    ([], [], PaymentStatus.PENDING),
    (["0.01"], ["0.01"], PaymentStatus.PARTIAL),
    (["40", "59.99"], ["40", "59.99"], PaymentStatus.PARTIAL),
    (["40", "60"], ["40", "60"], PaymentStatus.PAID),
    (["100"], ["100"], PaymentStatus.PAID),
    (["100.01"], ["100"], PaymentStatus.PAID),
    (["40", "75.50"], ["40", "60"], PaymentStatus.PAID),
]


@pytest.mark.parametrize(("amounts", "applied", "status"), SEQUENCES)
def test_payments_settle_what_is_due_and_the_rest_is_credit(
    amounts: list[str], applied: list[str], status: PaymentStatus
) -> None:
    invoice = invoice_of("100")

    payments = [pay(invoice, amount) for amount in amounts]

    invoice.refresh_from_db()
    settled = sum(map(Decimal, applied), Decimal(0))
    assert [payment.applied for payment in payments] == list(map(Decimal, applied))
    assert (invoice.amount_paid, invoice.amount_due) == (settled, 100 - settled)
    assert invoice.payment_status(APRIL) is status
    [statement] = statements_of([invoice.customer], now=APRIL)
    assert statement.outstanding == 100 - settled
    assert statement.unapplied_credit == sum(map(Decimal, amounts), Decimal(0)) - settled


@pytest.mark.parametrize("paid", [None, "40"], ids=["unpaid", "partial"])
def test_what_is_not_paid_by_its_due_date_is_overdue(paid: str | None) -> None:
    invoice = invoice_of("100")
    if paid:
        pay(invoice, paid)
    invoice.refresh_from_db()
    before = PaymentStatus.PARTIAL if paid else PaymentStatus.PENDING
    due = APRIL + 30 * DAY

    assert invoice.payment_status(due - timedelta(microseconds=1)) is before
    assert invoice.payment_status(due) is PaymentStatus.OVERDUE
    pay(invoice, "100", now=due)
    invoice.refresh_from_db()
    assert invoice.payment_status(due) is PaymentStatus.PAID


def test_the_filter_by_payment_status_agrees_with_each_invoice() -> None:
    invoices = [invoice_of("100") for _ in range(3)] + [invoice_of("0"), invoice_of("100", grace_days=9)]
    pay(invoices[1], "40")
    pay(invoices[2], "100")
    assert len({invoice.payment_status(APRIL) for invoice in Invoice.objects.all()}) == 3

    for now in (APRIL, APRIL + 60 * DAY):
        for status in PaymentStatus:
            found = set(Invoice.objects.with_payment_status(status, now))
            assert found == {invoice for invoice in Invoice.objects.all() if invoice.payment_status(now) is status}


def refused(invoice: Invoice, amount: str = "1", **fields: Any) -> Exception:
    """Return the refusal of a payment, which has changed nothing."""
    before = (Payment.objects.count(), Invoice.objects.get(pk=invoice.pk).amount_paid)
    with pytest.raises((Invalid, InvoiceNotOpen)) as refusal:
        pay(invoice, amount, **fields)
    assert (Payment.objects.count(), Invoice.objects.get(pk=invoice.pk).amount_paid) == before
    return refusal.value


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("USD", "0"), ("USD", "-1"), ("USD", "0.001"), ("USD", "1.005"), ("JPY", "0.5"), ("KWD", "0.0001")],
)
def test_an_amount_is_positive_and_in_whole_minor_units(currency: str, amount: str) -> None:
    refusal = refused(invoice_of("1000", currency=currency), amount)

    assert isinstance(refusal, Invalid)
    assert refusal.param == "amount"


@pytest.mark.parametrize(("currency", "amount"), [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("USD", "5.000")])
def test_the_smallest_amounts_are_taken(currency: str, amount: str) -> None:
    assert pay(invoice_of("1000", currency=currency), amount).applied == Decimal(amount)


def test_a_payment_cannot_be_received_in_the_future() -> None:
    invoice = invoice_of()

    refusal = refused(invoice, received_at=APRIL + timedelta(microseconds=1))
    assert isinstance(refusal, Invalid)
    assert refusal.param == "received_at"
    assert pay(invoice, "1", received_at=APRIL - 3 * DAY).received_at == APRIL - 3 * DAY
    assert pay(invoice, "1").received_at == APRIL


def test_only_a_final_invoice_with_something_due_takes_payments() -> None:
    assert isinstance(refused(invoice_of("0")), InvoiceNotOpen)
    assert isinstance(refused(invoice_of("100", grace_days=9)), InvoiceNotOpen)
    paid = invoice_of("100")
    pay(paid, "100")
    assert isinstance(refused(paid), InvoiceNotOpen)


def test_a_payment_for_an_unknown_invoice_is_not_found() -> None:
    with pytest.raises(NotFound):
        record_payment("inv_01h455vb4pex5vsknk084sn02q", amount=Decimal(1), now=APRIL)


def test_the_last_payment_makes_the_invoice_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = invoice_of("100")
    published: list[Any] = []
    for kind in (PaymentSucceeded, InvoicePaid):
        monkeypatch.setitem(events._handlers, kind, [published.append])

    pay(invoice, "40")
    assert [type(one) for one in published] == [PaymentSucceeded]
    pay(invoice, "70")

    assert [type(one) for one in published] == [PaymentSucceeded, PaymentSucceeded, InvoicePaid]
    assert (published[1].amount, published[1].applied) == (70, 60)


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def save_another_amount(payment: Payment) -> None:
    payment.amount = Decimal(99)
    payment.save()


WRITES: dict[str, Callable[[Payment], object]] = {
    "save": save_another_amount,
    "update": lambda _: Payment.objects.update(reference="x"),
    "delete": lambda payment: payment.delete(),
    "queryset delete": lambda _: Payment.objects.all().delete(),
    "raw update": lambda _: sql("UPDATE billing_payment SET applied = 0"),
    "raw delete": lambda _: sql("DELETE FROM billing_payment"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_payment_never_changes(write: Callable[[Payment], object]) -> None:
    payment = pay(invoice_of(), "40")

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        write(payment)

    assert Payment.objects.get().amount == 40


def test_an_invoice_is_never_paid_beyond_its_total() -> None:
    invoice = invoice_of("100")

    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(amount_paid=Decimal("100.01"))
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid=100)


@pytest.mark.django_db(transaction=True)
def test_payments_at_once_settle_no_more_than_is_due() -> None:
    invoice = invoice_of("100")

    def work(_: int) -> int:
        taken = 0
        for _turn in range(5):
            try:
                pay(invoice, "7")
            except InvoiceNotOpen:
                continue
            taken += 1
        return taken

    taken = sum(at_once(4, work))

    invoice.refresh_from_db()
    sums = Payment.objects.aggregate(amount=Sum("amount"), applied=Sum("applied"))
    assert taken == 15
    assert (invoice.amount_paid, sums) == (100, {"amount": Decimal(105), "applied": Decimal(100)})

"""Statements: what every customer owes, also those that owe nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Sum

from billing.models import Invoice, Payment, Wallet
from billing.queries.wallets import with_amounts_at
from config.kernel.ids import TypeID
from customers.models import Customer

ZERO = Decimal(0)

#: Upper bounds of the ageing buckets in days overdue, inclusive; the last is open.
AGEING = (("1_30", 30), ("31_60", 60), ("61_90", 90), ("90_plus", None))


def no_ageing() -> dict[str, Decimal]:
    """Return the ageing buckets with nothing in them."""
    return {"current": ZERO, **{name: ZERO for name, _ in AGEING}}


@dataclass(kw_only=True)
class Statement:
    """What one customer owes in its currency at a moment; ``ageing`` is the balance by days overdue."""

    customer: TypeID
    name: str
    currency: str
    outstanding: Decimal = ZERO
    open_invoices: int = 0
    overdue: Decimal = ZERO
    overdue_invoices: int = 0
    ageing: dict[str, Decimal] = field(default_factory=no_ageing)
    unapplied_credit: Decimal = ZERO
    wallet_balance: Decimal = ZERO
    wallet_spendable: Decimal = ZERO


def statements_of(customers: Iterable[Customer], *, now: datetime) -> list[Statement]:
    """Return the statement of each of ``customers`` at ``now``, in their order: three queries, however many."""
    found = {
        customer.id: Statement(customer=customer.id, name=customer.name, currency=customer.currency)
        for customer in customers
    }
    for customer_id, due_at, due in (
        Invoice.objects.open()
        .filter(customer__in=found)
        .values_list("customer", "due_at", F("total") - F("amount_paid"))
    ):
        _add_invoice(found[customer_id], due_at, due, now)
    payments = Payment.objects.filter(customer__in=found).values("customer")
    for paid in payments.annotate(left=Sum(F("amount") - F("applied"))):
        found[paid["customer"]].unapplied_credit = paid["left"]
    own = Wallet.objects.open().filter(customer__in=found, currency=F("customer__currency"))
    wallets = with_amounts_at(own, now).values("customer")
    for row in wallets.annotate(total=Sum("balance"), free=Sum("spendable_now")):
        statement = found[row["customer"]]
        statement.wallet_balance, statement.wallet_spendable = row["total"], row["free"]
    return list(found.values())


def _add_invoice(statement: Statement, due_at: datetime, due: Decimal, now: datetime) -> None:
    """Count an open invoice in."""
    statement.outstanding += due
    statement.open_invoices += 1
    statement.ageing[_bucket(due_at, now)] += due
    if due_at <= now:
        statement.overdue += due
        statement.overdue_invoices += 1


def _bucket(due_at: datetime, now: datetime) -> str:
    """Return the ageing bucket of an invoice; the first day overdue begins when it falls due."""
    if due_at > now:
        return "current"
    days = (now - due_at) // timedelta(days=1) + 1
    return next(name for name, bound in AGEING if bound is None or days <= bound)

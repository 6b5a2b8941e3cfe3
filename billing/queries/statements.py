"""Statements: what every customer owes, also those that owe nothing, alone or with everybody below it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum

from billing.models import Invoice, Payment, Wallet
from billing.queries.wallets import with_amounts_at
from config.kernel.ids import TypeID
from config.kernel.money import ZERO
from customers.models import Customer
from customers.queries.hierarchy import members

#: Upper bounds of the ageing buckets in days overdue, inclusive; the last is open.
AGEING = (("1_30", 30), ("31_60", 60), ("61_90", 90), ("90_plus", None))


def no_ageing() -> dict[str, Decimal]:
    """Return the ageing buckets with nothing in them."""
    return {"current": ZERO, **{name: ZERO for name, _ in AGEING}}


@dataclass(kw_only=True)
class Balance:
    """What is owed and what is there in one currency at a moment; ``ageing`` is the balance by days overdue."""

    currency: str
    outstanding: Decimal = ZERO
    open_invoices: int = 0
    overdue: Decimal = ZERO
    overdue_invoices: int = 0
    ageing: dict[str, Decimal] = field(default_factory=no_ageing)
    unapplied_credit: Decimal = ZERO
    wallet_balance: Decimal = ZERO
    wallet_spendable: Decimal = ZERO

    def add(self, row: Mapping[str, Any]) -> None:
        """Count in the figures of ``row``, each under the name of an attribute or of an ageing bucket."""
        for name, figure in row.items():
            if name in self.ageing:
                self.ageing[name] += figure
            elif name not in {"customer", "currency"}:
                setattr(self, name, getattr(self, name) + figure)


@dataclass(kw_only=True)
class Statement(Balance):
    """The balance of one customer in its own currency, or of ``customers`` in one tree; ``others`` by currency."""

    customer: TypeID
    name: str
    customers: int = 0
    others: dict[str, Balance] = field(default_factory=dict)

    @property
    def other_currencies(self) -> list[Balance]:
        """What there is in other currencies than the customer's own, in the order of their codes."""
        return [self.others[currency] for currency in sorted(self.others)]

    def balance_in(self, currency: str) -> Balance:
        """Return the balance in ``currency``."""
        return self if currency == self.currency else self.others.setdefault(currency, Balance(currency=currency))


def statements_of(customers: Iterable[Customer], *, include_children: bool = False, now: datetime) -> list[Statement]:
    """
    Return the statement of each of ``customers`` at ``now``, in their order: a fixed number of queries, however many.

    With ``include_children`` each holds what everybody below the customer owes and has, too; a customer that is below
    another of ``customers`` is in both statements.
    """
    found = {
        customer.id: Statement(customer=customer.id, name=customer.name, currency=customer.currency)
        for customer in customers
    }
    roots = _roots_of_members(found) if include_children else {pk: [pk] for pk in found}
    for trees in roots.values():
        for root in trees:
            found[root].customers += 1
    for rows in (_owed(roots, now), _paid_beyond(roots), _prepaid(roots, now)):
        for row in rows:
            for root in roots[row["customer"]]:
                found[root].balance_in(row["currency"]).add(row)
    return list(found.values())


def _roots_of_members(roots: Collection[TypeID]) -> dict[TypeID, list[TypeID]]:
    """
    Return those of ``roots`` that each customer of their trees stands below, itself among them.

    Deleted customers are in no tree: what they still owe stays with their own invoices.
    """
    found: dict[TypeID, list[TypeID]] = {}
    for root, tree in members(roots).items():
        for member in tree:
            found.setdefault(member, []).append(root)
    return found


def _owed(customers: Collection[TypeID], now: datetime) -> Iterable[Mapping[str, Any]]:
    """Return the open invoices of each customer and currency, summed up by how long they are overdue."""
    due, overdue = F("total") - F("amount_paid"), Q(due_at__lte=now)
    sums = {name: Sum(due, filter=when, default=ZERO) for name, when in _buckets(now).items()}
    rows = Invoice.objects.open().filter(customer__in=customers).order_by().values("customer", "currency")
    return rows.annotate(
        outstanding=Sum(due),
        open_invoices=Count("id"),
        overdue=Sum(due, filter=overdue, default=ZERO),
        overdue_invoices=Count("id", filter=overdue),
        **sums,
    )


def _buckets(now: datetime) -> dict[str, Q]:
    """Return the condition of each ageing bucket; the first day overdue begins when an invoice falls due."""
    found, younger = {"current": Q(due_at__gt=now)}, now
    for name, days in AGEING:
        found[name] = Q(due_at__lte=younger)
        if days is not None:
            younger = now - timedelta(days=days)
            found[name] &= Q(due_at__gt=younger)
    return found


def _paid_beyond(customers: Collection[TypeID]) -> Iterable[Mapping[str, Any]]:
    """Return what each customer paid beyond its invoices, by currency."""
    rows = Payment.objects.filter(customer__in=customers, amount__gt=F("applied")).order_by()
    return rows.values("customer", "currency").annotate(unapplied_credit=Sum(F("amount") - F("applied")))


def _prepaid(customers: Collection[TypeID], now: datetime) -> Iterable[Mapping[str, Any]]:
    """Return what the open wallets of each customer hold, by currency."""
    wallets = with_amounts_at(Wallet.objects.open().filter(customer__in=customers, balance__gt=0), now).order_by()
    rows = wallets.values("customer", "currency")
    return rows.annotate(wallet_balance=Sum("balance"), wallet_spendable=Sum("spendable_now"))

"""Statements: who owes what, every customer, also those that owe nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from billing.models import CustomerStatement
from billing.queries.statements import statements_of
from config.kernel.admin import ReadOnlyModelAdmin, display, money_column, register
from config.kernel.money import display_money

#: What the buckets of the ageing are called on the page.
AGEING_TITLES = {
    "current": "not due yet",
    "1_30": "1–30 days overdue",
    "31_60": "31–60 days overdue",
    "61_90": "61–90 days overdue",
    "90_plus": "more than 90 days overdue",
}


class StatementList(ChangeList):
    """A page of customers, each with its statement: three queries a page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the statements of those on it."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        _attach(self.result_list)


def _attach(customers: list[Any]) -> None:
    """Put its statement on each of ``customers``."""
    for customer, statement in zip(customers, statements_of(customers, now=timezone.now()), strict=True):
        customer.statement = statement


def statement_money(field: str, description: str) -> Any:
    """Return a column with an amount of the customer's statement."""
    return money_column(f"statement__{field}", description=description)


def ageing(bucket: str, title: str) -> Any:
    """Return a row of the page with one bucket of the ageing."""

    @display(description=title)
    def column(customer: Any) -> str:
        return display_money(customer.statement.ageing[bucket], customer.currency)

    column.__name__ = f"ageing_{bucket}"
    return column


@display(description="open invoices")
def open_invoices(customer: Any) -> Any:
    """Show how many invoices have something due."""
    return customer.statement.open_invoices


@display(description="")
def unpaid_invoices(customer: Any) -> str:
    """Link to the customer's unpaid invoices."""
    url = f"{reverse('admin:billing_invoice_changelist')}?customer__id__exact={customer.pk}&payment=open"
    return format_html('<a href="{}" class="text-primary-600 underline dark:text-primary-500">Unpaid invoices</a>', url)


#: What a statement shows, in the list and on its page.
COLUMNS: Any = (
    "name",
    statement_money("outstanding", "outstanding balance"),
    open_invoices,
    statement_money("overdue", "overdue"),
    statement_money("unapplied_credit", "unapplied credit"),
    statement_money("wallet_spendable", "prepaid, spendable"),
    unpaid_invoices,
)


@register(CustomerStatement)
class StatementAdmin(ReadOnlyModelAdmin):
    """What customers owe now."""

    list_display = COLUMNS
    search_fields = ("name", "email")
    readonly_fields: ClassVar[Any] = (
        *COLUMNS[:-1], *(ageing(bucket, title) for bucket, title in AGEING_TITLES.items()), unpaid_invoices
    )  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every live customer but the system's own."""
        return super().get_queryset(request).live().real()  # type: ignore[attr-defined,no-any-return]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Read the statements with each page."""
        return StatementList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a customer with its statement."""
        customer = super().get_object(request, object_id, from_field)
        if customer is not None:
            _attach([customer])
        return customer

"""Statements: who owes what, every customer, also those that owe nothing; alone, or with everybody below."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from billing.admin.invoices import WithinCustomerFilter
from billing.models import CustomerStatement
from billing.queries.statements import statements_of
from config.kernel.admin import DropdownFilter, ReadOnlyModelAdmin, display, register
from config.kernel.admin.columns import NOTHING, Column
from config.kernel.money import display_money

#: What the buckets of the ageing are called on the page.
AGEING_TITLES = {
    "current": "not due yet",
    "1_30": "1–30 days overdue",
    "31_60": "31–60 days overdue",
    "61_90": "61–90 days overdue",
    "90_plus": "more than 90 days overdue",
}


class IncludeFilter(DropdownFilter):
    """Whose figures the list shows; it keeps every customer."""

    title = "figures"
    parameter_name = "include"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the other choice than the customer alone."""
        return [("below", "Include everything below")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep all."""
        return queryset


class StatementList(ChangeList):
    """A page of customers, each with its statement: a few queries a page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then the statements of those on it."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        is_rolled_up = request.GET.get(IncludeFilter.parameter_name) == "below"
        _attach("statement", self.result_list, include_children=is_rolled_up)


def _attach(name: str, customers: Sequence[Any], *, include_children: bool) -> None:
    """Put its statement on each of ``customers`` under ``name``."""
    found = statements_of(customers, include_children=include_children, now=timezone.now())
    for customer, statement in zip(customers, found, strict=True):
        setattr(customer, name, statement)


def figure(field: str, description: str, *, of: str = "statement") -> Column:
    """Return a column with a figure of the customer's statement, an amount with its currency."""
    figure_of = attrgetter(f"{of}.{field}")

    @display(description=description)
    def column(customer: Any) -> str:
        found = figure_of(customer)
        return f"{found:,}" if isinstance(found, int) else display_money(found, customer.currency)

    column.__name__ = f"{of}_{field}"
    return column


def ageing(bucket: str, title: str, *, of: str = "statement") -> Column:
    """Return a row of the page with one bucket of the ageing."""

    @display(description=title)
    def column(customer: Any) -> str:
        return display_money(getattr(customer, of).ageing[bucket], customer.currency)

    column.__name__ = f"{of}_ageing_{bucket}"
    return column


def elsewhere(*, of: str = "statement") -> Column:
    """Return a column with what is outstanding in other currencies than the customer's."""

    @display(description="other currencies")
    def column(customer: Any) -> str:
        owed = [one for one in getattr(customer, of).other_currencies if one.outstanding]
        return ", ".join(display_money(one.outstanding, one.currency) for one in owed) or NOTHING

    column.__name__ = f"{of}_elsewhere"
    return column


@display(description="")
def unpaid_invoices(customer: Any) -> str:
    """Link to the unpaid invoices that the figures are about: the customer's, or also those of everybody below it."""
    owed = customer.statement
    if not owed.open_invoices and not any(one.open_invoices for one in owed.other_currencies):
        return NOTHING
    whose = WithinCustomerFilter.parameter_name if owed.customers > 1 else "customer__id__exact"
    url = f"{reverse('admin:billing_invoice_changelist')}?{whose}={customer.pk}&payment=open"
    return format_html(
        '<a href="{}" class="text-primary-600 underline whitespace-nowrap dark:text-primary-500">Unpaid invoices</a>',
        url,
    )


def figures(of: str) -> tuple[Column, ...]:
    """Return what a statement shows, in the list and on its page."""
    return (
        figure("outstanding", "outstanding", of=of),
        figure("open_invoices", "open invoices", of=of),
        figure("overdue", "overdue", of=of),
        figure("unapplied_credit", "unapplied credit", of=of),
        figure("wallet_spendable", "prepaid", of=of),
        elsewhere(of=of),
    )


def with_ageing(of: str) -> tuple[Column, ...]:
    """Return the figures and the ageing of a statement as rows of the page."""
    return (*figures(of), *(ageing(bucket, title, of=of) for bucket, title in AGEING_TITLES.items()))


OWN = with_ageing("statement")
WITH_EVERYTHING_BELOW = (figure("customers", "customers", of="whole"), *with_ageing("whole"))


@register(CustomerStatement)
class StatementAdmin(ReadOnlyModelAdmin):
    """What customers owe now."""

    list_display: Any = (
        "name", figure("customers", "customers"), *figures("statement"), unpaid_invoices
    )  # fmt: skip
    list_filter = (IncludeFilter,)
    search_fields = ("name", "email")
    search_help_text = "Name, e-mail or external id."
    readonly_fields: ClassVar[Any] = ("name", *OWN, unpaid_invoices, *WITH_EVERYTHING_BELOW)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", *OWN, unpaid_invoices)}),
        ("With everything below", {"fields": WITH_EVERYTHING_BELOW}),
    )
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every live customer but the system's own."""
        return super().get_queryset(request).live().real()  # type: ignore[attr-defined,no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the list of customers does."""
        return queryset.searched(search_term), False  # type: ignore[attr-defined]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Read the statements with each page."""
        return StatementList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the whole tree out where the customer is all of it."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj is not None and obj.whole.customers > 1 else fieldsets[:1]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a customer with its statement, and that of everybody below it."""
        customer = super().get_object(request, object_id, from_field)
        if customer is not None:
            _attach("statement", [customer], include_children=False)
            _attach("whole", [customer], include_children=True)
        return customer

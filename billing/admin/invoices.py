"""Invoices: what is owed and how it came about; refresh, finalize and record payments as actions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join

from billing.models import Invoice, InvoiceLine, InvoiceStatus, Payment, PaymentMethod, PaymentStatus
from billing.operations.billing_runs import bill_due
from billing.operations.invoices import finalize_invoice, refresh_invoice
from billing.operations.payments import record_payment
from config.kernel.admin import (
    ActionForm,
    AutocompleteFilter,
    ChoicesFilter,
    DropdownFilter,
    ReadOnlyModelAdmin,
    RelatedToFilter,
    TabularInline,
    action,
    badge,
    display,
    list_action,
    money_column,
    register,
    status_badge,
)
from config.kernel.admin.columns import NOTHING
from config.kernel.money import plain
from customers.models import Customer
from customers.queries.hierarchy import within

PAYMENT_COLOURS = {
    PaymentStatus.PAID: "success",
    PaymentStatus.PARTIAL: "info",
    PaymentStatus.OVERDUE: "danger",
}


@display(description="payment", ordering="due_at")
def payment_status(invoice: Invoice) -> str:
    """Show how far the invoice is paid now."""
    status = invoice.payment_status(timezone.now())
    return badge(status.label, PAYMENT_COLOURS.get(status))  # type: ignore[arg-type]


@display(description="period")
def period(line: InvoiceLine) -> str:
    """Show the days a line is for, both included, on the customer's clock."""
    zone = ZoneInfo(line.invoice.customer.timezone)
    last = line.period_end - timedelta(microseconds=1)
    return f"{line.period_start.astimezone(zone):%Y-%m-%d} – {last.astimezone(zone):%Y-%m-%d}"


@display(description="units")
def units(line: InvoiceLine) -> str:
    """Show the units without the zeros of the column."""
    return f"{plain(Decimal(line.units)):,}"


@display(description="tiers")
def tiers(line: InvoiceLine) -> str:
    """Show how the amount came about, tier by tier."""
    return "; ".join(
        f"{Decimal(tier['units']):,} × {Decimal(tier['unit_amount']):f}"
        + (f" + {tier['flat_amount']}" if tier["flat_amount"] != "0" else "")
        + (f" ({tier['events']:,} event{'' if tier['events'] == 1 else 's'})" if "events" in tier else "")
        for tier in line.tiers
    )


@display(description="billed to")
def billed_to(invoice: Invoice) -> str:
    """Show whom the invoice was made out to, as it was then; a draft has nobody yet."""
    known: dict[str, Any] = invoice.billed_to
    address = known.get("address", {})
    named = (("Tax id", "tax_id"), ("E-mail", "email"), ("Phone", "phone"), ("External id", "external_id"))
    lines = [
        known.get("legal_name") or known.get("name"),
        address.get("line1"),
        address.get("line2"),
        " ".join(filter(None, (address.get("zip"), address.get("city"), address.get("state")))),
        address.get("country"),
        *(f"{title}: {known[name]}" for title, name in named if known.get(name)),
        known.get("customer"),
    ]
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines if line)) or NOTHING


@display(description="how to pay")
def remittance(invoice: Invoice) -> str:
    """Show the instructions that the invoice was issued with."""
    lines = str(invoice.billed_to.get("remittance_instructions", "")).splitlines()
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines)) or NOTHING


class LineInline(TabularInline):
    """The lines of an invoice."""

    model = InvoiceLine
    hide_title = True
    show_change_link = False
    ordering = ("position",)
    readonly_fields: ClassVar[Any] = (
        "description", "kind", units, money_column("amount", "invoice__currency"), tiers, period, "subscription"
    )  # fmt: skip
    fields: ClassVar[Any] = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the lines with what their columns print."""
        return super().get_queryset(request).select_related("invoice__customer", "subscription")


class PaymentInline(TabularInline):
    """What was paid on an invoice."""

    model = Payment
    hide_title = True
    readonly_fields: ClassVar[Any] = (
        "received_at", "method", "reference", money_column("amount"), money_column("applied")
    )  # fmt: skip
    fields: ClassVar[Any] = readonly_fields


class PaymentForm(ActionForm):
    """Asks what came in and how."""

    amount = forms.DecimalField(
        min_value=Decimal(0), max_digits=30, decimal_places=12, help_text="In the invoice's currency."
    )
    method = forms.ChoiceField(choices=PaymentMethod.choices)
    reference = forms.CharField(
        max_length=255, required=False, help_text="As it stands on the bank statement or the cheque."
    )
    received_at = forms.DateTimeField(required=False, help_text="In UTC; empty for now.")


class PaymentStatusFilter(DropdownFilter):
    """Invoices by how far they are paid now."""

    title = "payment"
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the statuses, and all that is open."""
        return [("open", "Open: something due"), *PaymentStatus.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the invoices asked for."""
        status = self.value()
        if status == "open":
            return queryset.open()
        return queryset.with_payment_status(status, timezone.now()) if status in PaymentStatus.values else queryset


class WithinCustomerFilter(RelatedToFilter):
    """Invoices of a customer and of all below it."""

    title = "within"
    parameter_name = "within"
    field_name = "customer"

    def related_to(self, queryset: Any, pk: Any) -> Any:
        """Keep the invoices of the customer and of those below it."""
        return queryset.filter(customer__in=within(Customer.objects.live(), pk))


def is_draft(invoice: Invoice) -> bool:
    """Tell whether ``invoice`` can still change."""
    return invoice.status == InvoiceStatus.DRAFT


def is_open(invoice: Invoice) -> bool:
    """Tell whether something is due."""
    return invoice.status == InvoiceStatus.FINALIZED and bool(invoice.amount_due)


@register(Invoice)
class InvoiceAdmin(ReadOnlyModelAdmin):
    """What customers owe."""

    list_display = (
        "__str__",
        "customer",
        "billing_day",
        status_badge("status", {InvoiceStatus.FINALIZED: "success", InvoiceStatus.DRAFT: "warning"}),
        payment_status,
        money_column("total"),
        money_column("amount_due", description="due"),
        "due_at",
    )
    list_filter = (
        ("status", ChoicesFilter),
        PaymentStatusFilter,
        ("customer", AutocompleteFilter),
        WithinCustomerFilter,
    )
    list_select_related = ("customer",)
    search_fields = ("number__istartswith", "customer__name")
    readonly_fields: ClassVar[Any] = (
        "number", "customer", *list_display[3:7], money_column("amount_paid", description="paid"), "billing_day",
        "finalize_at", "issued_at", "due_at", billed_to, remittance,
    )  # fmt: skip
    # Two to a row, as they belong together.
    fields: ClassVar[Any] = (
        *zip(readonly_fields[:10:2], readonly_fields[1:10:2], strict=True), readonly_fields[10], readonly_fields[11:],
    )  # fmt: skip
    inlines = (LineInline, PaymentInline)

    @list_action("Bill what is due", permissions=["change"], reason="optional", icon="play_arrow")
    def bill(self, request: HttpRequest, cleaned: dict[str, Any]) -> str:
        """Draft the invoices of all periods that are over, and finalize those whose grace period is."""
        run = bill_due(now=timezone.now())
        failed = f" {len(run.failed)} customer(s) could not be billed: {', '.join(run.failed)}." if run.failed else ""
        return f"{run.drafted} invoice(s) drafted, {run.finalized} finalized.{failed}"

    @action("Refresh", permissions=["change"], reason=None, bulk=True, when=is_draft, icon="refresh")
    def refresh(self, request: HttpRequest, invoice_id: str, cleaned: dict[str, Any]) -> str:
        """Rate the draft again, so that it holds the usage that came since."""
        refresh_invoice(invoice_id, now=timezone.now())
        return "The draft is up to date."

    @action("Finalize", permissions=["change"], reason="optional", bulk=True, when=is_draft, icon="verified")
    def finalize(self, request: HttpRequest, invoice_id: str, cleaned: dict[str, Any]) -> str:
        """Give the invoice its number and freeze it; it cannot be changed afterwards."""
        invoice = finalize_invoice(invoice_id, now=timezone.now())
        return f"{invoice} is final."

    @action(
        "Record payment", permissions=["change"], form=PaymentForm, reason="optional", when=is_open, icon="payments"
    )
    def pay(self, request: HttpRequest, invoice_id: str, cleaned: dict[str, Any]) -> str:
        """Record money that came in; what it brings beyond the amount due stays with the customer as credit."""
        asked = {name: cleaned[name] for name in ("amount", "method", "reference", "received_at")}
        payment = record_payment(invoice_id, **asked, now=timezone.now())
        return "The payment is recorded." if not payment.unapplied else "The payment is recorded, part as credit."


@register(Payment)
class PaymentAdmin(ReadOnlyModelAdmin):
    """Money that came in."""

    list_display = (
        "received_at", "customer", "invoice", money_column("amount"), money_column("applied"),
        money_column("unapplied"), "method", "reference",
    )  # fmt: skip
    list_filter = (("method", ChoicesFilter), ("customer", AutocompleteFilter))
    list_select_related = ("customer", "invoice")
    search_fields = ("reference__istartswith", "invoice__number__istartswith")
    fields: ClassVar[Any] = list_display
    readonly_fields: ClassVar[Any] = list_display

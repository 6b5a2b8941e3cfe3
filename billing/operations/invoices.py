"""Invoices: refresh a draft, finalize it with a number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from django.db import transaction

from billing.documents import billing_identity, content_hash
from billing.errors import InvoiceNotDraft
from billing.events import InvoiceFinalized, InvoicePaid
from billing.lines import NewLine, period_lines
from billing.models import BilledPeriod, DocumentCounter, Invoice, InvoiceLine, InvoiceStatus, LineKind
from billing.models.invoice import InvoiceQuerySet
from billing.proration import paid_days
from billing.queries.rating import rate_period
from config.kernel.events import publish
from config.kernel.ids import TypeID
from config.kernel.money import EXACT
from customers.models import Subscription
from customers.operations.deletion import keep_customer
from customers.periods import Period
from customers.queries.periods import whole_period
from customers.queries.successors import successor_of

SERIES = "INV"


@transaction.atomic
def refresh_invoice(invoice_id: str, *, now: datetime) -> Invoice:
    """
    Rate a draft's periods again, so that it holds the usage that came since.

    Raises:
        InvoiceNotDraft: it is final.
    """
    invoice = _lock_draft(invoice_id)
    rewrite_lines(invoice, now=now)
    return invoice


@transaction.atomic
def finalize_invoice(invoice_id: str, *, now: datetime) -> Invoice:
    """
    Refresh the draft a last time, then freeze it with billing identity and due date; a total above 0 gets a number.

    Raises:
        InvoiceNotDraft: it is final.
    """
    invoice = _lock_draft(invoice_id)
    rewrite_lines(invoice, now=now)
    invoice.billed_to = billing_identity(invoice.customer)
    invoice.issued_at = now
    invoice.due_at = now + timedelta(days=invoice.customer.net_payment_term_days)
    # The number comes last: its counter is locked until the transaction ends, and every other finalization waits.
    if invoice.total:
        invoice.number = _next_number(now.year)
    invoice.content_hash = content_hash(invoice, list(invoice.lines.order_by("position")))
    invoice.status = InvoiceStatus.FINALIZED
    invoice.save_changes("billed_to", "issued_at", "due_at", "number", "content_hash", "status", now=now)
    publish(InvoiceFinalized(invoice_id=invoice.id, customer_id=invoice.customer_id, total=invoice.total))
    if not invoice.total:
        publish(InvoicePaid(invoice_id=invoice.id, customer_id=invoice.customer_id))
    return invoice


@transaction.atomic
def finalize_drafts(customer_id: TypeID, *, in_grace: bool, now: datetime) -> list[Invoice]:
    """Finalize the customer's drafts, by their billing days: those past their grace, or ``in_grace`` as well."""
    drafts = Invoice.objects.drafts().filter(customer=customer_id)
    # All are locked before the first gets its number: its counter would else be held while waiting for the next.
    ids = lock_drafts(drafts if in_grace else drafts.filter(finalize_at__lte=now))
    return [finalize_invoice(invoice_id, now=now) for invoice_id in ids]


def lock_drafts(drafts: InvoiceQuerySet) -> list[TypeID]:
    """Lock ``drafts`` in the one order in which all lock them, and return the ids of those that still are."""
    in_order = drafts.order_by("billing_day", "id").select_for_update(of=("self",))
    return list(in_order.values_list("pk", flat=True))


def rewrite_lines(invoice: Invoice, *, now: datetime) -> None:
    """Replace the lines of a locked draft's periods by fresh ones; late usage of other periods stays as it is."""
    periods = BilledPeriod.objects.filter(invoice=invoice).order_by("starts_at", "id")
    lines: list[NewLine] = []
    periods = periods.select_related("subscription__customer", "subscription__plan")
    for billed in periods.prefetch_related("subscription__successors"):
        lines += _lines_of(billed.subscription, Period(billed.starts_at, billed.ends_at))
    late = list(invoice.lines.filter(kind=LineKind.LATE_USAGE).order_by("position"))
    invoice.lines.exclude(kind=LineKind.LATE_USAGE).delete()
    for position, line in enumerate(late, start=len(lines) + 1):
        if line.position != position:
            line.position = position
            line.save(update_fields=["position"])
    add_lines(invoice, lines, first=1)
    invoice.total = sum((line.amount for line in lines), sum((line.amount for line in late), Decimal(0)))
    invoice.save_changes("total", now=now)


def _lines_of(subscription: Subscription, period: Period) -> list[NewLine]:
    """Return what ``subscription`` (with customer and plan) is billed for ``period``."""
    # Its bounds may lie in the periods beside it, where the customer's time zone is not the one it was billed by.
    whole = whole_period(subscription, period.start + (period.end - period.start) / 2)
    ends_in_change = period.end == subscription.end and successor_of(subscription) is not None
    days = paid_days(subscription, period, whole, ends_in_change=ends_in_change)
    # The columns hold 30 digits, two more than Python's usual context.
    with localcontext(EXACT):
        return period_lines(subscription, period, days, rate_period(subscription, period))


def add_lines(invoice: Invoice, lines: Iterable[NewLine], *, first: int) -> None:
    """Insert ``lines`` into a locked draft at the positions from ``first`` on."""
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            kind=line.kind,
            description=line.description,
            subscription=line.subscription,
            charge=line.charge,
            units=line.units,
            amount=line.amount,
            period_start=line.period.start,
            period_end=line.period.end,
            tiers=line.tiers,
        )
        for position, line in enumerate(lines, start=first)
    )


def _lock_draft(invoice_id: str) -> Invoice:
    """Lock the invoice, after its customer, and refuse unless it is a draft."""
    keep_customer(Invoice.objects.find(invoice_id).customer_id)
    invoice = Invoice.objects.select_related("customer").lock(invoice_id)
    if invoice.status != InvoiceStatus.DRAFT:
        raise InvoiceNotDraft(status=invoice.status)
    return invoice


def _next_number(year: int) -> str:
    """Take the next number of the year; the counter's lock makes the series gapless."""
    DocumentCounter.objects.get_or_create(series=SERIES, year=year)
    counter = DocumentCounter.objects.select_for_update().get(series=SERIES, year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"{SERIES}-{year}-{counter.last:06d}"

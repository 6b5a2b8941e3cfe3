"""Billing: put every period that is over on an invoice, one a customer, currency and billing day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import localcontext
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from billing.events import InvoiceCreated
from billing.late_lines import Billed, late_lines
from billing.lines import NewLine
from billing.models import BilledPeriod, BillingCursor, Invoice, InvoiceLine, InvoiceStatus, LateUsage
from billing.operations.invoices import add_lines, finalize_drafts, lock_drafts, rewrite_lines
from billing.operations.turnstiles import shut_turnstiles
from billing.queries.rating import rate_period
from catalog.queries.charges import charges_of
from config.kernel.events import publish
from config.kernel.ids import TypeID
from config.kernel.money import EXACT
from customers.models import Customer, Subscription
from customers.operations.deletion import keep_customer
from customers.periods import Period, day_start
from customers.queries.periods import whole_period

#: How far two time zones can be apart: UTC-12 and UTC+14.
WIDEST = timedelta(hours=26)


@dataclass(frozen=True, kw_only=True)
class BillingResult:
    """What one customer's billing did."""

    drafted: int = 0
    finalized: int = 0


@transaction.atomic
def open_cursor(subscription_id: TypeID) -> BillingCursor:
    """Begin to bill a subscription from its start on."""
    subscription = Subscription.objects.select_related("customer", "plan").find(subscription_id)
    return BillingCursor.objects.create(
        subscription=subscription,
        customer=subscription.customer,
        billed_until=subscription.billed_from,
        due_at=_next_due(subscription, subscription.billed_from),
    )


@transaction.atomic
def reschedule_cursor(subscription_id: TypeID) -> None:
    """Bill the running period when it ends after the planned end of its subscription has changed."""
    cursor = _lock_cursor(subscription_id)
    cursor.due_at = _next_due(cursor.subscription, cursor.billed_until)
    cursor.save(update_fields=["due_at"])


@transaction.atomic
def close_cursor(subscription_id: TypeID) -> None:
    """Let the last period of a subscription that has ended, or never began, be its last."""
    cursor = _lock_cursor(subscription_id)
    end = cursor.subscription.terminated_at
    cursor.due_at = end if end is not None and cursor.billed_until < end else None
    cursor.save(update_fields=["due_at"])


def _lock_cursor(subscription_id: TypeID) -> BillingCursor:
    """
    Lock the cursor of a subscription together with those of all that its customer has and that have not ended.

    The next of them may end in the same transaction. A sender locks the cursors of a batch in the order of their ids;
    were they locked here one by one as they end, each could hold what the other waits for.
    """
    cursors = BillingCursor.objects.select_related("subscription__customer", "subscription__plan")
    live = Subscription.objects.live().filter(customer=cursors.get(pk=subscription_id).customer_id)
    all_of_them = BillingCursor.objects.filter(Q(pk=subscription_id) | Q(pk__in=live.values("pk"))).order_by("pk")
    list(all_of_them.select_for_update().values_list("pk"))
    return cursors.get(pk=subscription_id)


@transaction.atomic
def bill_customer(customer_id: TypeID, *, waits: bool = False, now: datetime) -> BillingResult:
    """
    Draft the invoices of all periods of a customer that are over at ``now``, and finalize those whose grace is.

    Cursors that another run holds are its to bill; running again does nothing more. ``waits`` says whether to wait for
    usage that is being written at this moment; whoever holds a cursor already must not, or the two may deadlock.
    """
    keep_customer(customer_id)
    cursors = _lock_due(customer_id, waits, now)
    by_day: dict[tuple[str, date], list[tuple[BillingCursor, Period]]] = defaultdict(list)
    for cursor in cursors:
        for period in _periods_over(cursor, now):
            by_day[_document(cursor.subscription, period)].append((cursor, period))
    in_order = sorted(by_day.items(), key=_document_key)
    drafts = [_draft(currency, day, pieces, now) for (currency, day), pieces in in_order]
    drafts += _bill_late(customer_id, cursors, drafts, now)
    for draft in drafts:
        publish(InvoiceCreated(invoice_id=draft.id, customer_id=draft.customer_id))
    finalized = finalize_drafts(customer_id, in_grace=False, now=now)
    return BillingResult(drafted=len(drafts), finalized=len(finalized))


def _lock_due(customer_id: TypeID, waits: bool, now: datetime) -> list[BillingCursor]:
    """Lock the cursors of a customer that are due and that no other run has claimed."""
    due = BillingCursor.objects.filter(_due(now), customer=customer_id).order_by("pk")
    if waits:
        due = due.filter(pk__in=shut_turnstiles(due.values_list("pk", flat=True)))
    locked = due.select_for_update(of=("self",), skip_locked=not waits)
    return list(locked.select_related("subscription__plan", "subscription__customer"))


def due_customers(*, now: datetime) -> list[TypeID]:
    """Return the customers with something to bill or finalize at ``now``, in a stable order."""
    with_cursors = BillingCursor.objects.filter(_due(now)).values("customer")
    with_drafts = Invoice.objects.drafts().filter(finalize_at__lte=now).values("customer")
    due = Customer.objects.filter(Q(pk__in=with_cursors) | Q(pk__in=with_drafts))
    return list(due.order_by("pk").values_list("pk", flat=True))


def _due(now: datetime) -> Q:
    """Cursors whose next period is over, and ended ones with late usage, for which no next invoice will come."""
    late = LateUsage.objects.values("subscription")
    return Q(due_at__lte=now) | Q(due_at__isnull=True, pk__in=late)


def _periods_over(cursor: BillingCursor, now: datetime) -> Iterator[Period]:
    """Yield the periods of the cursor's subscription that are over and not billed, and move the cursor behind them."""
    if cursor.due_at is None:
        return
    while (end := _next_due(cursor.subscription, cursor.billed_until)) is not None and end <= now:
        period = Period(cursor.billed_until, end)
        cursor.billed_until = end
        yield period
    cursor.due_at = end
    cursor.save(update_fields=["billed_until", "due_at"])


def _next_due(subscription: Subscription, billed_until: datetime) -> datetime | None:
    """Return the end of the period that follows what is billed; None when the subscription ends with that."""
    end = subscription.end
    if end is not None and billed_until >= end:
        return None
    whole = whole_period(subscription, billed_until)
    # Where the customer's clock was set back to another time zone, the last hours of a period that is billed come
    # again. They go with the next period: alone they would cost a day, and flat prices, a second time.
    if subscription.billed_from < billed_until and whole.end - billed_until <= WIDEST:
        whole = whole_period(subscription, whole.end)
    return whole.end if end is None else min(whole.end, end)


def _document(subscription: Subscription, period: Period) -> tuple[str, date]:
    """Return what decides which invoice a period goes on: currency and the local day it ended."""
    return subscription.plan.currency, period.end.astimezone(ZoneInfo(subscription.customer.timezone)).date()


def _document_key(item: tuple[tuple[str, date], object]) -> tuple[date, str]:
    """Order invoices by day, so that numbers follow time."""
    (currency, day), _ = item
    return day, currency


def _draft(currency: str, day: date, pieces: list[tuple[BillingCursor, Period]], now: datetime) -> Invoice:
    """Write the draft of one billing day with its periods and lines."""
    invoice = _new_invoice(pieces[0][0].subscription.customer, currency, day, now)
    BilledPeriod.objects.bulk_create(
        BilledPeriod(subscription=cursor.subscription, invoice=invoice, starts_at=period.start, ends_at=period.end)
        for cursor, period in pieces
    )
    rewrite_lines(invoice, now=now)
    return invoice


def _new_invoice(customer: Customer, currency: str, day: date, now: datetime) -> Invoice:
    grace = timedelta(days=customer.invoice_grace_days)
    invoice = Invoice(
        customer=customer,
        currency=currency,
        billing_day=day,
        finalize_at=day_start(day, customer.timezone) + grace,
        created_at=now,
        updated_at=now,
    )
    invoice.save(force_insert=True)
    return invoice


def _bill_late(
    customer_id: TypeID, cursors: list[BillingCursor], drafts: list[Invoice], now: datetime
) -> list[Invoice]:
    """Put late usage on the newest of ``drafts``, or on an invoice of its own, and return those made for it."""
    hours: dict[TypeID, list[datetime]] = defaultdict(list)
    marks = LateUsage.objects.filter(subscription__in=[cursor.pk for cursor in cursors]).order_by("hour")
    for subscription_id, hour in marks.values_list("subscription", "hour"):
        hours[subscription_id].append(hour)
    if not hours:
        return []
    # What is being finalized at this moment may have been rated before this usage came; then it is no draft any more.
    lock_drafts(Invoice.objects.drafts().filter(customer=customer_id))
    made: list[Invoice] = []
    for subscription in [cursor.subscription for cursor in cursors if cursor.pk in hours]:
        lines = _late_lines(subscription, hours[subscription.pk])
        if lines:
            currency = subscription.plan.currency
            fitting = [draft for draft in [*drafts, *made] if draft.currency == currency]
            day = now.astimezone(ZoneInfo(subscription.customer.timezone)).date()
            invoice = fitting[-1] if fitting else _new_invoice(subscription.customer, currency, day, now)
            if not fitting:
                made.append(invoice)
            add_lines(invoice, lines, first=invoice.lines.count() + 1)
            invoice.total += sum(line.amount for line in lines)
            invoice.save_changes("total", now=now)
    marks.delete()
    return made


def _late_lines(subscription: Subscription, hours: list[datetime]) -> list[NewLine]:
    """
    Rate again the finalized periods that ``hours`` lie in, and of those after them what recurring metrics carried on.

    A draft takes its own late usage when it is refreshed.
    """
    lines: list[NewLine] = []
    carries = any(charge.metric.recurring for charge in charges_of(subscription.plan_id))
    billed = BilledPeriod.objects.filter(subscription=subscription, invoice__status=InvoiceStatus.FINALIZED)
    for period in billed.order_by("starts_at"):
        is_late = any(period.starts_at - timedelta(hours=1) < hour < period.ends_at for hour in hours)
        # Of a later period only what was carried into it can have changed.
        if is_late or (carries and hours[0] < period.starts_at):
            lines += _late_lines_of(subscription, Period(period.starts_at, period.ends_at))
    return lines


def _late_lines_of(subscription: Subscription, period: Period) -> list[NewLine]:
    """Return what the charges of a period come to beyond the lines that were billed for it."""
    lines = InvoiceLine.objects.filter(subscription=subscription, period_start=period.start)
    # The columns hold 30 digits, two more than Python's usual context.
    with localcontext(EXACT):
        return late_lines(subscription, period, rate_period(subscription, period), Billed.add_up(lines))

"""Which periods of a customer's subscriptions still take usage that was there before: the unbilled, and drafts."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from billing.attribution import Attribution
from billing.ingestion import NewEvent
from billing.models import BilledPeriod, BillingCursor, Invoice, InvoiceStatus
from billing.operations.invoices import lock_drafts, refresh_invoice
from billing.operations.usage_rows import hours_changed, lock_cursors, write_late_marks
from billing.queries.attribution import Attributor
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class Billed:
    """A period that is on an invoice."""

    starts_at: datetime
    ends_at: datetime
    invoice: TypeID
    is_final: bool


@dataclass(kw_only=True)
class OpenPeriods:
    """The billed periods of one customer; neither they nor their invoices change until the transaction ends."""

    billed_until: dict[UUID, datetime]
    #: By subscription, earliest first.
    billed: dict[TypeID, list[Billed]]
    hours: set[tuple[UUID, datetime]] = field(default_factory=set)
    drafts: set[TypeID] = field(default_factory=set)

    @classmethod
    def lock(cls, customer_id: TypeID) -> OpenPeriods:
        """Keep billing runs and finalizations of the customer away; the caller holds no lock on a cursor yet."""
        subscriptions = list(BillingCursor.objects.filter(customer=customer_id).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            billed_until = lock_cursors(cursor, [one.uuid for one in subscriptions])
        # Finalizing needs no cursor, so the cursors do not keep it away.
        lock_drafts(Invoice.objects.drafts().filter(customer=customer_id))
        return cls(billed_until=billed_until, billed=_billed_periods(subscriptions))

    def is_final(self, attribution: Attribution, moment: datetime) -> bool:
        """Tell whether the period of the subscription that ``moment`` lies in is on a finalized invoice."""
        period = self._period_of(attribution, moment)
        return period is not None and period.is_final

    def take(self, event: NewEvent, attribution: Attribution, attributor: Attributor) -> None:
        """Remember that ``event`` came to a subscription, and to those that carry it on."""
        self.hours |= {(one.uuid, hour) for one, hour in hours_changed(event, attribution, attributor)}
        period = self._period_of(attribution, event.timestamp)
        if period is not None:
            self.drafts.add(period.invoice)

    def mark_late(self) -> None:
        """Note the hours in which usage came after their period was billed, as ingestion does."""
        with connection.cursor() as cursor:
            write_late_marks(cursor, self.hours, self.billed_until)

    def refresh_drafts(self, *, now: datetime) -> None:
        """Rate the drafts again that usage came to."""
        for invoice in sorted(self.drafts):
            refresh_invoice(invoice, now=now)

    def _period_of(self, attribution: Attribution, moment: datetime) -> Billed | None:
        """Return the billed period of the subscription that ``moment`` lies in."""
        if attribution.subscription is None:
            return None
        periods = self.billed.get(attribution.subscription, [])
        place = bisect_right(periods, moment, key=lambda period: period.starts_at)
        found = periods[place - 1] if place else None
        return found if found is not None and moment < found.ends_at else None


def _billed_periods(subscriptions: list[TypeID]) -> dict[TypeID, list[Billed]]:
    """Return the periods of ``subscriptions`` that are on invoices."""
    found: dict[TypeID, list[Billed]] = defaultdict(list)
    periods = BilledPeriod.objects.filter(subscription__in=subscriptions).select_related("invoice")
    for period in periods.order_by("starts_at"):
        is_final = period.invoice.status == InvoiceStatus.FINALIZED
        found[period.subscription_id].append(
            Billed(starts_at=period.starts_at, ends_at=period.ends_at, invoice=period.invoice_id, is_final=is_final)
        )
    return found

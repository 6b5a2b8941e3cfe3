"""What this app knows of flaws of the catalog: customers whom nothing can be sold to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count

from catalog.flaws import Flaw, Severity
from catalog.models import RatePlan
from customers.models import Customer


def currencies_have_plans(now: datetime) -> Iterator[Flaw]:
    """Yield the currencies of live customers in which no active plan is sold."""
    sold = RatePlan.objects.active().order_by().values("currency")
    customers = Customer.objects.live().real().exclude(currency__in=sold).order_by()
    for row in customers.values("currency").annotate(customers=Count("pk")).order_by("currency"):
        yield Flaw(
            code="currency_without_plan",
            severity=Severity.WARNING,
            about=None,
            message=f"{row['customers']:,} customer(s) pay in {row['currency']}, and no active plan is sold in it.",
            advice=f"Activate a plan in {row['currency']}; customers subscribe in their own currency only.",
        )

"""Usage of nobody known, and the customers that it turns out to be of."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from billing.models import MetricHour, UsageEvent, UsageHour
from billing.operations.usage import EventStatus, receive_events
from config.kernel.ids import TypeID
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from tests.billing.bills import JUNE, MARCH
from tests.factories import make_charge, make_customer, make_metric, make_plan, make_subscription

HOUR = timedelta(hours=1)
LOST = "customer cust_01h455vb4pex5vsknk084sn02q"


def lose(*moments: datetime, whose: dict[str, str] | None = None, prefix: str = "lost", **properties: Any) -> None:
    """Send a “call” at each of ``moments`` that names nobody alive, unless ``whose`` does."""
    named = whose or dict([LOST.split(" ")])
    outcomes = receive_events(
        [
            {
                "transaction_id": f"{prefix} {number} {moment}",
                "type": "call",
                "timestamp": moment.isoformat(),
                "properties": {"tokens": 5, **properties},
                **named,
            }
            for number, moment in enumerate(moments)
        ],
        now=JUNE,
    )
    assert {one.status for one in outcomes} == {EventStatus.ACCEPTED}
    assert {one.attribution.customer for one in outcomes if one.attribution} == {UNCLASSIFIED_ID}


def by_tokens(
    customer: Customer | None = None, *, aggregation: str = "SUM", starts_at: datetime = MARCH, **fields: Any
) -> Subscription:
    """Return a subscription from 1 March on that charges 1 for each of the “tokens” of a “call”."""
    metric = make_metric(
        event_type="call", aggregation=aggregation, property="" if aggregation == "COUNT" else "tokens"
    )
    plan = make_plan(charges=[make_charge(metric, unit_amount="1")], amount=Decimal(0))
    owner = customer or make_customer(**fields)
    return make_subscription(customer=owner, plan=plan, starts_at=starts_at)


def events_of(customer: Customer | TypeID) -> int:
    """Return how many events a customer has, which its hours must say as well."""
    pk = customer.id if isinstance(customer, Customer) else customer
    events = UsageEvent.objects.filter(customer=pk).count()
    assert (UsageHour.objects.filter(customer=pk).aggregate(n=Sum("events"))["n"] or 0) == events
    return events


def units_of(subscription: Subscription) -> Any:
    """Return the units that are rolled up for a subscription."""
    return MetricHour.objects.filter(subscription=subscription).aggregate(n=Sum("total", default=Decimal(0)))["n"]

"""Billing runs: bill every customer that is due, each in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import DatabaseError

from billing.operations.billing import bill_customer, due_customers
from config.kernel.errors import DomainError

logger = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class BillingRun:
    """What a run did; ``failed`` names each customer that could not be billed with the reason."""

    customers: int = 0
    drafted: int = 0
    finalized: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def bill_due(*, now: datetime) -> BillingRun:
    """
    Bill all that is due at ``now``; it can be killed, repeated and started several times at once.

    A customer that cannot be billed keeps the others from nothing: it is named in the result and stays due.
    """
    run = BillingRun()
    for customer_id in due_customers(now=now):
        try:
            result = bill_customer(customer_id, waits=True, now=now)
        except (DomainError, DatabaseError) as error:
            logger.error("customer could not be billed", customer=str(customer_id), reason=str(error))
            run.failed[customer_id] = str(error)
            continue
        run.customers += 1
        run.drafted += result.drafted
        run.finalized += result.finalized
    return run

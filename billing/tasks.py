"""Periodic tasks of billing."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.operations import billing_runs, purges
from billing.operations.holds import expire_due_holds
from config.kernel.history import acting_as


@shared_task
def expire_holds() -> int:
    """Expire every hold whose end has come and return how many; beat runs it each minute."""
    with acting_as("task expire_holds"):
        return expire_due_holds(now=timezone.now())


@shared_task
def bill_due() -> int:
    """Bill what is due and return how many invoices were finalized; beat runs it each hour."""
    with acting_as("task bill_due"):
        return billing_runs.bill_due(now=timezone.now()).finalized


@shared_task
def purge_usage() -> int:
    """Remove the usage of deleted customers and return how many events went; beat runs it each hour."""
    with acting_as("task purge_usage"):
        return purges.purge_usage(now=timezone.now()).events

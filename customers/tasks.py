"""Periodic tasks of the customers app."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from config.kernel.history import acting_as
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.suspension import expire_due_suspensions


@shared_task
def expire_suspensions() -> int:
    """Lift every suspension that has run out and return how many; beat runs it each minute."""
    with acting_as("task expire_suspensions"):
        return expire_due_suspensions(now=timezone.now())


@shared_task
def end_subscriptions() -> int:
    """Write down every planned end of a subscription that has come and return how many; beat runs it each minute."""
    with acting_as("task end_subscriptions"):
        return end_due_subscriptions(now=timezone.now())

"""Customers as billing sees them: something the admin can list, with permissions of its own and no table."""

from __future__ import annotations

from customers.models import Customer


class CustomerStatement(Customer):
    """A customer when the desk asks who owes what."""

    class Meta:
        proxy = True
        verbose_name = "statement"


class CustomerUsage(Customer):
    """A customer when the desk asks what was used, and what it costs so far."""

    class Meta:
        proxy = True
        verbose_name = "customer's usage"
        verbose_name_plural = "usage of customers"

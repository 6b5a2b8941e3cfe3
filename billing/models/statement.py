"""Statements as something the admin can list: every customer, seen by what it owes."""

from __future__ import annotations

from customers.models import Customer


class CustomerStatement(Customer):
    """A customer as the desk sees it when it asks who owes what; no table of its own, only permissions."""

    class Meta:
        proxy = True
        verbose_name = "statement"

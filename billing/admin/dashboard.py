"""The admin's first page: figures that link to what they count."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from billing.queries.dashboard import CHART_DAYS, Figures, dashboard_figures
from config.kernel.money import display_money, plain

#: Who sees the figures: those who may read the bills.
PERMISSION = "billing.view_invoice"


def figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the context of the first page, for those who may see them."""
    if request.user.has_perm(PERMISSION):
        found = dashboard_figures(now=timezone.now())
        context |= {"cards": _cards(found), "chart": _chart(found), "chart_days": CHART_DAYS, "money": _money(found)}
    return context


def _cards(found: Figures) -> list[dict[str, Any]]:
    """Return a card for each figure, with the list it leads to."""
    lists = {name: reverse(f"admin:{name}_changelist") for name in (
        "customers_customer", "customers_subscription", "billing_usageevent", "billing_unclassifiedusage",
        "billing_invoice",
    )}  # fmt: skip
    return [
        {
            "title": "Customers",
            "figure": f"{found.customers:,}",
            "note": f"{found.suspended:,} suspended",
            "href": lists["customers_customer"],
        },
        {
            "title": "Active subscriptions",
            "figure": f"{found.subscriptions:,}",
            "note": "running now",
            "href": lists["customers_subscription"],
        },
        {
            "title": f"Requests, {CHART_DAYS} days",
            "figure": f"{found.requests:,}",
            "note": f"{plain(found.tokens):,} tokens",
            "href": lists["billing_usageevent"],
        },
        {
            "title": f"Unclassified, {CHART_DAYS} days",
            "figure": f"{found.unclassified:,}",
            "note": _named_most(found),
            "href": lists["billing_unclassifiedusage"],
        },
        {
            "title": "Open invoices",
            "figure": f"{found.open_invoices:,}",
            "note": f"{found.drafts:,} drafts",
            "href": f"{lists['billing_invoice']}?payment=open",
        },
    ]


def _named_most(found: Figures) -> str:
    """Return what the requests of nobody known named most."""
    most = found.named_most
    return "requests of nobody known" if most is None else f"{most.events:,} named {most.named}"


def _chart(found: Figures) -> str:
    """Return the requests of each day as the theme's chart takes them."""
    return json.dumps(
        {
            "labels": [f"{day.day:%d %b}" for day in found.days],
            "datasets": [
                {
                    "label": "Requests",
                    "data": [day.requests for day in found.days],
                    "backgroundColor": "var(--color-primary-600)",
                }
            ],
        }
    )


def _money(found: Figures) -> dict[str, Any]:
    """Return the table of what is outstanding, a row a currency."""
    return {
        "headers": ["Currency", "Open invoices", "Outstanding", "Overdue"],
        "rows": [
            [
                one.currency,
                f"{one.invoices:,}",
                display_money(one.outstanding, one.currency),
                display_money(one.overdue, one.currency),
            ]
            for one in found.money
        ],
    }

"""The demo's customers with what they bought, used and owe."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import call_command

from billing.models import Invoice
from billing.operations.billing_runs import bill_due
from billing.operations.holds import hold_funds
from billing.operations.payments import record_payment
from billing.operations.wallets import fund_wallet, open_wallet
from catalog.models import RatePlan
from config.demo.catalog import build_catalog
from config.demo.offers import add_offers
from config.demo.people import add_people
from config.demo.prices import DATA
from customers.models import Customer, Subscription, Tier
from customers.operations.customers import CustomerFields, create_customer
from customers.operations.subscriptions import start_subscription
from customers.operations.suspension import suspend_customer
from customers.periods import day_start

#: What tells that the demo is there already.
FIRST_EXTERNAL_ID = "demo-acme"
CODING_TRACE = DATA / "azure-llm-2023-code.csv.gz"
CHAT_TRACE = DATA / "mooncake-conversation.csv.gz"


def is_furnished() -> bool:
    """Tell whether the demo's data is there."""
    return Customer.objects.filter(external_id=FIRST_EXTERNAL_ID).exists()


def furnish(*, now: datetime) -> None:
    """Fill an empty house: last month is used and billed, this month is running."""
    plans = build_catalog(now=now)
    add_offers(plans.tokens_usd, plans.tokens_eur, now=now)
    acme = _customer("Acme Robotics, Inc.", "acme", Tier.ENTERPRISE, "USD", "America/New_York", now)
    nordlicht = _customer("Nordlicht KI GmbH", "nordlicht", Tier.STARTUP, "EUR", "Europe/Berlin", now)
    kaveri = _customer("Kaveri Analytics", "kaveri", Tier.DEVELOPER, "INR", "Asia/Kolkata", now)
    heron = _customer("Blue Heron Labs", "heron", Tier.FREE, "USD", "America/Los_Angeles", now)
    _customer("Atelier Lumière", "lumiere", Tier.FREE, "EUR", "Europe/Paris", now)

    last_month, this_month = month_starts(now, acme.timezone)
    acme_subscription = _subscribe(acme, plans.tokens_usd, last_month, now)
    replay_coding_trace(acme_subscription, start=last_month, until=this_month - timedelta(minutes=1), now=now)
    subscription = _subscribe(nordlicht, plans.tokens_eur, month_starts(now, nordlicht.timezone)[1], now)
    replay_chat_trace(subscription, until=now, now=now)
    _subscribe(kaveri, plans.tools_inr, now, now)
    _subscribe(heron, plans.tokens_usd, now, now)

    bill_due(now=now)
    for invoice in Invoice.objects.open().filter(customer=acme):
        record_payment(invoice.id, amount=Decimal(50), reference="Wire 4711", now=now)
    add_people(acme, heron, acme_subscription, since=this_month, now=now)
    wallet = open_wallet(customer=nordlicht.id, name="Prepaid", now=now)
    fund_wallet(wallet.id, amount=Decimal(500), reason="Launch credit", now=now)
    hold_funds(wallet.id, amount=Decimal(20), reference="batch-2210", expires_at=now + timedelta(days=7), now=now)
    suspend_customer(heron.id, reason="Card declined twice", until=now + timedelta(days=2), now=now)


def month_starts(now: datetime, timezone: str) -> tuple[datetime, datetime]:
    """Return when last month and this month began on the clock of ``timezone``."""
    first = now.astimezone(ZoneInfo(timezone)).date().replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    return day_start(before, timezone), day_start(first, timezone)


def replay_coding_trace(subscription: Subscription, *, start: datetime, until: datetime, now: datetime) -> None:
    """Import the requests of the coding assistant, spread from ``start`` to ``until``."""
    _import(
        CODING_TRACE,
        subscription,
        now=now,
        starts_at=start,
        until=until,
        constants=[("model", "gpt-4o")],
        fields=[
            ("timestamp", "TIMESTAMP"),
            ("input_tokens", "ContextTokens"),
            ("output_tokens", "GeneratedTokens"),
        ],
    )


def replay_chat_trace(subscription: Subscription, *, until: datetime, now: datetime) -> None:
    """Import the requests of the chat service, spread from the subscription's start to ``until``."""
    _import(
        CHAT_TRACE,
        subscription,
        now=now,
        starts_at=subscription.starts_at,
        until=until,
        constants=[("model", "kimi-k2")],
        fields=[("timestamp", "timestamp_ms"), ("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")],
    )


def _import(trace: Path, subscription: Subscription, *, now: datetime, **options: Any) -> None:
    call_command("import_usage", trace, subscription=subscription.id, type="llm.request", as_of=now, **options)


def _customer(name: str, slug: str, tier: str, currency: str, timezone: str, now: datetime) -> Customer:
    fields = CustomerFields(
        name=name,
        email=f"billing@{slug}.example",
        external_id=f"demo-{slug}",
        tier=tier,
        currency=currency,
        timezone=timezone,
    )
    return create_customer(fields, now=now)


def _subscribe(customer: Customer, plan: RatePlan, starts_at: datetime, now: datetime) -> Subscription:
    return start_subscription(customer=customer.id, plan=plan.id, starts_at=starts_at, now=now)

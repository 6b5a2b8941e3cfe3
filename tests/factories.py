"""Makers of the objects that tests need: plain functions over the real operations, with defaults that work."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User

from billing.ingestion import NewEvent, parse_event
from billing.models import Hold, Wallet
from billing.operations.holds import hold_funds
from billing.operations.wallets import fund_wallet, open_wallet
from catalog.models import AddOn, Coupon, Gateway, GatewayMapping, Metric, Product, RatePlan, Tax
from catalog.operations.add_ons import create_add_on
from catalog.operations.coupons import CouponValue, create_coupon
from catalog.operations.gateway_mappings import create_gateway_mapping
from catalog.operations.gateways import GatewayFields, create_gateway
from catalog.operations.metrics import create_metric
from catalog.operations.products import ProductFields, advance_product, create_product, set_publish_status
from catalog.operations.rate_plans import ChargeSpec, activate_rate_plan, create_rate_plan
from catalog.operations.taxes import create_tax
from config.kernel.secrets import issued_secrets
from credentials.models import OperatorKey
from credentials.operations.operator_keys import create_operator_key
from customers.models import Agent, Customer, Subscriber, Subscription, Team
from customers.operations.agents import create_agent
from customers.operations.customers import CustomerFields, create_customer
from customers.operations.subscribers import create_subscriber
from customers.operations.subscriptions import start_subscription
from customers.operations.teams import create_team

#: The moment most tests happen at: inside a month that is neither the first nor the last of a year.
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def make_customer(*, now: datetime = NOW, **fields: Any) -> Customer:
    number = next(_numbers)
    defaults = {"name": f"Customer {number}", "email": f"customer-{number}@example.com"}
    return create_customer(CustomerFields(**{**defaults, **fields}), now=now)


def make_team(*, customer: Customer | None = None, now: datetime = NOW, **fields: Any) -> Team:
    defaults = {"name": f"Team {next(_numbers)}"}
    return create_team(customer=(customer or make_customer(now=now)).id, now=now, **{**defaults, **fields})


def make_agent(*, team: Team | None = None, now: datetime = NOW, **fields: Any) -> Agent:
    """Return an application, or with ``kind="AGENT"`` an AI agent, of ``team`` or of one of its own."""
    defaults = {"name": f"Agent {next(_numbers)}"}
    return create_agent(team=(team or make_team(now=now)).id, now=now, **{**defaults, **fields})


def make_subscriber(*, customer: Customer | None = None, now: datetime = NOW, **fields: Any) -> Subscriber:
    """Return a subscriber of ``customer``, or of the UNCLASSIFIED one."""
    defaults = {"email": f"subscriber-{next(_numbers)}@example.com"}
    owner = {} if customer is None else {"customer": customer.id}
    return create_subscriber(now=now, **{**defaults, **owner, **fields})


def make_product(
    *,
    stage: str = "GA",
    publish_status: str = "DRAFT",
    product_type: str = "STANDARD_API",
    now: datetime = NOW,
    **fields: Any,
) -> Product:
    number = next(_numbers)
    defaults = {"code": f"product-{number}", "name": f"Product {number}"}
    product = create_product(ProductFields(**{**defaults, **fields}), product_type=product_type, now=now)
    while product.maturity_stage != stage:
        following = {"EXPERIMENTAL": "BETA", "BETA": "GA", "GA": "DEPRECATED", "DEPRECATED": "RETIRED"}
        product = advance_product(product.id, to=following[product.maturity_stage], now=now)
    while product.publish_status != publish_status:
        following = {"DRAFT": "IN_REVIEW", "IN_REVIEW": "PUBLISHED", "PUBLISHED": "ARCHIVED"}
        product = set_publish_status(product.id, to=following[product.publish_status], now=now)
    return product


def make_gateway(*, credentials: dict[str, str] | None = None, now: datetime = NOW, **fields: Any) -> Gateway:
    """Return a connection to an API Management of Azure, of which nothing has been asked yet."""
    names = ("tenant_id", "subscription_id", "resource_group", "service_name")
    given = {"name": f"Gateway {next(_numbers)}", "settings": {"cloud": "public", **dict.fromkeys(names, "one")}}
    secrets = credentials or {"client_id": "client-1", "client_secret": "s3cret-of-the-client"}
    return create_gateway(GatewayFields(**{**given, **fields}), vendor="AZURE_APIM", credentials=secrets, now=now)


def make_gateway_mapping(
    *, gateway: Gateway | None = None, product: Product | None = None, now: datetime = NOW, **fields: Any
) -> GatewayMapping:
    """Return a mapping whose first check waits."""
    both = {"gateway": (gateway or make_gateway(now=now)).id, "product": (product or make_product(now=now)).id}
    return create_gateway_mapping(**{**both, "external_ref": f"api-{next(_numbers)}", **fields}, now=now)


def make_metric(*, now: datetime = NOW, **fields: Any) -> Metric:
    number = next(_numbers)
    defaults = {"code": f"metric-{number}", "name": f"Metric {number}", "aggregation": "COUNT"}
    return create_metric(**{**defaults, **fields}, now=now)


def make_seats(**fields: Any) -> Metric:
    """Return a recurring metric whose units are added and removed, so that each is held for some days."""
    return make_metric(**{"aggregation": "SUM", "property": "seats", "recurring": True, **fields})


def make_charge(metric: Metric, *, model: str = "STANDARD", unit_amount: str = "0.01", **fields: Any) -> ChargeSpec:
    properties = fields.pop("properties", {"unit_amount": unit_amount})
    return ChargeSpec(metric=metric.id, model=model, properties=properties, **fields)


def make_plan(
    *,
    product: Product | None = None,
    charges: Sequence[ChargeSpec] = (),
    active: bool = True,
    now: datetime = NOW,
    **fields: Any,
) -> RatePlan:
    number = next(_numbers)
    defaults = {
        "product": (product or make_product(now=now)).id,
        "code": f"plan-{number}",
        "name": f"Plan {number}",
        "interval": "month",
        "amount": Decimal(100),
        "currency": "USD",
    }
    plan = create_rate_plan(**{**defaults, **fields}, charges=charges, now=now)
    return activate_rate_plan(plan.id, now=now) if active else plan


def make_tax(*, rate_percent: str = "19", now: datetime = NOW, **fields: Any) -> Tax:
    number = next(_numbers)
    defaults = {"code": f"tax-{number}", "name": f"Tax {number}"}
    return create_tax(rate_percent=Decimal(rate_percent), now=now, **{**defaults, **fields})


def make_add_on(*, amount: str = "50", now: datetime = NOW, **fields: Any) -> AddOn:
    number = next(_numbers)
    defaults = {"code": f"add-on-{number}", "name": f"Add-on {number}", "currency": "USD"}
    return create_add_on(amount=Decimal(amount), now=now, **{**defaults, **fields})


def make_coupon(*, amount: str | None = None, rate_percent: str = "10", now: datetime = NOW, **fields: Any) -> Coupon:
    """Return a coupon for ``rate_percent``, or with ``amount`` for so much money."""
    number = next(_numbers)
    kind: dict[str, Any] = {"kind": "percentage", "rate_percent": Decimal(rate_percent)}
    if amount is not None:
        kind = {"kind": "fixed_amount", "amount": Decimal(amount), "currency": fields.pop("currency", "USD")}
    given = {"frequency", "periods", "is_reusable"} & fields.keys()
    value = {**kind, **{name: fields.pop(name) for name in given}}
    defaults = {"code": f"coupon-{number}", "name": f"Coupon {number}"}
    return create_coupon(CouponValue(**value), now=now, **{**defaults, **fields})


def make_subscription(
    *, customer: Customer | None = None, plan: RatePlan | None = None, now: datetime = NOW, **fields: Any
) -> Subscription:
    owner = customer or make_customer(now=now)
    return start_subscription(customer=owner.id, plan=(plan or make_plan(now=now)).id, now=now, **fields)


def make_event(subscription: Subscription, *, at: datetime, now: datetime = NOW, **fields: Any) -> NewEvent:
    number = next(_numbers)
    body = {"transaction_id": f"event-{number}", "type": "call", "subscription": subscription.id, **fields}
    return parse_event({"timestamp": at.isoformat(), **body}, now=now)


def make_wallet(*, customer: Customer | None = None, balance: str = "0", now: datetime = NOW, **fields: Any) -> Wallet:
    """Return a wallet with ``balance`` granted to it in one lot."""
    owner = customer or make_customer(now=now)
    wallet = open_wallet(customer=owner.id, now=now, **fields)
    if Decimal(balance):
        wallet = fund_wallet(wallet.id, amount=Decimal(balance), reason="", now=now)
    return wallet


def make_hold(
    amount: str = "5", *, wallet: Wallet | None = None, balance: str = "10", now: datetime = NOW, **fields: Any
) -> Hold:
    """Return a hold on ``wallet``, or on a fresh one with ``balance``."""
    purse = wallet or make_wallet(balance=balance, now=now)
    defaults = {"reference": f"job-{next(_numbers)}"}
    return hold_funds(purse.id, amount=Decimal(amount), now=now, **{**defaults, **fields})


def make_operator_key(*scopes: str, now: datetime = NOW, **fields: Any) -> tuple[OperatorKey, str]:
    """Return a key of the API and its secret."""
    with issued_secrets() as issued:
        key = create_operator_key(name=f"key {next(_numbers)}", scopes=scopes or ("*",), now=now, **fields)
    return key, issued[0].shown_once["key"]


def make_operator(**fields: Any) -> User:
    """Return a person at the desk who may do everything."""
    defaults = {"username": f"operator-{next(_numbers)}", "password": "correct horse battery staple"}
    return User.objects.create_superuser(**{**defaults, **fields})


def make_clerk(*codenames: str) -> User:
    """Return a person at the desk who has these permissions; without any, everything may be read."""
    clerk = User.objects.create_user(username=f"clerk-{next(_numbers)}", is_staff=True)
    wanted = {"codename__in": codenames} if codenames else {"codename__startswith": "view_"}
    clerk.user_permissions.set(Permission.objects.filter(**wanted))
    return clerk

"""A customer whose usage can be told apart by everything, and its usage as the API answers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from rest_framework.test import APIClient

from billing.operations.usage import receive_events
from catalog.models import Metric
from config.kernel.money import EXACT
from credentials.operations.credentials import issue_customer_key
from customers.models import Customer
from tests.billing.usage_wire import JANUARY, NOW
from tests.factories import (
    make_agent,
    make_charge,
    make_customer,
    make_metric,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
    make_team,
)

BREAKDOWNS = ["model", "team", "agent", "subscriber", "credential", "product", "subscription", "metric"]
TIERS = [
    {"up_to": "10", "unit_amount": "0.000000000007", "flat_amount": "3"},
    {"up_to": "300", "unit_amount": "0.000000000005", "flat_amount": "1"},
    {"up_to": None, "unit_amount": "0.000000000003"},
]


@dataclass(frozen=True, kw_only=True)
class House:
    """A customer with one of everything that usage is told apart by, each id by its name here."""

    customer: Customer
    ids: dict[str, str]
    calls: Metric
    tokens: Metric


def send(name: str, *, at: str = "2026-02-21T10:00:00Z", type: str = "chat", **fields: Any) -> None:
    [outcome] = receive_events([{"transaction_id": name, "type": type, "timestamp": at, **fields}], now=NOW)
    assert outcome.error is None


def furnish() -> House:
    """
    Return a customer with two teams of an agent each, keys for both and one of its own, a subscriber and two products.

    Each product charges 1 for a chat and tokens in tiers.
    """
    customer = make_customer()
    calls = make_metric(event_type="chat", code="chats")
    tokens = make_metric(event_type="chat", code="tokens", aggregation="SUM", property="tokens", dimensions=["model"])
    ids = {"subscriber": str(make_subscriber(customer=customer, email="ann@example.com").id)}
    for name in ("a", "b"):
        charges = [
            make_charge(calls, unit_amount="1"),
            make_charge(tokens, model="GRADUATED", properties={"tiers": TIERS}),
        ]
        product = make_product(code=name)
        plan = make_plan(product=product, charges=charges)
        subscription = make_subscription(customer=customer, plan=plan, starts_at=JANUARY)
        agent = make_agent(team=make_team(customer=customer))
        key = issue_customer_key(
            customer.id, name=name, scopes=["*"], subscription=subscription.id, agent=agent.id, now=NOW
        )
        ids |= {
            f"product {name}": product.id,
            f"subscription {name}": subscription.id,
            f"team {name}": agent.team_id,
            f"agent {name}": agent.id,
            f"key {name}": key.id,
        }
    ids["key"] = issue_customer_key(customer.id, name="own", scopes=["*"], now=NOW).id
    return House(customer=customer, ids=ids, calls=calls, tokens=tokens)


def usage_of(api: APIClient, customer: Customer | str, **parameters: str) -> Any:
    """Return the answer with its numbers as they are printed."""
    pk = customer if isinstance(customer, str) else customer.id
    answer = api.get(f"/v1/customers/{pk}/usage", parameters)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content, parse_float=Decimal)


def parts_of(api: APIClient, customer: Customer | str, by: str, **parameters: str) -> dict[str, Any]:
    """Return requests and cost of each part of the only row."""
    [row] = usage_of(api, customer, breakdown_by=by, **parameters)["breakdown"]
    return {label: (part["requests"], part["cost"]) for label, part in row[f"by_{by}"].items()}


def sum_exactly(amounts: Any) -> Decimal:
    """Return the sum without rounding."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))

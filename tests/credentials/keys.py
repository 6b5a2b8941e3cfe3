"""Keys of customers with their secrets, as they were shown once."""

from __future__ import annotations

from typing import Any

from config.kernel.secrets import issued_secrets
from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key, rotate_credential
from customers.models import Customer, Subscription
from tests.factories import NOW, make_customer, make_plan, make_product, make_subscription


def issue(customer: Customer | None = None, **fields: Any) -> tuple[Credential, str]:
    """Return a key of ``customer``, or of one of its own, and its secret."""
    owner = customer or make_customer()
    with issued_secrets() as issued:
        key = issue_customer_key(owner.id, **{"name": "Key", "scopes": ["*"], "now": NOW, **fields})
    return key, issued[0].shown_once["key"]


def subscribe(product_type: str = "STANDARD_API", **fields: Any) -> tuple[Subscription, dict[str, str]]:
    """Return a subscription to a product of the type and what was shown once of its credential."""
    with issued_secrets() as issued:
        subscription = make_subscription(plan=make_plan(product=make_product(product_type=product_type)), **fields)
    return subscription, issued[0].shown_once


def rotate(credential: Credential, **fields: Any) -> tuple[Credential, dict[str, str]]:
    """Return the credential with a new secret, and what was shown once of it."""
    with issued_secrets() as issued:
        rotated = rotate_credential(credential.id, **{"now": NOW, **fields})
    return rotated, issued[0].shown_once

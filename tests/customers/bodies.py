"""Bodies of requests that start subscriptions."""

from __future__ import annotations

from typing import Any

from tests.factories import make_customer, make_plan


def new_subscription(**fields: Any) -> dict[str, Any]:
    """Return the body that subscribes a customer of its own to a plan of its own."""
    return {"customer": fields.pop("customer", None) or make_customer().id, "plan": make_plan().id, **fields}

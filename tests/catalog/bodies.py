"""Bodies of requests that draft rate plans."""

from __future__ import annotations

from typing import Any

from tests.factories import make_metric, make_product

TIERS: dict[str, Any] = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}
PRICE = {"unit_amount": "0.000000000001"}


def new_plan(*charges: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body that drafts a plan."""
    return {"product": make_product().id, "code": "pro", "name": "Pro", "charges": list(charges), **fields}


def new_charge(**fields: Any) -> dict[str, Any]:
    """Return a charge of a body, on a metric kept apart by model."""
    metric = fields.pop("metric", None) or make_metric(dimensions=["model"]).id
    return {"metric": metric, "model": "STANDARD", "properties": PRICE, **fields}


#: The terms of a plan that says nothing of them, and those of such a charge.
NO_TERMS: dict[str, Any] = {
    "pay_in_advance": False, "trial_days": 0, "minimum_commitment": None, "maximum_spend": None, "limits": {}
}  # fmt: skip
NO_CHARGE_TERMS: dict[str, Any] = {"minimum_amount": 0, "prorated": False}

"""SLA tiers: what of them is ours to say, and by what they are known as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.limits import Limit

#: A tier has to have a limit, so what is unlimited gets one that nobody reaches.
BOUNDLESS: Mapping[str, int] = {"1000": 1_000_000_000}
PLAIN = ("name", "description", "status", "autoApprove")


def tier_name(mark: str, plan: str) -> str:
    """Return what a plan's tier is called."""
    return f"{mark}-{plan}"


def managed_fields(document: DesiredDocument, plan: DesiredPlan) -> dict[str, Any]:
    """
    Return the fields of a plan's tier as they should be; limits as requests by milliseconds.

    Nothing is approved by itself: whoever asks for a tier in Exchange would be let in without a subscription.
    """
    return {
        "name": tier_name(document.mark, plan.ref),
        "description": f"{document.name}: {plan.name} ({plan.slug}). {_ownership(document, plan.ref)}",
        "status": "ACTIVE",
        "autoApprove": False,
        "limits": _windows(plan.limits) or dict(BOUNDLESS),
    }


def read_fields(tier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a live tier that are ours to say; of two limits for one period the stricter one counts."""
    fields = {name: tier[name] for name in PLAIN if tier.get(name) is not None}
    limits: dict[str, int] = {}
    for one in sorted(tier.get("limits") or (), key=lambda one: int(one["timePeriodInMilliseconds"])):
        period, most = str(int(one["timePeriodInMilliseconds"])), int(one["maximumRequests"])
        limits[period] = min(most, limits.get(period, most))
    return {**fields, "limits": limits}


def body_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole tier to send; every limit is visible, at least one has to be."""
    limits = [
        {"visible": True, "timePeriodInMilliseconds": int(period), "maximumRequests": most}
        for period, most in sorted(fields["limits"].items(), key=lambda one: int(one[0]))
    ]
    return {**{name: fields[name] for name in PLAIN}, "limits": limits}


def plan_of(document: DesiredDocument, tier: Mapping[str, Any]) -> str | None:
    """
    Return the plan of a tier of ours for this product, None for those of others.

    Somebody may have renamed a tier or described it anew: either of both tells.
    """
    found = re.search(_ownership(document, r"(plan_\w+)", quoted=True), str(tier.get("description") or ""))
    if found:
        return found[1]
    named = {tier_name(document.mark, plan.ref): plan.ref for plan in document.plans}
    return named.get(str(tier.get("name") or ""))


def _ownership(document: DesiredDocument, plan: str, *, quoted: bool = False) -> str:
    mark, product = document.mark, document.product
    if quoted:
        mark, product = re.escape(mark), re.escape(product)
    return f"Made by {mark} for {product}, {plan}; changes here are undone"


def _windows(limits: Sequence[Limit]) -> dict[str, int]:
    return {str(limit.of.seconds * 1000): limit.count for limit in limits}

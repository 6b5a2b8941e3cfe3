"""Usage plans as our record has them, as AWS has them, and the patch between the two; asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.failures import Unsupported
from catalog.gateways.interface import Fields, Resource
from catalog.limits import Limit

KIND = "usage plan"
#: Rates are sent with nine places at most, and with as many digits as a double of AWS's gives back unchanged.
PLACES = Decimal("1e-9")
DIGITS = 15
#: Both counts are whole numbers of 32 bits at AWS.
MOST = 2**31 - 1
LONGEST_DESCRIPTION = 1000
#: How often a quota's window fits at most into a longer one that follows the calendar: a month touches six weeks.
WINDOWS_IN = {("day", "week"): 7, ("day", "month"): 31, ("week", "month"): 6}


def tags_of(mark: str, product: str, plan: str, ref: str) -> dict[str, str]:
    """Return the tags by which a usage plan is ours, and which rate plan at which stage it is."""
    return {f"{mark}:product": product, f"{mark}:plan": plan, f"{mark}:stage": ref}


def stage_of(ref: str) -> str:
    """Return the stage as usage plans name it: ``a1b2c3/prod`` is ``a1b2c3:prod``."""
    return ref.replace("/", ":")


def desired_plan(plan: DesiredPlan, document: DesiredDocument, ref: str) -> Resource:
    """
    Return a rate plan as a usage plan.

    Raises:
        Unsupported: it has two quotas that both bind; a usage plan has one.
    """
    fields = {
        "name": f"{document.mark}-{document.code}-{plan.slug}",
        "description": f"{document.name}: {plan.name}"[:LONGEST_DESCRIPTION],
        "stages": [stage_of(ref)],
        "throttle": throttle_of(plan.limits),
        "quota": quota_of(plan),
    }
    return Resource(kind=KIND, key=plan.ref, label=plan.name, fields=_without_empty(fields))


def throttle_of(limits: Sequence[Limit]) -> dict[str, Any] | None:
    """
    Return rates as AWS throttles: the lowest of them for each second, above a burst of what the shortest allows.

    An own burst takes that one's place.
    """
    rates = [limit for limit in limits if limit.of.kind == "rate"]
    if not rates:
        return None
    burst = next((limit.count for limit in limits if limit.of.kind == "burst"), None)
    each_second = min(Decimal(limit.count) / limit.of.seconds for limit in rates)
    # Rounded down, so that nobody gets more than was sold.
    first = min(rates, key=lambda limit: limit.of.seconds)
    return {
        "rateLimit": rate(each_second, ROUND_DOWN),
        "burstLimit": first.count if burst is None else burst,
    }


def quota_of(plan: DesiredPlan) -> dict[str, Any] | None:
    """Return the quota, of several the shortest where it implies the others; raises Unsupported where it does not."""
    quotas = sorted((one for one in plan.limits if one.of.kind == "quota"), key=lambda one: one.of.seconds)
    if not quotas:
        return None
    kept = quotas[0]
    for other in quotas[1:]:
        if kept.count * WINDOWS_IN[kept.of.unit, other.of.unit] > other.count:
            raise Unsupported(
                f"{plan.name}: AWS takes one quota for a usage plan, and {kept.of.label.lower()} does not keep "
                f"{other.of.label.lower()}"
            )
    return {"limit": kept.count, "period": kept.of.unit.upper(), "offset": 0}


def live_plan(found: Mapping[str, Any], *, key: str, label: str) -> Resource:
    """Return a usage plan of AWS, reduced to what is ours to say."""
    stages = found.get("apiStages") or []
    fields = {
        "name": found.get("name"),
        "description": found.get("description"),
        "stages": sorted(f"{one['apiId']}:{one['stage']}" for one in stages),
        # Limits of single methods, which we never make, replace those of the plan.
        "methods": {
            f"{one['apiId']}:{one['stage']}": {name: _throttle(limit) for name, limit in one["throttle"].items()}
            for one in stages
            if one.get("throttle")
        },
        "throttle": _throttle(found.get("throttle")),
        "quota": _quota(found.get("quota")),
    }
    return Resource(kind=KIND, key=key, label=label, fields=_without_empty(fields), handle={"id": found["id"]})


def creation(wanted: Resource, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what makes a usage plan, limits and access at once."""
    fields = wanted.fields
    stages = [dict(zip(("apiId", "stage"), stage.split(":"), strict=True)) for stage in fields["stages"]]
    body = {**fields, "apiStages": stages, "tags": dict(tags)}
    del body["stages"]
    if "throttle" in body:
        body["throttle"] = {**body["throttle"], "rateLimit": float(body["throttle"]["rateLimit"])}
    return body


def patch(wanted: Fields, found: Fields) -> list[dict[str, str]]:
    """Return the operations that make a usage plan what is wanted, for one call; none where it is."""
    operations = [
        {"op": "replace", "path": f"/{name}", "value": wanted[name]}
        for name in ("name", "description")
        if wanted[name] != found.get(name)
    ]
    for name in ("throttle", "quota"):
        operations += _limits_patch(name, wanted.get(name) or {}, found.get(name) or {})
    there, methods = set(found.get("stages", ())), set(found.get("methods", ()))
    stages = set(wanted["stages"])
    # A stage that is attached anew has lost the limits of its methods.
    operations += _stages_patch("remove", stages & methods)
    operations += _stages_patch("add", (stages - there) | (stages & methods))
    operations += _stages_patch("remove", there - stages)
    return operations


def detachment(found: Fields) -> list[dict[str, str]]:
    """Return the operations that leave a usage plan without any stage."""
    return list(_stages_patch("remove", found.get("stages", ())))


def rate(number: Decimal, rounding: str) -> str:
    """Return a rate in digits, without an exponent and without noughts at its end."""
    rounded = Context(prec=DIGITS, rounding=rounding).create_decimal(number).normalize()
    places = rounded.as_tuple().exponent
    if isinstance(places, int) and places < -9:
        rounded = rounded.quantize(PLACES, rounding=rounding).normalize()
    return format(rounded, "f")


def _limits_patch(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if found and not wanted:
        yield {"op": "remove", "path": f"/{name}"}
        return
    for field, value in wanted.items():
        if found.get(field) != value:
            operation = "replace" if field in found else "add"
            yield {"op": operation, "path": f"/{name}/{field}", "value": str(value)}


def _stages_patch(operation: str, stages: Iterable[str]) -> Iterator[dict[str, str]]:
    for stage in sorted(stages):
        yield {"op": operation, "path": "/apiStages", "value": stage}


def _throttle(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    each_second = Decimal(str(found.get("rateLimit", 0)))
    return {"rateLimit": rate(each_second, ROUND_HALF_EVEN), "burstLimit": int(found.get("burstLimit", 0))}


def _quota(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    return {
        "limit": int(found.get("limit", 0)),
        "period": str(found.get("period", "")),
        "offset": int(found.get("offset", 0)),
    }


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}

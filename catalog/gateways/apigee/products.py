"""API products: what of them is ours to say, and how they carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.failures import Unsupported
from catalog.limits import Limit

#: The window of each limit as interval and unit; a product has no smaller unit than the minute.
WINDOWS: Mapping[str, tuple[str, str]] = {
    "minute": ("1", "minute"),
    "hour": ("1", "hour"),
    "day": ("1", "day"),
    "week": ("7", "day"),
    "month": ("1", "month"),
}
QUOTA = ("quota", "quotaInterval", "quotaTimeUnit")
#: What the server adds, and refuses or ignores when it is sent back.
SERVER_SET = ("createdAt", "lastModifiedAt")
PLAIN = ("displayName", "description", "approvalType", *QUOTA)
LISTS = ("environments", "proxies", "apiResources")


def product_name(mark: str, plan: str) -> str:
    """Return what a plan's product is called at Apigee, for good."""
    return f"{mark}-{plan}"


def managed_fields(
    document: DesiredDocument, plan: DesiredPlan, *, proxy: str, environments: Sequence[str]
) -> dict[str, Any]:
    """
    Return the fields of a plan's product as they should be.

    Raises:
        Unsupported: two limits need the one quota that a product has.
    """
    attributes = {
        "access": "private",
        f"{document.mark}-plan": plan.ref,
        f"{document.mark}-product": document.product,
    }
    return {
        "displayName": f"{document.name}: {plan.name} ({plan.slug})",
        "approvalType": "auto",
        "environments": sorted(environments),
        "operations": [{"apiSource": proxy, "operations": [{"resource": "/**", "methods": []}]}],
        "attributes": attributes,
        **_quota(plan.limits),
    }


def read_fields(product: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """Return the fields of a live product that are ours to say; empty lists and the server's own are left out."""
    fields: dict[str, Any] = {name: str(product[name]) for name in PLAIN if product.get(name) not in (None, "")}
    fields.pop("description", None)
    fields |= {name: sorted(product[name]) for name in LISTS if product.get(name)}
    fields["attributes"] = {name: value for name, value in attributes_of(product).items() if _is_ours(name, mark)}
    fields["operations"] = _operations(product)
    return fields


def body_of(name: str, fields: Mapping[str, Any], live: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the whole product to send: ours over what is there, because Apigee replaces all of it."""
    kept = {key: value for key, value in (live or {}).items() if key not in {*SERVER_SET, *PLAIN, *LISTS}}
    kept.pop("operationGroup", None)
    description = (live or {}).get("description")
    if description:
        kept["description"] = description
    attributes = {**attributes_of(live or {}), **fields["attributes"]}
    plain = {key: fields[key] for key in (*PLAIN, *LISTS) if key in fields}
    return {
        **kept,
        "name": name,
        **plain,
        "operationGroup": {
            "operationConfigs": [_operation_config(one) for one in fields["operations"]],
            "operationConfigType": "proxy",
        },
        "attributes": [{"name": key, "value": value} for key, value in sorted(attributes.items())],
    }


def attributes_of(thing: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes by name."""
    return {one["name"]: one.get("value", "") for one in thing.get("attributes") or ()}


def _is_ours(name: str, mark: str) -> bool:
    return name in {"access", f"{mark}-plan", f"{mark}-product"}


def _quota(limits: Sequence[Limit]) -> dict[str, str]:
    if len(limits) > 1:
        names = " and ".join(limit.of.label.lower() for limit in limits)
        raise Unsupported(f"An Apigee product has one quota; this plan has {names}")
    return {
        name: value
        for limit in limits
        for name, value in zip(QUOTA, (str(limit.count), *WINDOWS[limit.of.unit]), strict=True)
    }


def _operations(product: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operations in order, without what only the server says."""
    group = product.get("operationGroup") or {}
    configs = [
        {
            "apiSource": config.get("apiSource", ""),
            "operations": [
                {"resource": one.get("resource", ""), "methods": sorted(one.get("methods") or ())}
                for one in config.get("operations") or ()
            ],
            **({"quota": dict(config["quota"])} if config.get("quota") else {}),
        }
        for config in group.get("operationConfigs") or ()
    ]
    return sorted(configs, key=str)


def _operation_config(config: Mapping[str, Any]) -> dict[str, Any]:
    operations = [
        {"resource": one["resource"], **({"methods": one["methods"]} if one["methods"] else {})}
        for one in config["operations"]
    ]
    return {"apiSource": config["apiSource"], "operations": operations}

"""
The policy that holds callers to their tiers: one on an API instance.

A policy carries no name or mark. An instance has one of its kind at most, so it belongs to the mapping: one that is
there already is taken over. It is never removed, because an instance without it is open to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.gateways.failures import Conflict
from catalog.gateways.interface import Change, Resource
from catalog.gateways.mulesoft.anypoint import Anypoint

#: The group of the policies that MuleSoft publishes.
GROUP = "68ef9520-24e9-4cf2-b2f5-620025690913"
ASSET = "rate-limiting-sla-based"
VERSION = "1.3.1"
#: Identifies callers too, which is why the platform takes one of both only.
RIVAL = "client-id-enforcement"
LABEL = "policy rate-limiting-sla-based"
CONFIGURATION: Mapping[str, Any] = {
    "clientIdExpression": "#[attributes.headers['client_id']]",
    "clientSecretExpression": "#[attributes.headers['client_secret']]",
    "clusterizable": True,
    "exposeHeaders": False,
}
WANTED = Resource(
    kind="policy",
    key=ASSET,
    label=LABEL,
    fields={"assetId": ASSET, "disabled": False, "configurationData": dict(CONFIGURATION)},
)


def fetch_policy(anypoint: Anypoint, ref: str) -> Resource | None:
    """Return the policy of an API instance, reduced to what we say of it; its version and order are not ours."""
    listed = next((one for one in _listed(anypoint, ref) if one["asset"] == ASSET), None)
    whole = None if listed is None else anypoint.get(anypoint.of_instance(ref, f"/policies/{listed['id']}"))
    if listed is None or whole is None:
        return None
    configuration = dict(whole.get("configurationData") or {})
    fields = {
        "assetId": ASSET,
        "disabled": bool(whole.get("disabled")),
        "configurationData": {name: value for name, value in configuration.items() if name in CONFIGURATION},
        # None for all of the API; a list leaves the rest of it open.
        **({"pointcutData": whole["pointcutData"]} if whole.get("pointcutData") else {}),
    }
    return Resource(
        kind="policy", key=ASSET, label=LABEL, fields=fields, handle={"id": listed["id"], "live": dict(whole)}
    )


def apply_policy(anypoint: Anypoint, ref: str, change: Change) -> None:
    """
    Put the policy on the API instance, or set the one there is.

    Raises:
        Conflict: a policy made by others excludes it.
    """
    there = change.found or fetch_policy(anypoint, ref)
    if there is None:
        _create(anypoint, ref)
        return
    live = there.handle["live"]
    if there.fields != {**WANTED.fields, "disabled": there.fields["disabled"]}:
        anypoint.patch(anypoint.of_instance(ref, f"/policies/{there.handle['id']}"), _body(live))
    if there.fields["disabled"]:
        anypoint.act(anypoint.action_of(ref, f"/policies/{there.handle['id']}/enable"))


def _create(anypoint: Anypoint, ref: str) -> None:
    rival = next((one for one in _listed(anypoint, ref) if one["asset"] == RIVAL), None)
    if rival is not None:
        raise Conflict(
            f"The API instance {ref} has the policy {RIVAL} (policy {rival['id']}), which excludes {ASSET}; the latter "
            f"checks client ids as well, so remove the former in API Manager",
            status=409,
        )
    version = anypoint.connection.settings.get("policy_version") or VERSION
    anypoint.post(anypoint.of_instance(ref, "/policies"), _body({"assetVersion": version}))


def _body(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy to send; of one that is there what is not ours stays."""
    return {
        "groupId": live.get("groupId") or GROUP,
        "assetId": ASSET,
        "assetVersion": live["assetVersion"],
        "configurationData": {**(live.get("configurationData") or {}), **CONFIGURATION},
        "pointcutData": None,
        **({"order": live["order"]} if live.get("order") is not None else {}),
    }


def _listed(anypoint: Anypoint, ref: str) -> list[dict[str, Any]]:
    """Return the policies by id and asset; they are listed in two forms, and which one comes is not documented."""
    body = anypoint.whole(anypoint.of_instance(ref, "/policies"))
    rows = body.get("policies") if isinstance(body, Mapping) else body
    return [
        {
            "id": one.get("id") or one.get("policyId"),
            "asset": one.get("assetId") or (one.get("template") or {}).get("assetId"),
        }
        for one in rows or ()
        if isinstance(one, Mapping)
    ]

"""
A small API Gateway of AWS (REST APIs, version 1).

It does what moto leaves out: lists have pages, patches have to be of the table in AWS's developer guide, stages have to
exist and to be detached before a usage plan goes, and a key is in one usage plan a stage.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from tests.gateways.contract import Answered, Sent
from tests.gateways.fakes.aws_front import AwsFront, copied, error, shown
from tests.gateways.fakes.server import answer, route

#: Operations that AWS takes on a usage plan (developer guide, patch operations).
PATCHES = (
    (r"replace", r"/(name|description)"),
    (r"add|remove", r"/apiStages"),
    (r"remove", r"/(quota|throttle)"),
    (r"add|replace", r"/quota/(limit|offset|period)"),
    (r"add|replace", r"/throttle/(rateLimit|burstLimit)"),
)


class FakeAws(AwsFront):
    """
    One account in one region.

    ``plans`` and ``keys`` are by id, ``members`` the ids of the keys in a plan. With ``strict_values`` the value of a
    key may have letters and digits only.
    """

    def __init__(self, *, page_size: int = 2) -> None:
        super().__init__(page_size=page_size)
        self.strict_values = False
        self.stages = {("a1", "prod"), ("a2", "prod")}
        self.plans: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.members: dict[str, list[str]] = {}

    @route("GET", "/account")
    def account(self, sent: Sent) -> Answered:
        """Show the account."""
        throttle = {"rateLimit": 10000.0, "burstLimit": 5000}
        return answer(200, {"throttleSettings": throttle, "features": ["UsagePlans"], "apiKeyVersion": "4"})

    @route("GET", "/restapis/([^/]+)/stages/([^/]+)")
    def stage(self, sent: Sent, api: str, stage: str) -> Answered:
        """Show a stage."""
        if api not in {one for one, _ in self.stages}:
            return error(404, "NotFoundException", f"Invalid API identifier specified 123456789012:{api}")
        if (api, stage) not in self.stages:
            return error(404, "NotFoundException", "Invalid stage identifier specified")
        return answer(
            200, {"deploymentId": "d1", "stageName": stage, "cacheClusterEnabled": False, "createdDate": 1.7e9}
        )

    @route("GET", "/usageplans")
    def list_plans(self, sent: Sent) -> Answered:
        """List usage plans, those with a key where one is named."""
        key = dict(sent.query).get("keyId")
        return self.page(sent, [one for one in self.plans.values() if key is None or key in self.members[one["id"]]])

    @route("POST", "/usageplans")
    def create_plan(self, sent: Sent) -> Answered:
        """Make a usage plan; names need not be unique."""
        body = sent.json
        for stage in body.get("apiStages", ()):
            if (stage["apiId"], stage["stage"]) not in self.stages:
                return error(404, "NotFoundException", f"API Stage not found: {stage['apiId']}:{stage['stage']}")
        plan = {"id": secrets.token_hex(3), **body}
        if "quota" in plan:
            plan["quota"] = {"offset": 0, **plan["quota"]}
        refused = self._invalid(plan)
        if refused is not None:
            return refused
        self.plans[plan["id"]], self.members[plan["id"]] = plan, []
        return answer(201, shown(plan))

    @route("GET", "/usageplans/([^/]+)")
    def plan(self, sent: Sent, plan_id: str) -> Answered:
        """Show a usage plan."""
        return answer(200, shown(self.plans[plan_id])) if plan_id in self.plans else _no_plan()

    @route("PATCH", "/usageplans/([^/]+)")
    def patch_plan(self, sent: Sent, plan_id: str) -> Answered:
        """Change a usage plan, wholly or not at all."""
        if plan_id not in self.plans:
            return _no_plan()
        changed = copied(self.plans[plan_id])
        for operation in sent.json["patchOperations"]:
            refused = self._patched(changed, operation)
            if refused is not None:
                return refused
        refused = self._invalid(changed)
        if refused is not None:
            return refused
        self.plans[plan_id] = changed
        return answer(200, shown(changed))

    @route("DELETE", "/usageplans/([^/]+)")
    def delete_plan(self, sent: Sent, plan_id: str) -> Answered:
        """Delete a usage plan that has no stages."""
        if plan_id not in self.plans:
            return _no_plan()
        if self.plans[plan_id].get("apiStages"):
            because = "because there are API Stages associated with it"
            return error(400, "BadRequestException", f"Cannot delete Usage Plan {plan_id} {because}")
        del self.plans[plan_id], self.members[plan_id]
        return answer(202)

    @route("GET", "/usageplans/([^/]+)/keys")
    def list_members(self, sent: Sent, plan_id: str) -> Answered:
        """List the keys in a usage plan."""
        if plan_id not in self.plans:
            return _no_plan()
        return self.page(sent, [_member(self.keys[one]) for one in self.members[plan_id]])

    @route("POST", "/usageplans/([^/]+)/keys")
    def add_member(self, sent: Sent, plan_id: str) -> Answered:
        """Put a key into a usage plan; it can be in one plan of a stage only."""
        if plan_id not in self.plans:
            return _no_plan()
        key_id, stages = sent.json["keyId"], _stages(self.plans[plan_id])
        if key_id not in self.keys:
            return _no_key()
        for other, members in self.members.items():
            if key_id in members and (other == plan_id or stages & _stages(self.plans[other])):
                return error(409, "ConflictException", f"Usage Plan Key is associated with Usage Plan {other} already")
        self.members[plan_id].append(key_id)
        return answer(201, _member(self.keys[key_id]))

    @route("DELETE", "/usageplans/([^/]+)/keys/([^/]+)")
    def remove_member(self, sent: Sent, plan_id: str, key_id: str) -> Answered:
        """Take a key out of a usage plan."""
        if key_id not in self.members.get(plan_id, ()):
            return error(404, "NotFoundException", "Invalid Usage Plan Key identifier specified")
        self.members[plan_id].remove(key_id)
        return answer(202)

    @route("GET", "/apikeys")
    def list_keys(self, sent: Sent) -> Answered:
        """List keys whose names begin as asked."""
        query = dict(sent.query)
        has_values = query.get("includeValues") == "true"
        found = [one for one in self.keys.values() if one["name"].startswith(query.get("name", ""))]
        return self.page(sent, [_key(one, with_value=has_values) for one in found])

    @route("POST", "/apikeys")
    def create_key(self, sent: Sent) -> Answered:
        """Make a key, with a value of AWS's own where none is given."""
        body = sent.json
        value = body.get("value", secrets.token_urlsafe(30).translate({45: "a", 95: "b"}))
        if len(value) < 20:
            return error(400, "BadRequestException", "API Key value should be at least 20 characters")
        if self.strict_values and not value.isalnum():
            return error(400, "BadRequestException", f"API Key value {value} contains invalid characters")
        if any(one["value"] == value for one in self.keys.values()):
            return error(409, "ConflictException", "API Key already exists")
        key = {"id": secrets.token_hex(5), "enabled": False, **body, "value": value, "createdDate": 1.7e9}
        self.keys[key["id"]] = key
        return answer(201, _key(key, with_value=True))

    @route("GET", "/apikeys/([^/]+)")
    def key(self, sent: Sent, key_id: str) -> Answered:
        """Show a key, its value where asked."""
        if key_id not in self.keys:
            return _no_key()
        return answer(200, _key(self.keys[key_id], with_value=dict(sent.query).get("includeValue") == "true"))

    @route("PATCH", "/apikeys/([^/]+)")
    def patch_key(self, sent: Sent, key_id: str) -> Answered:
        """Switch a key."""
        if key_id not in self.keys:
            return _no_key()
        for operation in sent.json["patchOperations"]:
            if (operation["op"], operation["path"]) != ("replace", "/enabled"):
                return _bad_patch(operation)
            self.keys[key_id]["enabled"] = {"true": True, "false": False}[operation["value"]]
        return answer(200, _key(self.keys[key_id], with_value=False))

    @route("DELETE", "/apikeys/([^/]+)")
    def delete_key(self, sent: Sent, key_id: str) -> Answered:
        """Delete a key, and its places in usage plans."""
        if self.keys.pop(key_id, None) is None:
            return _no_key()
        for members in self.members.values():
            if key_id in members:
                members.remove(key_id)
        return answer(202)

    def plan_named(self, name: str) -> dict[str, Any]:
        """Return the one usage plan of this name."""
        (plan,) = [one for one in self.plans.values() if one["name"] == name]
        return plan

    def names_in(self, plan_id: str) -> list[str]:
        """Return the names of the keys in a usage plan."""
        return [self.keys[one]["name"] for one in self.members[plan_id]]

    def _patched(self, plan: dict[str, Any], operation: Mapping[str, str]) -> Answered | None:
        op, path, value = operation["op"], operation["path"], operation.get("value", "")
        if not any(re.fullmatch(ops, op) and re.fullmatch(paths, path) for ops, paths in PATCHES):
            return _bad_patch(operation)
        if path == "/apiStages":
            return self._restaged(plan, op, value)
        _, group, *field = path.split("/")
        if op == "remove":
            plan.pop(group, None)
        elif not field:
            plan[group] = value
        elif not re.fullmatch({"period": r"\w+", "rateLimit": r"[0-9]+(\.[0-9]+)?"}.get(field[0], r"[0-9]+"), value):
            return error(400, "BadRequestException", f"Invalid value {value} for {path}")
        else:
            kind = {"period": str, "rateLimit": float}.get(field[0], int)
            plan.setdefault(group, {})[field[0]] = kind(value)
        return None

    def _restaged(self, plan: dict[str, Any], op: str, value: str) -> Answered | None:
        api, _, stage = value.partition(":")
        there = [one for one in plan.get("apiStages", ()) if (one["apiId"], one["stage"]) == (api, stage)]
        if (api, stage) not in self.stages or (op == "remove" and not there):
            return error(404, "NotFoundException", f"API Stage not found: {value}")
        if op == "add" and there:
            return error(409, "ConflictException", f"API Stage {value} is there already")
        plan["apiStages"] = [one for one in plan.get("apiStages", ()) if one not in there]
        plan["apiStages"] += [{"apiId": api, "stage": stage}] if op == "add" else []
        return None

    def _invalid(self, plan: Mapping[str, Any]) -> Answered | None:
        quota, throttle = plan.get("quota"), plan.get("throttle")
        if quota is not None and (quota.get("period") not in ("DAY", "WEEK", "MONTH") or quota.get("limit", 0) < 1):
            return error(400, "BadRequestException", "Usage Plan quota limit and period must be set")
        if throttle is not None and not throttle.keys() >= {"rateLimit", "burstLimit"}:
            return error(400, "BadRequestException", "Usage Plan throttle rate and burst must be set")
        counts = [*(quota or {}).values(), (throttle or {}).get("burstLimit")]
        if any(isinstance(one, int) and one > 2**31 - 1 for one in counts):
            return error(400, "BadRequestException", "Invalid number")
        return None


def _stages(plan: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(one["apiId"], one["stage"]) for one in plan.get("apiStages", ())}


def _key(key: Mapping[str, Any], *, with_value: bool) -> dict[str, Any]:
    return {name: value for name, value in key.items() if with_value or name != "value"}


def _member(key: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": key["id"], "type": "API_KEY", "name": key["name"], "value": key["value"]}


def _no_plan() -> Answered:
    return error(404, "NotFoundException", "Invalid Usage Plan ID specified")


def _no_key() -> Answered:
    return error(404, "NotFoundException", "Invalid API Key identifier specified")


def _bad_patch(operation: Mapping[str, str]) -> Answered:
    return error(
        400, "BadRequestException", f"Invalid patch path '{operation['path']}' specified for op '{operation['op']}'"
    )

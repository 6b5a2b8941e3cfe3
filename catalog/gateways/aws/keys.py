"""API keys: one a key of ours, of which the usage plan says where and how often it lets in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.gateways.aws.client import AwsClient
from catalog.gateways.aws.plans import tags_of
from catalog.gateways.failures import Conflict, KeyGone, ObjectMissing, Refused, UnreadableAnswer
from catalog.gateways.interface import Connection, Fields, KeyGrant, KeyPlaced

#: AWS makes and deletes five keys a second for an account.
EVERY_S = 0.2


class AwsKeys:
    """The API keys of one connection."""

    def __init__(self, client: AwsClient, scope: str) -> None:
        self.client = client
        self.connection: Connection = client.connection
        self.scope = scope

    def place(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """Bring the key and its place in the plan; raises as ``GatewayAdapter.place_key``."""
        plan = self._plan(tags_of(self.connection.mark, product, grant.plan, ref))
        found = self._find(grant)
        if found is not None:
            made = self._made_before(found["id"], grant)
        elif grant.secret is None:
            raise KeyGone(f"The API key {grant.key} is not at the gateway any more, and only a new one can replace it")
        else:
            found, made = self._make(grant)
        self._put_into(plan, found["id"], ref, product)
        if not found.get("enabled") and grant.state == "active":
            self._switch(found["id"], on=True)
        return KeyPlaced(handle={"key_id": found["id"]}, made=made)

    def suspend(self, grant: KeyGrant, handle: Fields) -> None:
        """Switch the key off; one that is gone lets nobody in."""
        for key_id in self._ids(grant, handle):
            try:
                self._switch(key_id, on=False)
            except ObjectMissing:
                continue

    def remove(self, grant: KeyGrant, handle: Fields) -> None:
        """Delete the key, and its places in plans with it."""
        for key_id in self._ids(grant, handle):
            self.connection.pace(self.scope, "api_key_deletion", EVERY_S)
            try:
                self.client.call("delete_api_key", apiKey=key_id)
            except ObjectMissing:
                continue

    def put_in(self, plan_id: str, key_id: str) -> None:
        """
        Put a key into a usage plan; one that is there stays.

        Raises:
            Conflict: it is in another usage plan of the same stage.
        """
        try:
            self.client.call("create_usage_plan_key", usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
        except Conflict as conflict:
            holding = list(self.client.pages("get_usage_plans", keyId=key_id))
            if all(one["id"] != plan_id for one in holding):
                names = ", ".join(f"«{one.get('name')}»" for one in holding) or "another"
                raise Conflict(
                    f"The API key is in the usage plan {names} of the same stage, which is not ours",
                    status=conflict.status,
                ) from conflict

    def take_out(self, plan_id: str, key_id: str) -> None:
        """Take a key out of a usage plan; one that is not there is fine."""
        try:
            self.client.call("delete_usage_plan_key", usagePlanId=plan_id, keyId=key_id)
        except ObjectMissing:
            return

    def _tags(self, grant: KeyGrant) -> dict[str, str]:
        mark = self.connection.mark
        return {f"{mark}:subscription": grant.subscription, f"{mark}:key": grant.key}

    def _is_ours(self, found: Mapping[str, Any], grant: KeyGrant) -> bool:
        tags = found.get("tags") or {}
        return all(tags.get(name) == value for name, value in self._tags(grant).items())

    def _plan(self, tags: Mapping[str, str]) -> dict[str, Any]:
        """Return the usage plan with these tags, of several the one that a restore keeps."""
        found = [one for one in self.client.pages("get_usage_plans") if (one.get("tags") or {}).items() >= tags.items()]
        if not found:
            raise ObjectMissing("The usage plan of the key's rate plan is not at the gateway yet; restore the mapping")
        return min(found, key=lambda one: str(one["id"]))

    def _find(self, grant: KeyGrant, *, renamed: bool = False) -> dict[str, Any] | None:
        """Return our key at the gateway; ``renamed`` looks through all keys, whatever their name."""
        name = {} if renamed else {"nameQuery": grant.key}
        keys = self.client.pages("get_api_keys", includeValues=False, **name)
        found = [one for one in keys if self._is_ours(one, grant)]
        return min(found, key=lambda one: str(one["id"])) if found else None

    def _ids(self, grant: KeyGrant, handle: Fields) -> list[str]:
        """Return the ids that the key has at the gateway: as we know it, or as it is found where we never heard it."""
        if handle.get("key_id"):
            return [str(handle["key_id"])]
        found = self._find(grant) or self._find(grant, renamed=True)
        return [] if found is None else [found["id"]]

    def _make(self, grant: KeyGrant) -> tuple[dict[str, Any], dict[str, str]]:
        """Make the key and return it with what AWS made of it itself; what is there and ours is adopted."""
        try:
            return self._create(grant, value=grant.secret), {}
        except Conflict as conflict:
            found = self._find(grant, renamed=True)
            if found is None:
                raise Conflict(
                    f"Another API key has the value of {grant.key} already, and is not ours", status=conflict.status
                ) from conflict
            return found, self._made_before(found["id"], grant)
        except Refused as refusal:
            # Which characters a value may have is told nowhere in full.
            if "value" not in str(refusal).lower():
                raise
            found = self._create(grant)
            return found, {"api_key": _value(found)}

    def _create(self, grant: KeyGrant, **value: Any) -> dict[str, Any]:
        self.connection.pace(self.scope, "api_key_creation", EVERY_S)
        return self.client.call(
            "create_api_key",
            name=grant.key,
            enabled=grant.state == "active",
            customerId=grant.customer,
            tags=self._tags(grant),
            **value,
        )

    def _made_before(self, key_id: str, grant: KeyGrant) -> dict[str, str]:
        """Return the value that AWS made where it did not take ours and its answer never reached us."""
        if grant.secret is None:
            return {}
        value = _value(self.client.call("get_api_key", apiKey=key_id, includeValue=True))
        return {} if value == grant.secret else {"api_key": value}

    def _put_into(self, plan: Mapping[str, Any], key_id: str, ref: str, product: str) -> None:
        """Put the key into the plan, out of other plans of ours for the same stage: a key can be in one only."""
        own = {f"{self.connection.mark}:product": product, f"{self.connection.mark}:stage": ref}
        holding = list(self.client.pages("get_usage_plans", keyId=key_id))
        for other in holding:
            if other["id"] != plan["id"] and (other.get("tags") or {}).items() >= own.items():
                self.take_out(other["id"], key_id)
        if all(one["id"] != plan["id"] for one in holding):
            self.put_in(plan["id"], key_id)

    def _switch(self, key_id: str, *, on: bool) -> None:
        operations = [{"op": "replace", "path": "/enabled", "value": "true" if on else "false"}]
        self.client.call("update_api_key", repeatable=True, apiKey=key_id, patchOperations=operations)


def _value(found: Mapping[str, Any]) -> str:
    """Return the value of a key."""
    if not found.get("value"):
        raise UnreadableAnswer("The gateway answers without the value of the API key")
    return str(found["value"])

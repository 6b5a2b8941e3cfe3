"""
Keys at Kong: a subscription is a consumer with its keys, its limits, and its place on the access list.

Kong knows no key that is switched off, and what lets a consumer in lets all of its keys in. So a key is suspended by
giving it a value that nobody can know, from which the right one can be read again: ``suspended.<random>.<key>``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.gateways.failures import Conflict, KeyGone, ObjectMissing, Unsupported
from catalog.gateways.interface import Fields, KeyGrant, KeyPlaced
from catalog.gateways.kong.admin_api import AdminApi, Entity
from catalog.gateways.kong.limiting import edition_of, support_of
from catalog.gateways.kong.naming import Names
from catalog.gateways.kong.plugins import Plugins

SUSPENDED = re.compile(r"suspended\.[\w-]{32}\.(?P<key>.+)\Z", re.DOTALL)


@dataclass
class Keys:
    """The keys of one connection."""

    api: AdminApi

    def __post_init__(self) -> None:
        self.names = Names(self.api.connection.mark)
        self.plugins = Plugins(self.api, self.names)

    def place(self, grant: KeyGrant, ref: str, product: str) -> KeyPlaced:
        """
        Bring everything a key needs to Kong: limits before the key, and access last.

        Raises:
            Unsupported: the product issues client ids with secrets, or the plan has a limit that Kong lacks.
            KeyGone: the key is not there and we have its secret no more.
            ObjectMissing: the service or the plan is not there.
        """
        self._refuse_unsupported(grant)
        service = self.api.service(ref)["id"]
        has_groups = edition_of(self.api.connection.settings) != "oss"
        group = self._group(grant) if has_groups else ""
        consumer = self._found_consumer(grant)
        if grant.secret is None and (consumer is None or self._found_key(grant, consumer["id"]) is None):
            raise KeyGone("The key is not at Kong any more, and its secret is gone: rotate the credential")
        at = self._put_consumer(grant, product, consumer)
        if has_groups:
            self._join(at, group)
        else:
            self._limit(grant, at, service, product)
        key = self._put_key(grant, at)
        self._admit(grant, at, product)
        return KeyPlaced(handle={"consumer": at, "key": key})

    def suspend(self, grant: KeyGrant, handle: Fields) -> None:
        """
        Give a key a value that nobody knows.

        Raises:
            KeyGone: it is not there.
        """
        consumer, key = self._ids(grant, handle)
        found = self.api.discreet.find(f"/consumers/{consumer}/key-auth/{key}")
        if found is None:
            raise KeyGone("The key to suspend is not at Kong any more: rotate the credential")
        if not SUSPENDED.match(_shown(found)):
            self._store(consumer, key, _hidden(_shown(found)))

    def remove(self, grant: KeyGrant, handle: Fields, *, last: bool) -> None:
        """Delete a key; with the ``last`` one its consumer goes, and with that limits and access."""
        consumer, key = self._ids(grant, handle)
        self.api.delete(f"/consumers/{consumer}/key-auth/{key}")
        if last:
            self.api.delete(f"/consumers/{consumer}")

    def _refuse_unsupported(self, grant: KeyGrant) -> None:
        if grant.is_client:
            raise Unsupported("Kong cannot take the client ids with secrets that this product issues")
        for limit in grant.limits:
            support = support_of(limit, self.api.connection.settings)
            if support.level == "unsupported":
                raise Unsupported(f"{limit.of.label} cannot be enforced here. {support.why}")

    def _ids(self, grant: KeyGrant, handle: Fields) -> tuple[str, str]:
        """Return the ids of consumer and key, also where a worker died before they were kept."""
        consumer = handle.get("consumer") or self.names.id_of("consumer", grant.subscription)
        return consumer, handle.get("key") or self.names.id_of("key", grant.key)

    def _group(self, grant: KeyGrant) -> str:
        """Return the plan's group, which must be there with its limits: no key may come before them."""
        groups = self.api.listed("/consumer_groups", tags=self.names.tags(plan=grant.plan))
        group = next(groups, None) if grant.plan else None
        there = [] if group is None else list(self.api.listed(f"/consumer_groups/{group['id']}/plugins"))
        limiting = {one.get("name") for one in there if one.get("enabled") is not False}
        wanted = {one.name for one in self.plugins.limiting(grant.limits, namespace="")}
        if group is None or not wanted <= limiting:
            raise ObjectMissing("The plan and its limits are not at Kong yet: restore the mapping")
        return str(group["id"])

    def _found_consumer(self, grant: KeyGrant) -> Entity | None:
        """Return the subscription's consumer by our id, or by our tags where somebody gave it another id."""
        found = self.api.find(f"/consumers/{self.names.id_of('consumer', grant.subscription)}")
        tags = self.names.tags(subscription=grant.subscription)
        return found or next(self.api.listed("/consumers", tags=tags), None)

    def _put_consumer(self, grant: KeyGrant, product: str, found: Entity | None) -> str:
        """Write the consumer where it is not as it should be, and return its id."""
        consumer = found["id"] if found else self.names.id_of("consumer", grant.subscription)
        live: Mapping[str, Any] = found or {}
        wanted = {"username": f"{self.names.mark}-{grant.subscription}", "custom_id": grant.subscription}
        tags = self.names.tags(subscription=grant.subscription, product=product, plan=grant.plan)
        is_right = all(live.get(name) == value for name, value in wanted.items())
        if is_right and self.names.ours_of(live.get("tags")) == tags:
            return str(consumer)
        body = {"id": consumer, **wanted, "tags": [*tags, *self.names.others_of(live.get("tags"))]}
        try:
            self.api.put(f"/consumers/{consumer}", body)
        except Conflict as error:
            raise Conflict(
                f"Kong has a consumer with the username {wanted['username']} or the custom id {wanted['custom_id']} "
                f"that is not ours: rename or delete it",
                status=error.status,
                request_id=error.request_id,
            ) from error
        return str(consumer)

    def _join(self, consumer: str, group: str) -> None:
        """Make the consumer a member of the plan's group, and then of no other of ours."""
        joined = list(self.api.listed(f"/consumers/{consumer}/consumer_groups"))
        if group not in {one["id"] for one in joined}:
            self.api.add(f"/consumer_groups/{group}/consumers", {"consumer": consumer})
        for other in joined:
            if other["id"] != group and self.names.mark in (other.get("tags") or ()):
                self.api.delete(f"/consumer_groups/{other['id']}/consumers/{consumer}")

    def _limit(self, grant: KeyGrant, consumer: str, service: str, product: str) -> None:
        """Limit the consumer itself, where there are no groups."""
        wanted = self.plugins.limiting(grant.limits, namespace="", product=product, plan=grant.plan)
        listed = self.api.listed(f"/consumers/{consumer}/plugins")
        found = next((one for one in listed if self.plugins.is_limit_of(one, service)), None)
        self.plugins.limit_consumer(found, next(iter(wanted), None), service=service, consumer=consumer)

    def _found_key(self, grant: KeyGrant, consumer: str) -> Entity | None:
        return self.api.discreet.find(f"/consumers/{consumer}/key-auth/{self.names.id_of('key', grant.key)}")

    def _put_key(self, grant: KeyGrant, consumer: str) -> str:
        """Write the key where it is not as it should be, and return its id."""
        key = self.names.id_of("key", grant.key)
        live = _shown(self._found_key(grant, consumer))
        hidden = SUSPENDED.match(live)
        secret = grant.secret or (hidden["key"] if hidden else live)
        if grant.state == "active":
            if live != secret:
                self._store(consumer, key, secret)
        elif hidden is None or hidden["key"] != secret:
            self._store(consumer, key, _hidden(secret))
        return key

    def _store(self, consumer: str, key: str, value: str) -> None:
        """
        Write a value, of which no error may tell.

        Raises:
            Conflict: another consumer has it.
        """
        collection, body = f"/consumers/{consumer}/key-auth", {"id": key, "key": value}
        try:
            self.api.discreet.put(f"{collection}/{key}", body)
        except Conflict as error:
            same = next((one for one in self.api.discreet.listed(collection) if one.get("key") == value), None)
            if same is None:
                raise Conflict("Another consumer at Kong has this key", status=error.status) from error
            # Ours, but somebody gave it another id, by which we would not find it again.
            self.api.delete(f"{collection}/{same['id']}")
            self.api.discreet.put(f"{collection}/{key}", body)

    def _admit(self, grant: KeyGrant, consumer: str, product: str) -> None:
        """Put the consumer on the product's access list."""
        group = self.names.access_group(product)
        listed = list(self.api.listed(f"/consumers/{consumer}/acls"))
        if group not in {one.get("group") for one in listed}:
            entry = self.names.id_of("access", grant.subscription, product)
            self.api.put(f"/consumers/{consumer}/acls/{entry}", {"id": entry, "group": group})


def _shown(key: Entity | None) -> str:
    """Return a key as Kong shows it, empty where it is not there or not shown."""
    return "" if key is None else str(key.get("key") or "")


def _hidden(secret: str) -> str:
    """
    Return a value that hides the key from everybody who does not read Kong's database.

    Raises:
        Unsupported: the key is not known, because this Kong shows none.
    """
    if not secret:
        raise Unsupported("This Kong does not show keys, so they cannot be switched off and on again")
    return f"suspended.{secrets.token_urlsafe(24)}.{secret}"

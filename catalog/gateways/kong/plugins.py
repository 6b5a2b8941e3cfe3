"""Plugins of ours at Kong: how they are compared, and how they are written where somebody else's may stand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.gateways.failures import Conflict
from catalog.gateways.kong.admin_api import AdminApi, Entity
from catalog.gateways.kong.limiting import SIMPLE, limit_plugins, managed
from catalog.gateways.kong.naming import Names
from catalog.limits import Limit

#: What else can keep a plugin from doing its work, each with what Kong has where nobody said anything.
WATCHED_FIELDS: Mapping[str, Any] = {"enabled": True, "route": None, "condition": None}
#: Where the plugins of a scope are listed, the narrowest first.
LISTS = (("consumer", "consumers"), ("consumer_group", "consumer_groups"), ("service", "services"))


@dataclass(frozen=True, kw_only=True)
class LimitPlugin:
    """A rate-limiting plugin that we want: ``fields`` are what is compared."""

    name: str
    fields: Mapping[str, Any]


@dataclass
class Plugins:
    """The plugins of one connection."""

    api: AdminApi
    names: Names

    def limiting(self, limits: Sequence[Limit], *, namespace: str, **belongs_to: str) -> list[LimitPlugin]:
        """Return the plugins that enforce ``limits``, tagged with what they belong to."""
        tags = sorted([*self.names.tags(**belongs_to), *self._password_tag()])
        configs = limit_plugins(limits, self.api.connection.settings, namespace=namespace)
        return [
            LimitPlugin(name=name, fields={"name": name, "config": config, "tags": tags})
            for name, config in configs.items()
        ]

    def fields_of(self, plugin: Entity, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of a live plugin is compared with the fields ``wanted``."""
        name = str(plugin.get("name"))
        fields = {
            "name": name,
            "config": managed(name, plugin.get("config") or {}, wanted.get("config", {})),
            "tags": self.names.ours_of(plugin.get("tags")),
        }
        for field, usual in WATCHED_FIELDS.items():
            if plugin.get(field) not in (None, usual):
                fields[field] = plugin[field]
        return fields

    def put(self, plugin_id: str, fields: Mapping[str, Any], *, other_tags: Sequence[str] = (), **scope: str) -> None:
        """
        Write one of our plugins for ``scope``: ids of a service, a consumer, a consumer group.

        Raises:
            Conflict: somebody else's plugin of that kind is there.
        """
        body = {
            "id": plugin_id,
            "name": fields["name"],
            **{kind: {"id": one} for kind, one in scope.items()},
            "config": self._with_password(fields["config"]),
            "tags": [*fields["tags"], *other_tags],
        }
        try:
            self.api.put(f"/plugins/{plugin_id}", body)
        except Conflict as error:
            raise self._named(error, plugin_id, fields, scope) from error

    def limit_consumer(self, plugin: Entity | None, wanted: LimitPlugin | None, *, service: str, consumer: str) -> None:
        """Give a consumer the limits ``wanted`` on a service, where ``plugin`` is what limits it there now."""
        if wanted is None:
            if plugin is not None:
                self.api.delete(f"/plugins/{plugin['id']}")
            return
        if plugin is None:
            plugin_id, others = self.names.id_of("limit", service, consumer), []
        else:
            plugin_id, others = plugin["id"], self.names.others_of(plugin.get("tags"))
        if plugin is None or self.fields_of(plugin, wanted.fields) != wanted.fields:
            self.put(plugin_id, wanted.fields, other_tags=others, service=service, consumer=consumer)

    def is_limit_of(self, plugin: Entity, service: str) -> bool:
        """Tell whether a plugin is one of ours that limits one consumer on the service."""
        is_ours = self.names.mark in (plugin.get("tags") or ())
        is_here = at(plugin, "service") == service and at(plugin, "consumer") is not None
        return is_ours and is_here and plugin.get("name") == SIMPLE

    def _named(self, error: Conflict, plugin_id: str, fields: Mapping[str, Any], scope: Mapping[str, str]) -> Conflict:
        """Return the conflict with the name of the plugin that stands in the way."""
        kind, collection = next((kind, collection) for kind, collection in LISTS if kind in scope)
        there = self.api.listed(f"/{collection}/{scope[kind]}/plugins")
        same = [one for one in there if one.get("name") == fields["name"] and scope_of(one) == scope]
        other = next((one for one in same if one["id"] != plugin_id), None)
        which = f" (id {other['id']})" if other else ""
        return Conflict(
            f"The {kind.replace('_', ' ')} {scope[kind]} has a {fields['name']} plugin{which} that is not ours: delete "
            f"it in Kong, or hand it over to us by giving it the tags {' and '.join(fields['tags'])}",
            status=error.status,
            request_id=error.request_id,
        )

    def _with_password(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        password = self.api.connection.credentials.get("redis_password")
        if "redis" not in config or not password:
            return config
        return {**config, "redis": {**config["redis"], "password": password}}

    def _password_tag(self) -> list[str]:
        """Return a tag that changes with Redis' password, because the password itself is never compared or shown."""
        password = self.api.connection.credentials.get("redis_password")
        return [self.names.tag("redis", hashlib.sha256(password.encode()).hexdigest()[:8])] if password else []


def scope_of(plugin: Entity) -> dict[str, str]:
    """Return the ids of all that a plugin is for, by their kinds."""
    kinds = [*(kind for kind, _ in LISTS), "route"]
    return {kind: found for kind in kinds if (found := at(plugin, kind)) is not None}


def at(plugin: Entity, kind: str) -> str | None:
    """Return the id of the service, consumer or group that a plugin is for; None where it is for all."""
    return (plugin.get(kind) or {}).get("id")

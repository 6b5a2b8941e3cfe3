"""
A mapping at Kong: the plugins on the service, and the plans.

With Enterprise and Konnect a plan is a consumer group with rate-limiting plugins, which its members inherit. Open
source has no groups: there every subscription has a plugin of its own, placed with its key, and a plan here is what
those plugins have in common, with the ones that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.gateways.document import DesiredDocument, DesiredPlan
from catalog.gateways.failures import Conflict
from catalog.gateways.interface import Change, Resource
from catalog.gateways.kong.admin_api import LARGEST_PAGE, AdminApi, Entity
from catalog.gateways.kong.fields import header_names
from catalog.gateways.kong.limiting import ADVANCED, SIMPLE, edition_of
from catalog.gateways.kong.naming import Names
from catalog.gateways.kong.plugins import LimitPlugin, Plugins, at, scope_of

PLUGIN, GROUP, LIMITS = "plugin", "consumer group", "limits"
#: The only plugins that we make; others with our tags were tagged by somebody else.
MADE = ("key-auth", "acl", SIMPLE, ADVANCED)
#: How many subscriptions that differ are shown; all are mended.
SHOWN = 20


@dataclass
class Mapped:
    """What of ours is at Kong for products; for one job, during which groups keep their ids."""

    api: AdminApi
    groups: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    @property
    def has_groups(self) -> bool:
        """Tell whether this Kong has consumer groups."""
        return edition_of(self.api.connection.settings) != "oss"

    def desired(self, document: DesiredDocument) -> list[Resource]:
        """Return our record: who asks is known first, then limited, and only then let in."""
        names = Names(document.mark)
        tags = names.tags(product=document.product)
        headers = header_names(self.api.connection.settings)
        plans = self._groups(document, names) if self.has_groups else self._common_limits(document, names)
        allowed = names.access_group(document.product) if document.is_open else names.nobody
        return [
            _plugin("key-auth", "Key authentication", {"hide_credentials": True, "key_names": headers}, tags),
            *(plans if document.is_open else ()),
            _plugin("acl", "Access list", {"allow": [allowed], "hide_groups_header": True}, tags),
        ]

    def fetch(self, document: DesiredDocument, ref: str) -> list[Resource]:
        """Return what Kong has; a closed product's groups stay as they are, because they hold the limits of keys."""
        names = Names(document.mark)
        wanted = {(one.kind, one.key): one for one in self.desired(document)}
        service = self.api.service(ref)["id"]
        tags = names.tags(product=document.product)
        ours = [one for one in self.api.listed("/plugins", tags=tags) if one.get("name") in MADE]
        guards = [one for one in ours if scope_of(one).keys() <= {"service", "route"} and at(one, "service") == service]
        live = list(self._live_plugins(guards, names, wanted, lambda one: str(one["name"])))
        if not document.is_open:
            return live
        if not self.has_groups:
            consumers = self.api.listed("/consumers", tags=tags, size=LARGEST_PAGE)
            return [*live, *self._live_limits(document, names, service, ours, consumers)]
        return [*live, *self._live_groups(document, names, wanted, ours)]

    def apply(self, change: Change, document: DesiredDocument, ref: str) -> None:
        """Take one step."""
        names, handle = Names(document.mark), dict(change.found.handle) if change.found else {}
        kind = change.resource.kind
        if change.wanted is None:
            # What somebody turned into something else was written again under the same id a moment ago.
            if handle["id"] not in self.written:
                self.api.delete(f"/{'consumer_groups' if kind == GROUP else 'plugins'}/{handle['id']}")
        elif kind == GROUP:
            self._put_group(change.wanted, handle, names)
        elif kind == LIMITS:
            self._mend_limits(change.wanted, handle, names, document, ref)
        else:
            self._put_plugin(change.wanted, handle, names, document, ref)

    def _groups(self, document: DesiredDocument, names: Names) -> Iterator[Resource]:
        """Yield the plans as groups, each followed by its limits."""
        plugins = Plugins(self.api, names)
        for plan in document.plans:
            called, belongs = f"{names.mark}-{plan.slug}", {"product": document.product, "plan": plan.ref}
            group = {"name": called, "tags": names.tags(**belongs)}
            yield Resource(kind=GROUP, key=plan.ref, label=f"Consumer group of {plan.name}", fields=group)
            for limit in plugins.limiting(plan.limits, namespace=called, **belongs):
                key = f"{plan.ref}/{limit.name}"
                yield Resource(kind=PLUGIN, key=key, label=f"Limits of {plan.name}", fields=limit.fields)

    def _common_limits(self, document: DesiredDocument, names: Names) -> Iterator[Resource]:
        """Yield the plans as what the plugins of their subscriptions have to be."""
        for plan in document.plans:
            limit = self._limit_of(plan, document, names)
            yield Resource(
                kind=LIMITS,
                key=plan.ref,
                label=f"Limits of {plan.name}, one plugin a subscription",
                fields=limit.fields if limit else {},
            )

    def _limit_of(self, plan: DesiredPlan, document: DesiredDocument, names: Names) -> LimitPlugin | None:
        """Return the plugin that each subscription of a plan has where there are no groups."""
        plugins = Plugins(self.api, names)
        found = plugins.limiting(plan.limits, namespace="", product=document.product, plan=plan.ref)
        return next(iter(found), None)

    def _live_plugins(
        self,
        plugins: Iterable[Entity],
        names: Names,
        wanted: Mapping[tuple[str, str], Resource],
        key_of: Callable[[Entity], str],
    ) -> Iterator[Resource]:
        """Yield live plugins; of two that mean the same the younger goes."""
        seen: set[str] = set()
        for plugin in sorted(plugins, key=_age):
            key = key_of(plugin)
            like = wanted.get((PLUGIN, key))
            shown = Plugins(self.api, names).fields_of(plugin, like.fields if like else {})
            if at(plugin, "consumer_group") and at(plugin, "service"):
                shown["service"] = plugin["service"]
            label = like.label if like else str(plugin["name"])
            key = key if key not in seen else f"{key}#{plugin['id']}"
            seen.add(key)
            yield Resource(kind=PLUGIN, key=key, label=label, fields=shown, handle=_handle(plugin, names))

    def _live_groups(
        self,
        document: DesiredDocument,
        names: Names,
        wanted: Mapping[tuple[str, str], Resource],
        plugins: Sequence[Entity],
    ) -> Iterator[Resource]:
        """Yield the plans' groups with their limits."""
        known = {names.id_of("group", plan.ref): plan.ref for plan in document.plans}
        by_id: dict[str, str] = {}
        for group in sorted(self.api.listed("/consumer_groups", tags=names.tags(product=document.product)), key=_age):
            plan = known.get(group["id"]) or names.told("plan", group) or group["id"]
            key = plan if plan not in by_id.values() else f"{plan}#{group['id']}"
            by_id[group["id"]] = key
            like = wanted.get((GROUP, key))
            yield Resource(
                kind=GROUP,
                key=key,
                label=like.label if like else f"Consumer group {group.get('name')}",
                fields={"name": group.get("name"), "tags": names.ours_of(group.get("tags"))},
                handle=_handle(group, names),
            )
        self.groups = {key: group for group, key in by_id.items()}
        limits = [one for one in plugins if at(one, "consumer_group") in by_id]
        yield from self._live_plugins(
            limits, names, wanted, lambda one: f"{by_id[one['consumer_group']['id']]}/{one['name']}"
        )

    def _live_limits(
        self,
        document: DesiredDocument,
        names: Names,
        service: str,
        plugins: Iterable[Entity],
        consumers: Iterable[Entity],
    ) -> Iterator[Resource]:
        """Yield for each plan what is wanted, with the subscriptions that have something else."""
        mine = Plugins(self.api, names)
        limiting = {at(one, "consumer"): one for one in plugins if mine.is_limit_of(one, service)}
        by_plan: dict[str, list[Entity]] = {}
        for consumer in sorted(consumers, key=lambda one: str(one.get("username"))):
            by_plan.setdefault(names.told("plan", consumer), []).append(consumer)
        for resource in self._common_limits(document, names):
            differing, mending = {}, []
            for consumer in by_plan.get(resource.key, ()):
                plugin = limiting.get(consumer["id"])
                has = mine.fields_of(plugin, resource.fields) if plugin else {}
                if has != resource.fields:
                    differing[str(consumer.get("username"))] = has
                    known = plugin and {"id": plugin["id"], "tags": plugin.get("tags")}
                    mending.append({"consumer": consumer["id"], "plugin": known})
            shown: dict[str, Any] = dict(list(differing.items())[:SHOWN])
            if len(differing) > SHOWN:
                shown["others"] = f"{len(differing) - SHOWN} more"
            fields = {**resource.fields, **({"differing": shown} if shown else {})}
            yield Resource(
                kind=LIMITS, key=resource.key, label=resource.label, fields=fields, handle={"mending": mending}
            )

    def _put_group(self, wanted: Resource, handle: Mapping[str, Any], names: Names) -> None:
        group = handle.get("id") or self.group_of(wanted.key, names)
        body = {"id": group, **wanted.fields, "tags": [*wanted.fields["tags"], *handle.get("tags", ())]}
        try:
            self.api.put(f"/consumer_groups/{group}", body)
        except Conflict as error:
            raise Conflict(
                f"Kong has a consumer group '{wanted.fields['name']}' that is not ours: rename or delete it, or hand "
                f"it over to us by giving it the tags {' and '.join(wanted.fields['tags'])}",
                status=error.status,
                request_id=error.request_id,
            ) from error
        self.groups[wanted.key] = group

    def _put_plugin(
        self, wanted: Resource, handle: Mapping[str, Any], names: Names, document: DesiredDocument, ref: str
    ) -> None:
        """Write a plugin of the service, or of a plan's group where the key names a plan."""
        plan, _, name = wanted.key.rpartition("/")
        if plan:
            scope = {"consumer_group": self.group_of(plan, names)}
            made = names.id_of("limit", plan, name)
        else:
            scope = {"service": self.api.service(ref)["id"]}
            made = names.id_of("plugin", document.product, scope["service"], name)
        plugin, others = handle.get("id") or made, handle.get("tags", ())
        Plugins(self.api, names).put(plugin, wanted.fields, other_tags=others, **scope)
        self.written.add(plugin)

    def group_of(self, plan: str, names: Names) -> str:
        """Return the id of a plan's group, whoever gave it, or the one that it will have."""
        if plan not in self.groups:
            found = next(self.api.listed("/consumer_groups", tags=names.tags(plan=plan)), None)
            self.groups[plan] = found["id"] if found else names.id_of("group", plan)
        return self.groups[plan]

    def _mend_limits(
        self, wanted: Resource, handle: Mapping[str, Any], names: Names, document: DesiredDocument, ref: str
    ) -> None:
        """Give every subscription that differs the plugin of its plan."""
        plan = next(plan for plan in document.plans if plan.ref == wanted.key)
        limit, service = self._limit_of(plan, document, names), self.api.service(ref)["id"]
        for one in handle.get("mending", ()):
            Plugins(self.api, names).limit_consumer(one["plugin"], limit, service=service, consumer=one["consumer"])


def _plugin(name: str, label: str, config: Mapping[str, Any], tags: Sequence[str]) -> Resource:
    fields = {"name": name, "config": dict(config), "tags": list(tags)}
    return Resource(kind=PLUGIN, key=name, label=label, fields=fields)


def _handle(entity: Entity, names: Names) -> dict[str, Any]:
    """Return how to find an entity again, and the tags that others gave it, which it keeps."""
    return {"id": entity["id"], "tags": names.others_of(entity.get("tags"))}


def _age(entity: Entity) -> tuple[int, str]:
    return (entity.get("created_at") or 0, entity["id"])

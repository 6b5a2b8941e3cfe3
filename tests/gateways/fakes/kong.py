"""A small Kong: the Admin API of Enterprise, open source and Konnect, held to the published specification."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.gateways.contract import Answered, Contract, Sent
from tests.gateways.fakes.kong_refusals import refusal, unique, unsupported
from tests.gateways.fakes.kong_schemas import Violation, filled
from tests.gateways.fakes.server import FakeGateway, answer, route

SPECIFICATION = "kong/kong-admin-ee-3.15.subset.json"
METHODS = ("get", "post", "put", "patch", "delete")
ADMIN_TOKEN = "kong-admin-token-1"
#: What goes with a deleted entity: the collection and the field that names the entity.
CASCADES = {
    "consumers": (("key-auths", "consumer"), ("acls", "consumer"), ("plugins", "consumer")),
    "consumer_groups": (("plugins", "consumer_group"),),
    "services": (("plugins", "service"),),
}
#: Fields that may not have the same value twice in a collection.
UNIQUE = {
    "services": ("name",),
    "consumers": ("username", "custom_id"),
    "consumer_groups": ("name",),
    "key-auths": ("key",),
}
Entity = dict[str, Any]


def mended(document: dict[str, Any]) -> None:
    """
    Add what the file leaves out.

    It says nothing of refusals, which Kong's endpoints.lua answers with; and Kong ends a list with ``next: null``.
    """
    # It says that it is 3.1 and marks what may be null as 3.0 does.
    document["openapi"] = "3.0.3"
    told = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
    refusal = {"description": "Refused", "content": {"application/json": {"schema": told}}}
    for path in document["paths"].values():
        for method in METHODS:
            for status in ("400", "403", "404", "405", "409") if method in path else ():
                path[method]["responses"].setdefault(status, refusal)
                path[method]["responses"][status].setdefault("content", refusal["content"])
            if method in path:
                path[method]["responses"].setdefault("401", refusal)
    document["components"]["schemas"]["PaginationNextResponse"]["nullable"] = True
    for parameter in document["components"]["parameters"].values():
        # OpenAPI 3.0.2 advises against it, and the validator warns wherever it stands.
        parameter.pop("allowEmptyValue", None)


class FakeKong(FakeGateway):
    """Kong Enterprise with RBAC, in its default workspace; pages are small whatever is asked."""

    contract = Contract(SPECIFICATION, edit=mended)
    edition, version = "enterprise", "3.15.0.0"
    database, role = "postgres", "traditional"
    page_size = 2

    def __init__(self) -> None:
        super().__init__()
        names = ("services", "consumers", "consumer_groups", "plugins", "key-auths", "acls")
        self.tables: dict[str, dict[str, Entity]] = {name: {} for name in names}
        self.members: set[tuple[str, str]] = set()
        self.clock = 1_700_000_000

    # What tests do by hand, as an operator in Kong Manager would.

    def make(self, table: str, **fields: Any) -> Entity:
        """Put an entity there, with an id of Kong's own unless one is given."""
        entity = {"id": str(uuid.uuid4()), **fields}
        stored = self._write(table, entity["id"], entity)
        assert isinstance(stored, dict), stored
        return stored

    def rows(self, table: str, **fields: Any) -> list[Entity]:
        """Return the entities with these values."""
        return [row for row in self.tables[table].values() if all(row.get(name) == fields[name] for name in fields)]

    def groups_of(self, consumer: str) -> set[str]:
        """Return the names of the groups a consumer is in."""
        return {self.tables["consumer_groups"][group]["name"] for group, one in self.members if one == consumer}

    # What the Admin API does.

    def unauthorized(self, sent: Sent) -> Answered | None:
        """Let in who has the token."""
        if sent.headers.get("Kong-Admin-Token") == ADMIN_TOKEN:
            return None
        return answer(401, {"message": "Invalid credentials. Token or User credentials required", "status": 401})

    def judged(self, sent: Sent) -> bool:
        """Tell whether the path is one of this workspace or control plane, and so of the specification."""
        return sent.path == "/" or sent.path.startswith(f"{self.prefix}/")

    @route("GET", "/")
    def root(self, sent: Sent) -> Answered:
        """Tell who this is."""
        plugins = {name: {"version": "3.15.0", "priority": 910} for name in self._plugins()}
        return answer(
            200,
            {
                "version": self.version,
                "edition": self.edition,
                "tagline": "Welcome to kong",
                "hostname": "kong-1",
                "configuration": {"database": self.database, "role": self.role},
                "plugins": {"available_on_server": plugins, "enabled_in_cluster": []},
            },
        )

    @route("GET", "/(services|consumers|consumer_groups|plugins|key-auths|acls)")
    def list_all(self, sent: Sent, table: str) -> Answered:
        """List a collection, or those with all the tags asked for."""
        return self._page(sent, list(self.tables[table].values()), f"/{table}")

    @route("GET", "/(services|consumers|consumer_groups|plugins|key-auths|acls)/([^/]+)")
    def get_one(self, sent: Sent, table: str, ref: str) -> Answered:
        """Return one entity."""
        found = self._found(table, ref)
        return answer(200, found) if found else self.unknown(sent)

    @route("PUT", "/(services|consumers|consumer_groups|plugins|key-auths|acls)/([^/]+)")
    def put_one(self, sent: Sent, table: str, ref: str) -> Answered:
        """Make or replace one entity."""
        return self._written(table, unquote(ref), sent.json)

    @route("DELETE", "/(services|consumers|consumer_groups|plugins|key-auths|acls)/([^/]+)")
    def delete_one(self, sent: Sent, table: str, ref: str) -> Answered:
        """Delete one entity; of one that is not there the answer is the same."""
        found = self._found(table, ref)
        if self.database == "off":
            return unsupported()
        if found is not None:
            self.remove(table, found["id"])
        return answer(204)

    @route("GET", "/(services|consumers|consumer_groups)/([^/]+)/(plugins|key-auth|acls)")
    def list_nested(self, sent: Sent, table: str, ref: str, nested: str) -> Answered:
        """List what belongs to an entity."""
        parent = self._found(table, ref)
        if parent is None:
            return self.unknown(sent)
        field = table.removesuffix("s")
        rows = self.tables[_table_of(nested)].values()
        mine = [row for row in rows if (row.get(field) or {}).get("id") == parent["id"]]
        return self._page(sent, mine, f"/{table}/{parent['id']}/{nested}")

    @route("GET", "/consumers/([^/]+)/(key-auth|acls)/([^/]+)")
    def get_nested(self, sent: Sent, consumer: str, nested: str, ref: str) -> Answered:
        """Return an entity of a consumer, and of no other."""
        found = self._nested(consumer, nested, ref)
        return answer(200, found) if found else self.unknown(sent)

    @route("PUT", "/consumers/([^/]+)/(key-auth|acls)/([^/]+)")
    def put_nested(self, sent: Sent, consumer: str, nested: str, ref: str) -> Answered:
        """Make or replace an entity of a consumer."""
        parent = self._found("consumers", consumer)
        if parent is None:
            return self.unknown(sent)
        return self._written(_table_of(nested), ref, {**sent.json, "consumer": {"id": parent["id"]}})

    @route("DELETE", "/consumers/([^/]+)/(key-auth|acls)/([^/]+)")
    def delete_nested(self, sent: Sent, consumer: str, nested: str, ref: str) -> Answered:
        """Delete an entity of a consumer; nested ones have to be there."""
        found = self._nested(consumer, nested, ref)
        if found is None:
            return self.unknown(sent)
        self.remove(_table_of(nested), found["id"])
        return answer(204)

    @route("GET", "/consumers/([^/]+)/consumer_groups")
    def list_groups_of(self, sent: Sent, consumer: str) -> Answered:
        """List the groups a consumer is in."""
        parent = self._found("consumers", consumer)
        if parent is None:
            return self.unknown(sent)
        joined = [self.tables["consumer_groups"][group] for group, one in sorted(self.members) if one == parent["id"]]
        return self._page(sent, joined, f"/consumers/{parent['id']}/consumer_groups")

    @route("POST", "/consumer_groups/([^/]+)/consumers")
    def join(self, sent: Sent, group: str) -> Answered:
        """Make a consumer a member."""
        there, consumer = self._found("consumer_groups", group), self._found("consumers", sent.json["consumer"])
        if there is None or consumer is None:
            return self.unknown(sent)
        if (there["id"], consumer["id"]) in self.members:
            return unique({"consumer": consumer["id"], "consumer_group": there["id"]})
        self.members.add((there["id"], consumer["id"]))
        return answer(201, {"consumer_group": there, "consumers": [consumer]})

    @route("DELETE", "/consumer_groups/([^/]+)/consumers/([^/]+)")
    def leave(self, sent: Sent, group: str, consumer: str) -> Answered:
        """End a membership."""
        if (group, consumer) not in self.members:
            return self.unknown(sent)
        self.members.discard((group, consumer))
        return answer(204)

    def remove(self, table: str, ref: str) -> None:
        """Delete an entity with all that hangs on it."""
        self.tables[table].pop(ref, None)
        self.members = {pair for pair in self.members if ref not in pair}
        for other, field in CASCADES.get(table, ()):
            for row in [one for one in self.tables[other].values() if (one.get(field) or {}).get("id") == ref]:
                self.remove(other, row["id"])

    def _found(self, table: str, ref: str) -> Entity | None:
        """Return an entity by its id, or by the name that the collection knows."""
        named = {"services": "name", "consumers": "username", "consumer_groups": "name"}.get(table)
        by_name = (row for row in self.tables[table].values() if named and row.get(named) == unquote(ref))
        return self.tables[table].get(ref) or next(by_name, None)

    def _nested(self, consumer: str, nested: str, ref: str) -> Entity | None:
        parent = self._found("consumers", consumer)
        found = self.tables[_table_of(nested)].get(ref)
        return found if parent and found and found["consumer"]["id"] == parent["id"] else None

    def _page(self, sent: Sent, rows: list[Entity], path: str) -> Answered:
        query = dict(sent.query)
        tags = {tag for tag in query.get("tags", "").split(",") if tag}
        rows = [row for row in rows if tags <= set(row.get("tags") or ())]
        size, start = min(int(query.get("size", 100)), self.page_size), int(query.get("offset", 0))
        page: dict[str, Any] = {"data": rows[start : start + size], "next": None}
        if start + size < len(rows):
            page |= {"offset": str(start + size), "next": f"{path}?offset={start + size}"}
        return answer(200, page)

    def _written(self, table: str, ref: str, body: Entity) -> Answered:
        """Answer a PUT; where the path names a name the entity keeps its id."""
        if self.database == "off":
            return unsupported()
        found = self._found(table, ref)
        written = self._write(table, found["id"] if found else ref, body)
        return written if isinstance(written, Answered) else answer(200, written)

    def _write(self, table: str, ref: str, body: Entity) -> Entity | Answered:
        """Keep the entity with what Kong adds; or return the refusal."""
        for other, field in ((f"{name}s", name) for name in ("service", "consumer", "consumer_group")):
            foreign = (body.get(field) or {}).get("id")
            if foreign and foreign not in self.tables[other]:
                fields = {field: {"id": foreign}}
                return refusal(400, 4, "foreign key violation", f"the foreign key '{field}' does not exist", fields)
        try:
            entity = filled(table, body, self._plugins())
        except Violation as violation:
            return refusal(400, 2, "schema violation", f"schema violation ({violation})", violation.fields)
        taken = self._taken(table, ref, entity)
        if taken is not None:
            return unique(taken)
        self.clock += 1
        before = self.tables[table].get(ref)
        entity |= {"id": ref, "created_at": before["created_at"] if before else self.clock}
        if table not in ("key-auths", "acls"):
            entity["updated_at"] = self.clock
        self.tables[table][ref] = entity
        return entity

    def _taken(self, table: str, ref: str, entity: Entity) -> Entity | None:
        """Return what of the entity another has already."""
        others = [row for row in self.tables[table].values() if row["id"] != ref]
        for name in UNIQUE.get(table, ()):
            if entity.get(name) is not None and any(row.get(name) == entity[name] for row in others):
                return {name: entity[name]}
        scope: Callable[[Entity], Entity] | None = {"plugins": _scope, "acls": _entry}.get(table)
        if scope is not None and any(scope(row) == scope(entity) for row in others):
            return scope(entity)
        return None

    def _plugins(self) -> tuple[str, ...]:
        """Return which plugins this Kong has."""
        return ("acl", "key-auth", "rate-limiting", "rate-limiting-advanced", "cors")


def _table_of(nested: str) -> str:
    return "key-auths" if nested == "key-auth" else nested


def _scope(plugin: Mapping[str, Any]) -> Entity:
    kinds = ("service", "route", "consumer", "consumer_group")
    return {"name": plugin["name"], **{kind: (plugin.get(kind) or {}).get("id") for kind in kinds}}


def _entry(entry: Mapping[str, Any]) -> Entity:
    return {"consumer": entry["consumer"]["id"], "group": entry["group"]}

"""Kong's Admin API: entities read, listed to the end, written and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from catalog.gateways.client import Answer, GatewayClient
from catalog.gateways.failures import NotAllowed, ObjectMissing, UnreadableAnswer
from catalog.gateways.interface import Connection
from catalog.gateways.kong.limiting import edition_of

#: How many entities are asked for at once, as Kong's own clients do, and the most that Kong gives.
PAGE, LARGEST_PAGE = 100, 1000

Entity = Mapping[str, Any]


def authorization(connection: Connection) -> dict[str, str]:
    """Return the headers that let in; open source Kong asks for none, and takes no offence at one."""
    if edition_of(connection.settings) == "konnect":
        token = connection.credentials.get("access_token")
        if not token:
            raise NotAllowed("Konnect asks for an access token: enter one among the credentials")
        return {"Authorization": f"Bearer {token}"}
    token = connection.credentials.get("admin_token")
    return {"Kong-Admin-Token": token} if token else {}


def address(connection: Connection) -> str:
    """Return where the entities are: below a workspace, or below a control plane of Konnect."""
    settings = connection.settings
    if edition_of(settings) == "konnect":
        host = connection.base_url or f"https://{settings['region']}.api.konghq.com"
        return f"{host}/v2/control-planes/{settings['control_plane_id']}/core-entities"
    workspace = settings.get("workspace")
    return f"{connection.base_url}/{workspace}" if workspace else connection.base_url


def say_nothing(body: Any) -> str:
    """Return no word of what Kong says in an error, because it repeats the value it refuses."""
    return ""


@dataclass
class AdminApi:
    """The entities of one workspace or control plane."""

    connection: Connection

    def __post_init__(self) -> None:
        self.client = GatewayClient(connection=self.connection, base_url=address(self.connection), authorize=self._let)

    def _let(self, *, refresh: bool) -> Mapping[str, str]:
        """Return what lets in; there is nothing newer to have."""
        return {} if refresh else authorization(self.connection)

    @property
    def is_konnect(self) -> bool:
        """Tell whether it is Konnect, which finds entities by id only."""
        return edition_of(self.connection.settings) == "konnect"

    @property
    def discreet(self) -> AdminApi:
        """The same API, of whose errors nothing is told: for calls that carry a key."""
        api = AdminApi(self.connection)
        api.client = replace(self.client, message_of=say_nothing)
        return api

    def root(self) -> Entity:
        """Return what Kong tells of itself, which stands above every workspace."""
        client = replace(self.client, base_url=self.connection.base_url)
        answer = client.request("GET", "/")
        if answer is None or not isinstance(answer.json, Mapping):
            raise UnreadableAnswer("The address answers with JSON, but not as Kong does")
        return answer.json

    def service(self, ref: str) -> Entity:
        """
        Return the service with this id or name.

        Raises:
            ObjectMissing: there is none.
        """
        if self.is_konnect and not _is_uuid(ref):
            found = next((one for one in self.listed("/services", size=LARGEST_PAGE) if one.get("name") == ref), None)
        else:
            found = self.find(f"/services/{quote(ref, safe='')}")
        if found is None:
            raise ObjectMissing(f"Kong has no service '{ref}'")
        return found

    def find(self, path: str) -> Entity | None:
        """Return the entity at ``path``; None where there is none."""
        answer = self.client.request("GET", path, expect=(200, 404))
        return None if _is_absent(answer) else _entity(answer)

    def listed(self, path: str, *, tags: Sequence[str] = (), size: int = PAGE) -> Iterator[Entity]:
        """Yield the entities of a collection, of all its pages, those that have all of ``tags``."""
        asked = [("size", str(size)), *([("tags", ",".join(tags))] if tags else [])]
        seen: set[str] = set()
        offset = ""
        while offset not in seen:
            seen.add(offset)
            query = [*asked, *([("offset", offset)] if offset else [])]
            answer = self.client.request("GET", path, query=query, expect=(200, 404))
            if _is_absent(answer):
                raise ObjectMissing(f"Kong has nothing at {path}", status=404)
            page = answer.json if answer is not None and isinstance(answer.json, Mapping) else {}
            yield from _entities(page)
            offset = page.get("offset") or ""
            if not offset:
                return
        raise UnreadableAnswer("Kong names a page of a list that we have seen already as the next")

    def put(self, path: str, body: Entity) -> Entity:
        """Make or replace the entity at ``path``, whose last part is its id, and return it."""
        return _entity(self.client.request("PUT", path, json=body))

    def add(self, path: str, body: Entity) -> bool:
        """Add a member to a group; False where it was one already."""
        answer = self.client.request("POST", path, json=body, expect=(200, 201, 409), repeatable=True)
        return answer is not None and answer.status != 409

    def delete(self, path: str) -> None:
        """Delete the entity at ``path``; what is gone is fine."""
        answer = self.client.request("DELETE", path, expect=(200, 204, 404))
        _is_absent(answer)


def _is_absent(answer: Answer | None) -> bool:
    """Tell whether the answer is Kong's own "not found", and not that something else stands in Kong's place."""
    if answer is None or answer.status != 404:
        return False
    said = str(answer.json.get("message", "")) if isinstance(answer.json, Mapping) else ""
    if "no Route matched" in said:
        raise UnreadableAnswer("This is the address of Kong's proxy: the Admin API listens on another port", status=404)
    if said.lower().startswith("workspace"):
        raise ObjectMissing("Kong has no such workspace", status=404)
    return True


def _entity(answer: Answer | None) -> Entity:
    if answer is None or not isinstance(answer.json, Mapping) or "id" not in answer.json:
        raise UnreadableAnswer("The address answers with JSON, but not with an entity as Kong's are")
    return answer.json


def _entities(page: Entity) -> list[Entity]:
    """Return what is on a page of a list."""
    found = page.get("data")
    if not isinstance(found, list) or not all(isinstance(one, Mapping) and "id" in one for one in found):
        raise UnreadableAnswer("The address answers with JSON, but not with a list as Kong's are")
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

"""Calls to Anypoint Platform: where it is, how to get in, what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from catalog.gateways.client import Answer, GatewayClient, plain_message, retry_after
from catalog.gateways.failures import GatewayFailure, NotAllowed, ObjectMissing, Throttled, UnreadableAnswer
from catalog.gateways.interface import Connection

#: The control planes that have a host of their own.
HOSTS: Mapping[str, str] = {
    "us": "https://anypoint.mulesoft.com",
    "eu": "https://eu1.anypoint.mulesoft.com",
    "gov": "https://gov.anypoint.mulesoft.com",
}
TOKEN_PATH = "/accounts/api/v2/oauth2/token"
PAGE = 200
#: A reset further away than this is none of the platform's windows, which are a minute long.
LONGEST_RESET_S = 3600.0


def message_of(body: Any) -> str:
    """Return what an error says: the messages of its list, each with the field it is about, or its one message."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if not isinstance(errors, list):
        return plain_message(body)
    told = [one for one in errors if isinstance(one, Mapping) and one.get("message")]
    return "; ".join(f"{one.get('dataPath') or ''} {one['message']}".strip() for one in told)


def sort_answer(answer: Answer) -> type[GatewayFailure] | None:
    """Take a 503 without a body for what it is here: too many calls."""
    return Throttled if answer.status == 503 and not answer.text.strip() else None


def sort_token_answer(answer: Answer) -> type[GatewayFailure] | None:
    """Return what a refused token means: whatever the client error is, the credentials do not let in."""
    if answer.status == 429:
        return Throttled
    return NotAllowed if 400 <= answer.status < 500 else sort_answer(answer)


def wait_until_reset(headers: Mapping[str, str]) -> float | None:
    """Return how long to wait in seconds: as ``Retry-After`` says, or until the reset by the server's own clock."""
    asked = retry_after(headers)
    if asked is not None:
        return asked
    try:
        left = float(headers["x-ratelimit-reset"]) - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return left if 0 <= left <= LONGEST_RESET_S else None


class Anypoint:
    """Requests to one environment of an organization, with a token of a Connected App."""

    def __init__(self, connection: Connection) -> None:
        settings = connection.settings
        host = connection.base_url or HOSTS[settings.get("control_plane") or "us"]
        self.connection = connection
        self.organization, self.environment = settings["organization_id"], settings["environment_id"]
        within = f"organizations/{_part(self.organization)}/environments/{_part(self.environment)}/apis"
        self._instances = f"/apimanager/api/v1/{within}"
        self._actions = f"/apimanager/xapi/v1/{within}"
        self._token = ""
        common: dict[str, Any] = {
            "connection": connection,
            "base_url": host,
            "message_of": message_of,
            "retry_after_of": wait_until_reset,
            "request_id_headers": ("x-request-id", "x-correlation-id"),
        }
        self._login = GatewayClient(sort=sort_token_answer, **common)
        self._client = GatewayClient(sort=sort_answer, authorize=self._authorize, **common)

    def of_instance(self, ref: str, path: str = "") -> str:
        """Return a path below an API instance."""
        return f"{self._instances}/{_part(ref)}{path}"

    def action_of(self, ref: str, path: str) -> str:
        """Return the path of an action on something of an API instance."""
        return f"{self._actions}/{_part(ref)}{path}"

    @staticmethod
    def applications(organization: str, path: str = "") -> str:
        """Return a path below the client applications of an organization."""
        return f"/exchange/api/v2/organizations/{_part(organization)}/applications{path}"

    def any_instance(self) -> None:
        """
        Read at most one API instance: that needs the token, the environment and the right to read it.

        Raises:
            ObjectMissing: there is no such environment.
        """
        if self._client.request("GET", self._instances, query=[("limit", "1")], missing=True) is None:
            raise ObjectMissing("There is no such environment in this organization", status=404)

    def instance(self, ref: str) -> dict[str, Any]:
        """
        Return an API instance.

        Raises:
            ObjectMissing: there is none of this id.
        """
        found = self.get(self.of_instance(ref))
        if found is None:
            raise ObjectMissing(f"There is no API instance '{ref}' in this environment", status=404)
        return found

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object, or None where there is none."""
        answer = self._client.request("GET", path, missing=True)
        return None if answer is None else _object(answer)

    def whole(self, path: str) -> Any:
        """Return a list that comes without pages, in whatever form it comes."""
        answer = self._client.request("GET", path)
        return None if answer is None else answer.json

    def rows(self, path: str, name: str = "", **query: str) -> Iterator[dict[str, Any]]:
        """
        Yield the objects of a list, page by page; ``name`` is where they are in the answer, if it is no bare list.

        Pages may be smaller than asked for, and not every list says how many there are, so it ends with a page that
        brings nothing new.
        """
        seen: set[Any] = set()
        offset = 0
        while True:
            paged = [*query.items(), ("offset", str(offset)), ("limit", str(PAGE))]
            answer = self._client.request("GET", path, query=paged)
            assert answer is not None
            page, total = _page(answer, name)
            fresh = [one for one in page if one["id"] not in seen]
            yield from fresh
            seen |= {one["id"] for one in fresh}
            offset += len(page)
            # A total as large as a full first page may count that page only.
            is_told = isinstance(total, int) and offset >= total and not len(page) == offset == PAGE
            if not fresh or is_told:
                return

    def post(self, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """Make an object and return it."""
        return _object(self._client.request("POST", path, json=dict(body), query=[*query.items()]))

    def act(self, path: str) -> dict[str, Any]:
        """Take an action, which has no body, and return the object as it is then."""
        return _object(self._client.request("POST", path))

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Replace an object."""
        self._client.request("PUT", path, json=dict(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Set values of an object, which means the same when it is sent twice, and return it."""
        return _object(self._client.request("PATCH", path, json=dict(body), repeatable=True))

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        self._client.request("DELETE", path, missing=True)

    def _authorize(self, *, refresh: bool) -> Mapping[str, str]:
        if refresh or not self._token:
            credentials = self.connection.credentials
            asked = {
                "grant_type": "client_credentials",
                "client_id": credentials["client_id"],
                "client_secret": credentials["client_secret"],
            }
            answer = self._login.request("POST", TOKEN_PATH, json=asked, repeatable=True)
            self._token = str(_object(answer).get("access_token") or "")
            if not self._token:
                raise NotAllowed("Anypoint answered without an access token")
        return {"Authorization": f"Bearer {self._token}"}


def _part(text: str) -> str:
    return quote(text, safe="")


def _object(answer: Answer | None) -> dict[str, Any]:
    """
    Return the object that was answered.

    Raises:
        UnreadableAnswer: it is something else.
    """
    if answer is None or not isinstance(answer.json, dict):
        raise UnreadableAnswer("Anypoint answers with something else than the object asked for")
    return answer.json


def _page(answer: Answer, name: str) -> tuple[list[dict[str, Any]], Any]:
    """
    Return the rows of a page with the total, where there is one.

    Raises:
        UnreadableAnswer: it is no list of objects with ids.
    """
    body = answer.json
    total = body.get("total") if isinstance(body, dict) else None
    page = body.get(name) if isinstance(body, dict) else body
    if not isinstance(page, list) or not all(isinstance(one, dict) and "id" in one for one in page):
        raise UnreadableAnswer("Anypoint answers with something else than the list asked for", status=answer.status)
    return page, total

"""Calls to one API Management service: where it is, how to get in, what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from catalog.gateways.client import Answer, GatewayClient
from catalog.gateways.failures import GatewayFailure, NotAllowed, Throttled
from catalog.gateways.interface import Connection

API_VERSION = "2024-05-01"
#: Where each cloud is managed, and where its tokens come from.
CLOUDS: Mapping[str, tuple[str, str]] = {
    "public": ("https://management.azure.com", "https://login.microsoftonline.com"),
    "usgov": ("https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    "china": ("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
#: The Resource Manager refills ten writes a second for a principal; others may write too.
WRITE_EVERY_S = 0.2
ANY = "*"


def message_of(body: Any) -> str:
    """Return the message of an error with those of its details."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return str(body.get("error_description", "")) if isinstance(body, Mapping) else ""
    details = [one.get("message") for one in error.get("details") or () if isinstance(one, Mapping)]
    return "; ".join(str(one) for one in (error.get("message"), *details) if one)


def sort_token_answer(answer: Answer) -> type[GatewayFailure] | None:
    """Return what a refused token means: whatever the client error is, the credentials do not let in."""
    if answer.status == 429:
        return Throttled
    return NotAllowed if 400 <= answer.status < 500 else None


class Service:
    """Requests below the service's own path, with a token of the service principal."""

    def __init__(self, connection: Connection) -> None:
        settings = connection.settings
        management, login = CLOUDS[settings.get("cloud", "public")]
        self.connection = connection
        self.scope = f"{management}/.default"
        self.path = (
            f"/subscriptions/{quote(settings['subscription_id'], safe='')}"
            f"/resourceGroups/{quote(settings['resource_group'], safe='')}"
            f"/providers/Microsoft.ApiManagement/service/{quote(settings['service_name'], safe='')}"
        )
        self._token = ""
        self._login = GatewayClient(
            connection=connection,
            base_url=connection.base_url or login,
            message_of=message_of,
            sort=sort_token_answer,
        )
        self._client = GatewayClient(
            connection=connection,
            base_url=connection.base_url or management,
            authorize=self._authorize,
            message_of=message_of,
            request_id_headers=("x-ms-request-id", "x-ms-correlation-request-id"),
        )

    def get(self, path: str, **query: str) -> Answer | None:
        """Return the object, or None where there is none."""
        return self._client.request("GET", self.path + path, query=self._query(query), missing=True)

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list, page by page."""
        answer = self._client.request("GET", self.path + path, query=self._query(query))
        while answer is not None:
            yield from answer.json.get("value") or ()
            following = answer.json.get("nextLink")
            answer = self._client.request("GET", following) if following else None

    def put(self, path: str, properties: Mapping[str, Any] | None, *, etag: str = "", **query: str) -> None:
        """Make an object, or replace the one that has ``etag``."""
        body = None if properties is None else {"properties": dict(properties)}
        self._write("PUT", path, body, etag, query)

    def patch(self, path: str, properties: Mapping[str, Any], *, etag: str) -> None:
        """Change the properties given of the object that has ``etag``."""
        self._write("PATCH", path, {"properties": dict(properties)}, etag, {})

    def delete(self, path: str, *, etag: str = "", **query: str) -> None:
        """Delete an object; one that is gone is fine."""
        self._write("DELETE", path, None, etag, query, missing=True)

    def _write(
        self, method: str, path: str, body: Any, etag: str, query: Mapping[str, str], *, missing: bool = False
    ) -> None:
        self.connection.pace(f"azure:{self.connection.settings['subscription_id']}", "write", WRITE_EVERY_S)
        headers = {"If-Match": etag} if etag else {}
        self._client.request(
            method,
            self.path + path,
            query=self._query(query),
            json=body,
            headers=headers,
            missing=missing,
            # What only sets values to ours means the same when it is sent twice.
            repeatable=True,
        )

    @staticmethod
    def _query(query: Mapping[str, str]) -> list[tuple[str, str]]:
        return [*query.items(), ("api-version", API_VERSION)]

    def _authorize(self, *, refresh: bool) -> Mapping[str, str]:
        if refresh or not self._token:
            credentials, tenant = self.connection.credentials, self.connection.settings["tenant_id"]
            answer = self._login.request(
                "POST",
                f"/{quote(tenant, safe='')}/oauth2/v2.0/token",
                form={
                    "grant_type": "client_credentials",
                    "client_id": credentials["client_id"],
                    "client_secret": credentials["client_secret"],
                    "scope": self.scope,
                },
                repeatable=True,
            )
            self._token = str(answer.json.get("access_token", "")) if answer and isinstance(answer.json, dict) else ""
            if not self._token:
                raise NotAllowed("The login service answered without an access token")
        return {"Authorization": f"Bearer {self._token}"}

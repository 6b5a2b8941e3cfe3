"""Calls to one Apigee organization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from catalog.gateways.apigee.tokens import Tokens
from catalog.gateways.client import Answer, GatewayClient
from catalog.gateways.interface import Connection

HOST = "https://apigee.googleapis.com"
PAGE = 1000
#: Apigee warns of writing one product several times at once; a write a second keeps clear of it.
WRITE_EVERY_S = 1.0
ACTION = {"Content-Type": "application/octet-stream"}


class Organization:
    """Requests below the organization, with a token of the service account."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.name = connection.settings["organization"]
        self.path = f"/v1/organizations/{quote(self.name, safe='')}"
        self._client = GatewayClient(
            connection=connection,
            base_url=connection.base_url or HOST,
            authorize=Tokens(connection).headers,
            request_id_headers=("x-google-request-id", "x-request-id"),
        )

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object, or None where there is none."""
        answer = self._client.request("GET", self.path + path, missing=True)
        return None if answer is None else dict(answer.json)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make or extend an object and return it."""
        answer = self._client.request("POST", self.path + path, json=dict(body))
        return dict(answer.json) if answer is not None and isinstance(answer.json, dict) else {}

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Replace an object."""
        self._client.request("PUT", self.path + path, json=dict(body))

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        self._client.request("DELETE", self.path + path, missing=True)

    def act(self, path: str, action: str) -> Answer | None:
        """Set a status; the same twice means the same."""
        return self._client.request(
            "POST", self.path + path, query=[("action", action)], headers=ACTION, missing=True, repeatable=True
        )

    def products(self) -> Iterator[dict[str, Any]]:
        """Yield every product; the key that a page starts with is part of the page before."""
        start = ""
        while True:
            query = [("expand", "true"), ("count", str(PAGE))] + ([("startKey", start)] if start else [])
            answer = self._client.request("GET", f"{self.path}/apiproducts", query=query)
            page = list((answer.json or {}).get("apiProduct") or ()) if answer is not None else []
            yield from (one for one in page if one["name"] != start)
            if not page or page[-1]["name"] == start or len(page) < 2:
                return
            start = page[-1]["name"]

    def pace_product(self, name: str) -> None:
        """Take the next slot for writing a product."""
        self.connection.pace(f"apigee:{self.name}", name[-50:], WRITE_EVERY_S)

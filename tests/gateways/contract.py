"""A vendor's published specification, to which every exchange is held (openapi-core, in process)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathNotFound
from werkzeug.datastructures import Headers, ImmutableMultiDict

SPECS = Path(__file__).parent / "specs"


@dataclass
class Sent:
    """A request as it went over the wire; ``path`` is below the specification's server, ``target`` has the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs in their order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body, parsed; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass
class Answered:
    """An answer as it went over the wire."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body, parsed; None where there is none."""
        return json.loads(self.body) if self.body else None


class _Request:
    """openapi-core's view of a request."""

    def __init__(self, sent: Sent, server: str) -> None:
        self.host_url, self.path, self.method = server, sent.path, sent.method.lower()
        self.body = sent.body or None
        self.content_type = _header(sent.headers, "content-type")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(sent.query),
            header=Headers(list(sent.headers.items())),
            cookie=ImmutableMultiDict(),
        )


class _Response:
    """openapi-core's view of an answer."""

    def __init__(self, answered: Answered) -> None:
        self.status_code, self.data = answered.status, answered.body or None
        self.headers = Headers(list(answered.headers.items()))
        self.content_type = _header(answered.headers, "content-type")


class Contract:
    """
    One or more specification files of a vendor; the first that knows a path speaks for it.

    ``edit`` may mend what a file gets wrong before it is read; whoever passes one says why. With ``keeps_paths`` the
    paths of each file stand below the path of its own server.
    """

    def __init__(
        self, *files: str, edit: Any = None, server: str = "http://gateway.test", keeps_paths: bool = False
    ) -> None:
        self.server = server
        self.specifications = [_load(file, edit, server, keeps_paths) for file in files]

    def violations(self, sent: Sent, answered: Answered, *, request_too: bool = True) -> list[str]:
        """Return what of the exchange the specification does not allow; a request that was refused may be wrong."""
        request = _Request(sent, self.server)
        for specification in self.specifications:
            try:
                if request_too:
                    specification.validate_request(request)
                specification.validate_response(request, _Response(answered))
            except PathNotFound:
                continue
            except OpenAPIError as error:
                return [f"{sent.method} {sent.target} → {answered.status}: {_told(error)}"]
            return []
        return [f"{sent.method} {sent.target}: no specification knows this path"]


@lru_cache
def _load(file: str, edit: Any, server: str, keeps_paths: bool) -> OpenAPI:
    text = (SPECS / file).read_text()
    document = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    below = urlsplit(document["servers"][0]["url"]).path.rstrip("/") if keeps_paths else ""
    document["servers"] = [{"url": f"{server}{below}"}]
    if edit is not None:
        edit(document)
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        if scheme["type"] == "oauth2":
            # openapi-core knows no flows; a bearer token is what they all come to.
            scheme.clear()
            scheme.update(type="http", scheme="bearer")
    return OpenAPI.from_dict(document)


def _told(error: BaseException) -> str:
    """Return the error with its causes, and with every complaint of the schema."""
    parts: list[str] = []
    found: BaseException | None = error
    while found is not None:
        parts.append(str(found))
        parts += [str(getattr(one, "message", one)) for one in getattr(found, "schema_errors", ())]
        found = found.__cause__
    return " | ".join(dict.fromkeys(parts))


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "").lower()

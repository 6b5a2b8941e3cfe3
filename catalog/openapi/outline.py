"""From an OpenAPI document to what people read of it: who serves it, and its operations by tag."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.openapi.refusals import UnreadableDocument

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
#: The tag of what has none.
UNTAGGED = "default"
MAX_OPERATIONS = 5_000
#: How long the whole may become: what many operations share is written out at each.
MAX_OUTLINE = 8 * 2**20
MAX_HOPS = 10


def outline(document: dict[str, Any]) -> dict[str, Any]:
    """
    Return ``{"title", "version", "description", "servers", "tags", "schemas"}`` of a checked document.

    ``tags`` is a list of ``{"name", "description", "operations"}`` in the document's order, an operation being
    ``{"method", "path", "operation_id", "summary", "description", "deprecated", "parameters", "request",
    "responses"}``. Schemas stay as they are written; what they refer to (``#/components/schemas/…``) is in
    ``schemas``.

    Raises:
        UnreadableDocument: there are more operations than can be shown.
    """
    info = _mapping(document.get("info"))
    return {
        "openapi": _text(document.get("openapi")),
        "title": _text(info.get("title")),
        "version": _text(info.get("version")),
        "description": _text(info.get("description")),
        "servers": [
            {"url": _text(server.get("url")), "description": _text(server.get("description"))}
            for server in _mappings(document.get("servers"))
        ],
        "tags": _by_tag(document),
        "schemas": _mapping(_mapping(document.get("components")).get("schemas")),
    }


def _by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    told = {_text(tag.get("name")): _text(tag.get("description")) for tag in _mappings(document.get("tags"))}
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in told}
    written = 0
    for count, (tag, operation) in enumerate(_operations(document), start=1):
        written += len(json.dumps(operation))
        if count > MAX_OPERATIONS or written > MAX_OUTLINE:
            raise UnreadableDocument("The document describes more operations than can be shown")
        groups.setdefault(tag, []).append(operation)
    return [
        {"name": name, "description": told.get(name, ""), "operations": operations}
        for name, operations in groups.items()
        if operations
    ]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with the first of its tags."""
    for path, item in _mapping(document.get("paths")).items():
        shared = _resolved(document, item)
        for method in METHODS:
            if isinstance(operation := shared.get(method), Mapping):
                tags = operation.get("tags")
                tag = tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else UNTAGGED
                yield tag, _operation(document, method, path, shared, operation)


def _operation(
    document: dict[str, Any], method: str, path: str, item: Mapping[str, Any], operation: Mapping[str, Any]
) -> dict[str, Any]:
    body = _resolved(document, operation.get("requestBody"))
    return {
        "method": method.upper(),
        "path": path,
        "operation_id": _text(operation.get("operationId")),
        "summary": _text(operation.get("summary")),
        "description": _text(operation.get("description")),
        "deprecated": operation.get("deprecated") is True,
        "parameters": _parameters(document, item, operation),
        "request": {
            "description": _text(body.get("description")),
            "required": body.get("required") is True,
            "content": _content(document, body),
        }
        if body
        else None,
        "responses": [
            {"status": status, "description": _text(answer.get("description")), "content": _content(document, answer)}
            for status, found in _mapping(operation.get("responses")).items()
            for answer in [_resolved(document, found)]
        ],
    }


def _parameters(
    document: dict[str, Any], item: Mapping[str, Any], operation: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the parameters of an operation: those of its path, unless it has one of the same name itself."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for declared in (item, operation):
        for one in declared.get("parameters") or []:
            parameter = _resolved(document, one)
            place, name = _text(parameter.get("in")), _text(parameter.get("name"))
            found[place, name] = {
                "name": name,
                "in": place,
                "required": parameter.get("required") is True,
                "deprecated": parameter.get("deprecated") is True,
                "description": _text(parameter.get("description")),
                "schema": parameter.get("schema") or next(iter(_schemas(document, parameter)), None),
            }
    return list(found.values())


def _content(document: dict[str, Any], owner: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the media types of a body with their schemas."""
    return [
        {"media_type": kind, "schema": _resolved(document, media).get("schema")}
        for kind, media in _mapping(owner.get("content")).items()
    ]


def _schemas(document: dict[str, Any], owner: Mapping[str, Any]) -> list[Any]:
    return [media["schema"] for media in _content(document, owner)]


def _resolved(document: dict[str, Any], value: object) -> Mapping[str, Any]:
    """Return what ``value`` refers to within the document, or itself; nothing where it leads nowhere."""
    for _ in range(MAX_HOPS):
        reference = _mapping(value).get("$ref")
        if not isinstance(reference, str):
            return _mapping(value)
        value = document
        for part in reference.removeprefix("#/").split("/"):
            value = _mapping(value).get(part.replace("~1", "/").replace("~0", "~"))
    return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

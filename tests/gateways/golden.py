"""Requests that clients of the vendors' own making sent for the same intent, and ours made comparable with them."""

from __future__ import annotations

import json
from typing import Any

from tests.gateways.contract import SPECS, Sent

#: Headers that say something of the intent.
COMPARED_HEADERS = ("content-type", "accept", "if-match", "kong-admin-token", "authorization")


def recorded(file: str) -> list[dict[str, Any]]:
    """Return the recordings of ``file``: method, path, query, headers, body."""
    recordings: list[dict[str, Any]] = json.loads((SPECS / "golden" / file).read_text())
    return recordings


def comparable(sent: Sent, *, prefix: str = "") -> dict[str, Any]:
    """Return our request in the form of a recording, without headers."""
    return {
        "method": sent.method,
        "path": sent.path.removeprefix(prefix),
        "query": sorted([name, value] for name, value in sent.query),
        "body": sent.json if sent.body else None,
    }


def normal(recording: dict[str, Any]) -> dict[str, Any]:
    """Return a recording without headers, its query in order."""
    return {
        "method": recording["method"],
        "path": recording["path"],
        "query": sorted([list(pair) for pair in recording["query"]]),
        "body": recording["body"],
    }

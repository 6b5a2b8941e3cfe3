"""What the small Kong says when it refuses, as Kong's own endpoints do."""

from __future__ import annotations

from typing import Any

from tests.gateways.contract import Answered
from tests.gateways.fakes.server import answer


def refusal(status: int, code: int, name: str, message: str, fields: Any) -> Answered:
    return answer(status, {"code": code, "name": name, "message": message, "fields": fields})


def unique(fields: dict[str, Any]) -> Answered:
    """Refuse a second one, repeating the value as Kong does."""
    told = ",".join(f'{name}="{value}"' for name, value in fields.items())
    return refusal(409, 5, "unique violation", f"UNIQUE violation detected on '{{{told}}}'", fields)


def unsupported() -> Answered:
    said = "cannot create, update or delete entities when not using a database"
    return refusal(405, 12, "operation unsupported", said, {})

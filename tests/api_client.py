"""What tests read from the answers of the API."""

from __future__ import annotations

from typing import Any


def error_of(answer: Any) -> dict[str, Any]:
    """Return the error of a refusal, which is the whole of its body."""
    body: dict[str, Any] = answer.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    return error


def code_of(answer: Any) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status_code, error_of(answer)["code"]


def refusal_of(answer: Any) -> tuple[int, str, str]:
    """Return status, code and param of a refusal; an empty param where it has none."""
    error = error_of(answer)
    return answer.status_code, error["code"], error.get("param", "")


def ids_of(answer: Any) -> list[str]:
    """Return the ids of a page, in its order."""
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]

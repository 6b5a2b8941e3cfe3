"""A client of the REST API with a key of its own, and short names for what tests look at."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from tests.factories import make_operator_key


def api_client(*scopes: str) -> APIClient:
    """Return a client that calls with a fresh operator key; without ``scopes`` it may do everything."""
    _, secret = make_operator_key(*scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def error_of(answer: Any) -> dict[str, Any]:
    """Return the error of a refusal, which is the whole of its body."""
    body: dict[str, Any] = answer.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    return error


def code_of(answer: Any) -> tuple[int, str]:
    """Return status and code of a refusal, once it is clear that it is one."""
    return answer.status_code, error_of(answer)["code"]


def refusal_of(answer: Any) -> tuple[int, str, str]:
    """Return status, code and param of a refusal; an empty param where it has none."""
    error = error_of(answer)
    return answer.status_code, error["code"], error.get("param", "")


def ids_of(answer: Any) -> list[str]:
    """Return the ids of a page, in its order."""
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]

"""Answers of the API beside what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient

from config.api.document import document
from config.api.json import loads
from config.settings import ROOT_URLCONF
from credentials.operations.credentials import issue_customer_key
from tests.api_client import api_client
from tests.factories import NOW, make_agent, make_subscriber, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

SPEC = loads(document(ROOT_URLCONF))
#: What JSON Schema asks of everybody: formats are remarks; and what stricter readers of the document check besides.
LENIENT, STRICT = None, FormatChecker(formats=["email", "date", "date-time"])


STRICT.checks("uri")(lambda value: not isinstance(value, str) or "://" in value)


def problems(method: str, path: str, answer: Any) -> list[str]:
    """Return what the document has against an answer to ``path``, as the document spells it."""
    declared = SPEC["paths"][path][method]["responses"].get(str(answer.status_code))
    if declared is None:
        return [f"{answer.status_code} is not declared"]
    schema = {**declared["content"]["application/json"]["schema"], "components": SPEC["components"]}
    return [
        f"{error.json_path}: {error.message}"
        for formats in (LENIENT, STRICT)
        for error in Draft202012Validator(schema, format_checker=formats).iter_errors(answer.json())
    ]


@pytest.fixture
def client() -> APIClient:
    return api_client()


def test_what_a_customer_is_and_has_reads_as_the_document_says(client: APIClient) -> None:
    agent, subscription = make_agent(), make_subscription()
    subscriber = make_subscriber(customer=subscription.customer)
    key = issue_customer_key(agent.team.customer_id, name="Bot", scopes=["*"], agent=agent.id, now=NOW)
    ids = {
        "customers": subscription.customer_id, "teams": agent.team_id, "agents": agent.id,
        "subscribers": subscriber.id, "subscriptions": subscription.id, "credentials": key.id,
    }  # fmt: skip

    for kind, pk in ids.items():
        assert problems("get", f"/v1/{kind}", client.get(f"/v1/{kind}")) == []
        assert problems("get", f"/v1/{kind}/{{id}}", client.get(f"/v1/{kind}/{pk}")) == []
    for page in ("deletion-check", "usage", "current-usage", "statement"):
        answer = client.get(f"/v1/customers/{subscription.customer_id}/{page}")
        assert problems("get", f"/v1/customers/{{id}}/{page}", answer) == []
    keys = client.get(f"/v1/customers/{key.customer_id}/api-keys")
    assert problems("get", "/v1/customers/{customer_id}/api-keys", keys) == []


def test_what_is_made_and_taken_away_reads_as_the_document_says(client: APIClient) -> None:
    made = client.post("/v1/customers", {"name": "Acme", "email": "ops@acme.com"})
    path = f"/v1/customers/{made.json()['id']}"

    assert problems("post", "/v1/customers", made) == []
    assert problems("patch", "/v1/customers/{id}", client.patch(path, {"billing_email": ""})) == []
    assert problems("post", "/v1/customers/{id}/suspend", client.post(f"{path}/suspend")) == []
    assert problems("post", "/v1/customers/{id}/reactivate", client.post(f"{path}/reactivate")) == []
    key = client.post(f"{path}/api-keys", {"name": "Key", "scopes": ["*"]})
    assert problems("post", "/v1/customers/{customer_id}/api-keys", key) == []
    revoked = client.delete(f"{path}/api-keys/{key.json()['id']}")
    assert problems("delete", "/v1/customers/{customer_id}/api-keys/{id}", revoked) == []
    assert problems("delete", "/v1/customers/{id}", client.delete(path)) == []
    assert problems("delete", "/v1/customers/{id}", client.delete(f"{path}?confirm=true")) == []
    assert problems("get", "/v1/customers/{id}", client.get(path)) == []


def test_a_body_that_a_deletion_does_not_take_is_refused_as_the_document_says(client: APIClient) -> None:
    path = f"/v1/teams/{make_agent().team_id}"

    for body, kind, status in (
        ("{}x", "application/json", 400), ("x", "text/plain", 415), ("x" * 2**21, "application/json", 413)
    ):  # fmt: skip
        answer = client.generic("DELETE", path, body, content_type=kind)
        assert (answer.status_code, problems("delete", "/v1/teams/{id}", answer)) == (status, [])

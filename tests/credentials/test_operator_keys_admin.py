"""Operator keys at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from credentials.models import OperatorKey
from tests.factories import make_clerk, make_operator_key

pytestmark = pytest.mark.django_db


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:credentials_operatorkey_{page}", args=arguments)


def test_a_key_is_made_with_ticked_scopes_and_shown_once(desk: Client) -> None:
    page = desk.get(url("add")).content.decode()

    response = desk.post(url("add"), {"name": "Shop", "scopes": ["customers:read", "events:write"], "expires_at": ""})

    key = OperatorKey.objects.get()
    secret = response.context["issued"][0].shown_once["key"]
    pages = [
        desk.get(address).content.decode()
        for address in (url("change", key.pk), url("history", key.pk), url("changelist"))
    ]
    assert 'type="checkbox" name="scopes"' in page
    assert key.scopes == ["customers:read", "events:write"]
    assert [row.history_actor for row in key.history.all()] == ["olga"]
    assert secret in response.content.decode()
    assert "customers:read, events:write" in pages[0]
    assert not any(secret in page or "digest" in page.lower() for page in pages)


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"scopes": []}, "scopes", "This field is required."),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at", "The expiry must be in the future"),
    ],
)
def test_a_refused_key_keeps_what_was_typed(desk: Client, typed: dict[str, Any], field: str, sentence: str) -> None:
    response = desk.post(url("add"), {"name": "Shop", "scopes": ["*"], **typed})

    form = response.context["adminform"].form
    assert form.errors == {field: [sentence]}
    assert form["name"].value() == "Shop"
    assert not OperatorKey.objects.exists()


def test_revoking_asks_first_and_keeps_the_reason(desk: Client) -> None:
    key, _ = make_operator_key()

    desk.get(url("revoke", key.pk))
    assert OperatorKey.objects.filter(revoked_at__isnull=True).exists()
    desk.post(url("revoke", key.pk), {"confirmed": "yes", "reason": "Leaked"})

    key.refresh_from_db()
    row = key.history.latest("history_id")
    assert key.revoked_at is not None
    assert (row.history_actor, row.history_change_reason) == ("olga", "Leaked")


def test_a_reader_makes_and_revokes_none() -> None:
    (key, _), browser = make_operator_key(), Client()
    browser.force_login(make_clerk())

    assert browser.get(url("change", key.pk)).status_code == 200
    assert browser.get(url("add")).status_code == 403
    assert browser.post(url("revoke", key.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None

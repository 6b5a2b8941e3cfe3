"""Keys at gateways at the desk: on the credential's page and on their own, sent again, shown once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.admin import change_url
from config.kernel.sealing import seal
from credentials.models import GatewayKey
from tests.factories import make_clerk
from tests.gateway_key_operations import made_key, sent_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:credentials_gatewaykey_{page}", args=arguments)


def text(browser: Client, path: str, **query: str) -> str:
    response = browser.get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_of_a_credential_shows_where_it_stands(desk: Client) -> None:
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(status="ERROR", last_error="Nobody answers")

    page = text(desk, change_url(key.credential))

    assert str(key.mapping.gateway) in page
    assert "Nobody answers" in page
    assert change_url(key) in page


def test_the_list_finds_keys_by_status_and_gateway(desk: Client) -> None:
    lost, placed = sent_key(), sent_key()
    GatewayKey.objects.filter(pk=lost.pk).update(status="LOST", last_error="Rotate it")
    GatewayKey.objects.filter(pk=placed.pk).update(status="PLACED")

    page = text(desk, url("changelist"), status__exact="LOST")
    assert change_url(lost) in page
    assert change_url(placed) not in page
    page = text(desk, url("changelist"), mapping__gateway__id__exact=placed.mapping.gateway_id)
    assert change_url(placed) in page
    assert change_url(lost) not in page


def test_a_key_is_sent_again(desk: Client) -> None:
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(status="ERROR", last_error="No", is_due=False)

    desk.get(url("retry", key.pk))
    assert not GatewayKey.objects.get().is_due
    desk.post(url("retry", key.pk), {"confirmed": "yes", "reason": "Gateway is back"})

    row = key.history.latest("history_id")
    assert GatewayKey.objects.get().is_due
    assert (row.history_actor, row.history_change_reason) == ("olga", "Gateway is back")


def test_what_is_as_it_should_be_is_offered_nothing(desk: Client) -> None:
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(status="PLACED")

    assert desk.get(url("change", key.pk)).context["actions_detail"] == []


def test_what_a_gateway_made_is_shown_once_and_on_no_page(desk: Client) -> None:
    key = sent_key()
    GatewayKey.objects.filter(pk=key.pk).update(made=seal({"api_key": "their-secret"}, bound_to=key.id))
    pages = [text(desk, url(name, *where)) for name, where in (("changelist", ()), ("change", (key.pk,)))]

    shown = desk.post(url("show_credentials", key.pk), {"confirmed": "yes", "reason": "For the customer"})

    assert "their-secret" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    pages += [text(desk, url(name, key.pk)) for name in ("change", "history")]
    assert not any("their-secret" in page for page in pages)
    again = desk.post(url("show_credentials", key.pk), {"confirmed": "yes", "reason": "Again"})
    assert again.context["form"].non_field_errors() == ["There is nothing of this key left to show"]


def test_a_reader_sees_keys_and_neither_sends_nor_shows_them() -> None:
    key, browser = made_key(), Client()
    browser.force_login(make_clerk())

    assert text(browser, url("changelist"))
    assert text(browser, url("change", key.pk))
    for name in ("retry", "show_credentials"):
        assert browser.post(url(name, key.pk), {"confirmed": "yes", "reason": "R"}).status_code == 403
    for name in ("add", "delete"):
        assert browser.get(url(name, *([key.pk] if name == "delete" else []))).status_code == 403

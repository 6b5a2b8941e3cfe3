"""The credentials of a gateway stand nowhere but sealed in their column: a canary is looked for everywhere else."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from catalog.models import Gateway, GatewayMapping
from catalog.tasks import sync_gateway
from tests.factories import make_operator
from tests.gateways.fakes.azure import CLIENT, SECRET, SETTINGS, TOKEN, FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import limited_product

pytestmark = pytest.mark.django_db

ECHO = f'{{"error": {{"message": "{CLIENT} sent {SECRET} and {TOKEN}"}}}}'.encode()


def spellings(secret: str) -> set[str]:
    """Return how a secret may be written down."""
    raw = secret.encode()
    return {secret, raw.hex(), b64encode(raw).decode().rstrip("="), quote(secret)}


CANARIES = spellings(SECRET) | spellings(TOKEN)


def told(text: str) -> set[str]:
    """Return which canaries stand in ``text``."""
    return {canary for canary in CANARIES if canary in text}


def rows() -> Iterator[tuple[str, str]]:
    """Yield every row of every table as text, with the name of its table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            yield from ((table, text) for (text,) in cursor.fetchall())


def pages(browser: Client, gateway: Gateway, mapping: GatewayMapping) -> Iterator[str]:
    """Yield all that an operator can read about both."""
    for obj, name in ((gateway, "gateway"), (mapping, "gatewaymapping")):
        yield browser.get(reverse(f"admin:catalog_{name}_changelist")).content.decode()
        for page in ("change", "history", "delete"):
            yield browser.get(reverse(f"admin:catalog_{name}_{page}", args=[obj.pk])).content.decode()
    yield browser.get(reverse("admin:index")).content.decode()


def answers(api: APIClient, gateway: Gateway, mapping: GatewayMapping) -> Iterator[str]:
    """Yield all that an integrator can read about both."""
    for path in ("gateways", "gateway-mappings", f"gateways/{gateway.pk}", f"gateway-mappings/{mapping.pk}",
                 f"gateways/{gateway.pk}/capabilities", f"gateway-mappings/{mapping.pk}/limits"):  # fmt: skip
        answer = api.get(f"/v1/{path}")
        assert answer.status_code == 200
        yield answer.content.decode()


def test_no_secret_of_a_connection_stands_anywhere(
    api: APIClient,
    client: Client,
    azure: FakeAzure,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {
        "vendor": "AZURE_APIM", "name": "EU", "base_url": azure.base_url, "settings": SETTINGS,
        "credentials": {"client_id": CLIENT, "client_secret": SECRET},
    }  # fmt: skip
    said = [api.post("/v1/gateways", body, HTTP_IDEMPOTENCY_KEY="k1"), api.post("/v1/gateways", body)]
    gateway = Gateway.objects.get()
    link = {"product": limited_product().id, "gateway": gateway.id, "external_ref": "petstore"}
    said.append(api.post("/v1/gateway-mappings", link))
    mapping = GatewayMapping.objects.get()
    said.append(api.post(f"/v1/gateways/{gateway.id}/test"))
    call_command("sync_gateways", restore=True)
    assert GatewayMapping.objects.get().status == "SYNCED"
    # The gateway itself tells what it was sent.
    for status in (400, 401, 403, 409, 429, 500):
        azure.faults.append(Fault("GET /subscriptions", status, ECHO, times=3))
        said.append(api.post(f"/v1/gateways/{gateway.id}/test"))
        said.append(api.post(f"/v1/gateway-mappings/{mapping.id}/check"))
        sync_gateway(gateway.id)
        azure.faults.clear()
    assert "sent …" in " ".join(
        f"{row.last_error} {row.sync_status}" for row in GatewayMapping.history.filter(id=mapping.pk)
    )

    client.force_login(make_operator())
    texts = [answer.content.decode() for answer in said]
    texts += [*pages(client, gateway, mapping), *answers(api, gateway, mapping)]

    assert [text for text in texts if told(text)] == []
    assert {table for table, text in rows() if told(text)} == set()
    assert told(caplog.text) == set()
    printed = capsys.readouterr()
    assert told(printed.out + printed.err) == set()


def test_the_canary_would_be_found() -> None:
    """Without this the test above could not fail."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE leak AS SELECT %s::bytea AS column", [SECRET.encode()])
        cursor.execute("SELECT t::text FROM leak AS t")
        assert told(cursor.fetchone()[0])

"""Gateways: connected, changed, given new credentials, disconnected; and what the database promises of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Value
from django.db.models.deletion import ProtectedError
from django.db.utils import ProgrammingError

from catalog.errors import DuplicateGatewayName, GatewayDeletionBlocked, GatewayMarkInUse, GatewayUnusable
from catalog.gateways.registry import ADAPTERS
from catalog.models import Gateway, GatewayMapping, Vendor
from catalog.operations.gateways import (
    GatewayFields,
    connection_of,
    create_gateway,
    delete_gateway,
    test_gateway,
    update_gateway,
)
from config.kernel.errors import Invalid, NotFound
from tests.factories import NOW, make_gateway, make_gateway_mapping, make_product
from tests.gateways.fakes.azure import CREDENTIALS, FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import connect, restored

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
SETTINGS = {"tenant_id": "t", "subscription_id": "s", "resource_group": "g", "service_name": "n"}


def test_every_vendor_that_is_named_is_spoken_to() -> None:
    assert sorted(ADAPTERS) == sorted(Vendor.values)


def test_a_connection_keeps_its_credentials_sealed_and_shows_only_what_they_are_called() -> None:
    gateway = make_gateway(credentials=CREDENTIALS)

    assert (gateway.credential_names, len(gateway.fingerprint)) == (["client_id", "client_secret"], 12)
    assert gateway.credentials_set_at == NOW
    assert CREDENTIALS["client_secret"].encode() not in bytes(gateway.sealed_credentials)
    gateway.refresh_from_db()
    assert connection_of(gateway).credentials == CREDENTIALS
    assert CREDENTIALS["client_secret"] not in repr(connection_of(gateway))


def test_settings_have_their_defaults_and_no_blanks_around_them() -> None:
    gateway = make_gateway(settings={**SETTINGS, "tenant_id": " t-1 "}, base_url="https://proxy.example.com/")

    assert gateway.settings == {**SETTINGS, "cloud": "public", "tenant_id": "t-1"}
    assert gateway.base_url == "https://proxy.example.com"


@pytest.mark.parametrize(
    ("fields", "credentials", "param"),
    [
        ({"settings": {}}, CREDENTIALS, "settings.tenant_id"),
        ({"settings": {**SETTINGS, "tenant_id": "  "}}, CREDENTIALS, "settings.tenant_id"),
        ({"settings": {**SETTINGS, "cloud": "moon"}}, CREDENTIALS, "settings.cloud"),
        ({"settings": {**SETTINGS, "region": "eu"}}, CREDENTIALS, "settings.region"),
        ({"settings": {**SETTINGS, "tenant_id": "a\0b"}}, CREDENTIALS, "settings.tenant_id"),
        ({"settings": {**SETTINGS, "tenant_id": 5}}, CREDENTIALS, "settings.tenant_id"),
        ({}, {}, "credentials.client_id"),
        ({}, {"client_id": "c"}, "credentials.client_secret"),
        ({}, {**CREDENTIALS, "password": "p"}, "credentials.password"),
        ({"base_url": "http://10.0.0.1:8001"}, CREDENTIALS, "base_url"),
        ({"base_url": "https://user:pass@example.com"}, CREDENTIALS, "base_url"),
        ({"base_url": "nonsense"}, CREDENTIALS, "base_url"),
        ({"mark": "Meter desk"}, CREDENTIALS, "mark"),
        ({"mark": ""}, CREDENTIALS, "mark"),
        ({"mark": "m" * 21}, CREDENTIALS, "mark"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(fields: Any, credentials: Any, param: str) -> None:
    given = GatewayFields(**{"name": "G", "settings": SETTINGS, **fields})

    with pytest.raises(Invalid) as refusal:
        create_gateway(given, vendor="AZURE_APIM", credentials=credentials, now=NOW)

    assert refusal.value.param == param
    assert not any(secret in refusal.value.message for secret in CREDENTIALS.values())
    assert not Gateway.objects.exists()
    create_gateway(GatewayFields(name="G", settings=SETTINGS), vendor="AZURE_APIM", credentials=CREDENTIALS, now=NOW)


def test_a_gateway_that_is_ones_own_needs_an_address(settings: Any) -> None:
    settings.GATEWAY_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    fields: dict[str, Any] = {"name": "Kong", "settings": {"edition": "oss"}}
    with pytest.raises(Invalid) as refusal:
        create_gateway(GatewayFields(**fields), vendor="KONG", credentials={}, now=NOW)
    assert refusal.value.param == "base_url"

    here = GatewayFields(**fields, base_url="http://10.1.2.3:8001")
    assert create_gateway(here, vendor="KONG", credentials={}, now=NOW).fingerprint == ""


def test_a_name_is_taken_once() -> None:
    first, second = make_gateway(name="EU"), make_gateway(name="US")

    with pytest.raises(DuplicateGatewayName), transaction.atomic():
        make_gateway(name="EU")
    with pytest.raises(DuplicateGatewayName), transaction.atomic():
        update_gateway(second.id, name="EU", now=LATER)
    assert update_gateway(first.id, name="EU", now=LATER).updated_at == NOW


def test_a_change_keeps_what_it_does_not_name() -> None:
    gateway = make_gateway(credentials=CREDENTIALS)

    changed = update_gateway(gateway.id, name="New", now=LATER)

    assert (changed.name, changed.settings, changed.mark) == ("New", gateway.settings, "meterdesk")
    assert connection_of(changed).credentials == CREDENTIALS
    assert changed.credentials_set_at == NOW
    assert changed.history.count() == 2


def test_new_credentials_replace_all_there_were() -> None:
    gateway = make_gateway()
    old = gateway.fingerprint

    with pytest.raises(Invalid):
        update_gateway(gateway.id, credentials={"client_secret": "new"}, now=LATER)
    changed = update_gateway(gateway.id, credentials={"client_id": "c", "client_secret": "new"}, now=LATER)

    assert connection_of(changed).credentials == {"client_id": "c", "client_secret": "new"}
    assert changed.fingerprint != old
    assert changed.credentials_set_at == LATER


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        ({"name": "New"}, False),
        ({"restores_by_itself": True}, False),
        ({"base_url": "https://proxy.example.com"}, True),
        ({"settings": {**SETTINGS, "cloud": "china"}}, True),
        ({"credentials": CREDENTIALS}, True),
    ],
)
def test_what_may_have_mended_the_connection_is_tried_at_once(change: dict[str, Any], looks: bool) -> None:
    mapping = make_gateway_mapping()
    Gateway.objects.update(attention="No", paused_until=LATER, failures=3)
    GatewayMapping.objects.update(sync_status="ERROR", last_error="No", job="")

    update_gateway(mapping.gateway_id, **change, now=LATER)

    gateway = Gateway.objects.get()
    assert (gateway.attention, gateway.paused_until, gateway.failures) == ("", None, 0)
    assert GatewayMapping.objects.get().status == ("PENDING" if looks else "ERROR")


def test_the_mark_stays_while_anything_carries_it() -> None:
    free, used = make_gateway(), make_gateway_mapping().gateway

    assert update_gateway(free.id, mark="other", now=LATER).mark == "other"
    with pytest.raises(GatewayMarkInUse):
        update_gateway(used.id, mark="other", now=LATER)
    assert update_gateway(used.id, mark="meterdesk", now=LATER).mark == "meterdesk"


def test_a_gateway_with_mappings_is_not_forgotten() -> None:
    mapping = make_gateway_mapping()

    with pytest.raises(GatewayDeletionBlocked) as refusal:
        delete_gateway(mapping.gateway_id)
    findings: Any = refusal.value.details["findings"]
    assert findings[0]["count"] == 1

    mapping.delete()
    delete_gateway(mapping.gateway_id)
    assert not Gateway.objects.exists()
    with pytest.raises(NotFound):
        delete_gateway(mapping.gateway_id)


def test_a_test_says_who_answers_and_is_kept_with_whoever_asked(azure: FakeAzure) -> None:
    gateway = connect(azure)

    probe = test_gateway(gateway.id, now=LATER)

    gateway.refresh_from_db()
    assert probe.version == "2024-05-01"
    assert (gateway.tested_at, gateway.test_result) == (LATER, probe.sentence)
    assert gateway.test_result.startswith("Answers as 2024-05-01")
    assert gateway.history.count() == 2


def test_a_test_that_fails_says_why_and_what_it_means_for_the_connection(azure: FakeAzure) -> None:
    gateway = connect(azure, credentials={**CREDENTIALS, "client_secret": "wrong-secret"})

    with pytest.raises(GatewayUnusable) as refusal:
        test_gateway(gateway.id, now=LATER)

    gateway.refresh_from_db()
    assert refusal.value.details["failure"] == "not_allowed"
    assert refusal.value.details["status"] == 401
    assert gateway.attention == gateway.test_result == refusal.value.message
    assert "wrong-secret" not in refusal.value.message
    update_gateway(gateway.id, credentials=CREDENTIALS, now=LATER)
    test_gateway(gateway.id, now=LATER)
    gateway.refresh_from_db()
    assert gateway.attention == ""


def test_a_gateway_that_is_away_for_a_moment_needs_no_attention(azure: FakeAzure) -> None:
    gateway = connect(azure)
    azure.faults.append(Fault("GET", 503, times=3))

    with pytest.raises(GatewayUnusable) as refusal:
        test_gateway(gateway.id, now=LATER)

    gateway.refresh_from_db()
    assert (refusal.value.details["failure"], gateway.attention) == ("unavailable", "")


def test_a_test_with_credentials_that_no_key_opens_says_so(azure: FakeAzure, settings: Any) -> None:
    gateway = connect(azure)
    settings.ENCRYPTION_KEYS = ["another"]

    with pytest.raises(GatewayUnusable, match="enter the credentials again"):
        test_gateway(gateway.id, now=LATER)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"vendor": "TYK"}, "gateway_vendor_is_known"),
        ({"mark": "Not a slug"}, "gateway_mark_is_a_slug"),
    ],
)
def test_the_database_keeps_gateways_in_order(change: dict[str, Any], rule: str) -> None:
    make_gateway()

    with pytest.raises(IntegrityError, match=rule):
        Gateway.objects.update(**change)


EMPTY = Value([], output_field=JSONField())


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"sync_status": "FINE"}, "gateway_mapping_status_is_known"),
        ({"sync_status": "PENDING", "job": ""}, "gateway_mapping_pending_has_a_job"),
        ({"sync_status": "STALE", "drift": EMPTY}, "gateway_mapping_stale_has_drift"),
        ({"sync_status": "SYNCED", "drift": [{"kind": "x"}]}, "gateway_mapping_synced_has_no_drift"),
        ({"sync_status": "SYNCED", "last_error": "No"}, "gateway_mapping_synced_has_no_drift"),
        ({"sync_status": "ERROR", "last_error": ""}, "gateway_mapping_fails_with_an_error"),
    ],
)
def test_the_database_lets_no_status_contradict_what_was_found(
    azure: FakeAzure, change: dict[str, Any], rule: str
) -> None:
    restored(connect(azure))

    with pytest.raises(IntegrityError, match=rule):
        GatewayMapping.objects.update(**change)


@pytest.mark.parametrize("side", ["product", "gateway"])
def test_the_database_lets_no_mapping_move(side: str) -> None:
    make_gateway_mapping()
    other = make_product() if side == "product" else make_gateway()

    with pytest.raises(ProgrammingError, match="Cannot update rows"):
        GatewayMapping.objects.update(**{side: other})


def test_the_database_lets_no_object_stand_for_two_products() -> None:
    first = make_gateway_mapping(external_ref="petstore")
    second = make_gateway_mapping(gateway=first.gateway)

    with pytest.raises(IntegrityError, match="gateway_mapping_one_per_object"):
        GatewayMapping.objects.filter(pk=second.pk).update(external_ref="petstore")


def test_neither_side_of_a_mapping_goes_without_it() -> None:
    mapping = make_gateway_mapping()

    for side in (mapping.gateway, mapping.product):
        with pytest.raises(ProtectedError):
            side.delete()

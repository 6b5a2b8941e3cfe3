"""Last use: noted at every use, written down together, and never at the cost of a request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from config.api.redis import Outage, redis_client
from config.kernel.ids import TypeID
from credentials.models import Credential, OperatorKey
from credentials.operations.credentials import revoke_credential
from credentials.operations.uses import record_uses
from credentials.tasks import flush_last_used
from credentials.uses import note_use, notes
from tests.credentials.keys import issue
from tests.factories import NOW, make_operator_key

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_notes(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outage, "until", 0.0)
    redis_client(settings.REDIS_URL).delete(notes())


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def last_use_of(key: Credential) -> datetime | None:
    return Credential.objects.values_list("last_used_at", flat=True).get(pk=key.pk)


def test_the_last_of_several_uses_is_written_down(api: APIClient, clock: time_machine.Traveller) -> None:
    (used, secret), (idle, _) = issue(), issue()
    body = {"key": secret}

    api.post("/v1/credentials/verify", body)
    clock.shift(HOUR)
    api.post("/v1/credentials/verify", body)
    assert last_use_of(used) is None
    flush_last_used()

    assert (last_use_of(used), last_use_of(idle)) == (NOW + HOUR, None)
    assert api.get(f"/v1/credentials/{used.id}").json()["last_used"] == "2026-03-10T13:00:00Z"


def test_who_was_not_let_in_did_not_use_the_key(api: APIClient, clock: time_machine.Traveller) -> None:
    (revoked, secret), (narrow, other) = issue(), issue(scopes=["read"])
    revoke_credential(revoked.id, now=NOW)

    api.post("/v1/credentials/verify", {"key": secret})
    api.post("/v1/credentials/verify", {"key": other, "scope": "write"})
    flush_last_used()

    assert (last_use_of(revoked), last_use_of(narrow)) == (None, None)


def test_every_request_uses_the_operator_key_that_it_carries(api: APIClient, clock: time_machine.Traveller) -> None:
    idle, _ = make_operator_key()

    api.get("/v1/customers")
    flush_last_used()

    assert set(OperatorKey.objects.exclude(pk=idle.pk).values_list("last_used_at", flat=True)) == {NOW}
    assert OperatorKey.objects.get(pk=idle.pk).last_used_at is None


def test_a_verification_writes_nothing_to_the_database(
    clock: time_machine.Traveller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, _ = issue()

    with django_assert_num_queries(0):
        note_use(key.id, NOW)


def test_writing_down_is_no_change_of_the_credential() -> None:
    key, _ = issue()
    note_use(key.id, NOW + HOUR)

    assert flush_last_used() == 1

    kept = Credential.objects.get(pk=key.pk)
    assert (kept.last_used_at, kept.updated_at, kept.history.count()) == (NOW + HOUR, NOW, 1)


def test_writing_down_twice_is_harmless_and_forgets_what_is_written(settings: LazySettings) -> None:
    key, _ = issue()
    note_use(key.id, NOW)

    assert [flush_last_used(), flush_last_used()] == [1, 0]

    assert redis_client(settings.REDIS_URL).hlen(notes()) == 0
    assert last_use_of(key) == NOW


def test_a_use_during_the_writing_is_kept_for_the_next_time() -> None:
    key, _ = issue()
    note_use(key.id, NOW)

    def use_again(execute: Any, *call: Any) -> Any:
        note_use(key.id, NOW + HOUR)
        return execute(*call)

    with connection.execute_wrapper(use_again):
        flush_last_used()
    assert last_use_of(key) == NOW
    flush_last_used()

    assert last_use_of(key) == NOW + HOUR


def test_an_earlier_moment_and_an_unknown_key_change_nothing() -> None:
    key, _ = issue()

    assert record_uses({key.id: NOW}) == 1
    assert record_uses({key.id: NOW - HOUR, TypeID.new("key"): NOW, TypeID.new("cust"): NOW}) == 0
    assert record_uses({key.id: NOW}) == 0
    assert record_uses({}) == 0
    assert last_use_of(key) == NOW


def test_without_redis_keys_are_verified_all_the_same(
    api: APIClient, settings: LazySettings, clock: time_machine.Traveller
) -> None:
    key, secret = issue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{free.getsockname()[1]}/0"

        assert api.post("/v1/credentials/verify", {"key": secret}).json()["code"] == "valid"
        assert flush_last_used() == 0

    assert Outage.until > 0
    assert last_use_of(key) is None


def test_cron_writes_down_what_beat_would(capsys: pytest.CaptureFixture[str]) -> None:
    key, _ = issue()
    note_use(key.id, NOW)

    call_command("flush_last_used")

    assert capsys.readouterr().out == "1 key(s) used\n"
    assert last_use_of(key) == NOW

"""Checks and restores that fail: what is tried again when, what has to be looked after, and how far it came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.models import Gateway
from catalog.operations.gateway_mappings import (
    request_check,
    request_restore,
)
from catalog.operations.gateways import update_gateway
from tests.factories import NOW
from tests.gateways.fakes.azure import CREDENTIALS, FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import (
    LATER,
    checked,
    connect,
    fresh,
    link,
    restored,
    work,
)

pytestmark = pytest.mark.django_db


def test_what_is_not_there_is_an_error_that_is_not_tried_again(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway, ref="nothing")

    work(gateway)

    found = fresh(mapping)
    assert (found.status, found.last_error_code) == ("ERROR", "object_missing")
    assert (found.job, found.next_try_at) == ("", None)


def test_a_refused_credential_is_shown_at_the_gateway_until_it_is_mended(azure: FakeAzure) -> None:
    gateway = connect(azure, credentials={**CREDENTIALS, "client_secret": "wrong-secret"})
    mapping = link(gateway)

    work(gateway)

    gateway.refresh_from_db()
    assert (fresh(mapping).status, fresh(mapping).last_error_code) == ("ERROR", "not_allowed")
    assert "AADSTS7000215" in gateway.attention
    assert "wrong-secret" not in gateway.attention + fresh(mapping).last_error
    update_gateway(gateway.id, credentials=CREDENTIALS, now=LATER)
    gateway.refresh_from_db()
    assert (gateway.attention, fresh(mapping).status) == ("", "PENDING")
    work(gateway, now=LATER)
    assert fresh(mapping).status == "STALE"


def test_a_refusal_that_ends_by_itself_leaves_no_attention_behind(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))
    azure.faults.append(Fault("GET", 403, b'{"error": {"message": "No role yet"}}'))
    checked(mapping)
    assert "No role yet" in Gateway.objects.get().attention

    checked(mapping)

    assert (Gateway.objects.get().attention, fresh(mapping).status) == ("", "SYNCED")


def test_credentials_that_no_key_opens_have_to_be_entered_again(azure: FakeAzure, settings: Any) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    settings.ENCRYPTION_KEYS = ["another key"]

    work(gateway)

    assert (fresh(mapping).status, fresh(mapping).last_error_code) == ("ERROR", "not_allowed")
    assert "enter the credentials again" in fresh(mapping).last_error
    update_gateway(gateway.id, credentials=CREDENTIALS, now=LATER)
    work(gateway, now=LATER)
    assert fresh(mapping).status == "STALE"


def test_a_gateway_that_does_not_answer_rests_and_is_tried_again_by_itself(azure: FakeAzure) -> None:
    gateway = connect(azure)
    first, second = link(gateway), link(gateway, ref="weather")
    azure.faults.append(Fault("GET", 503, times=3))

    assert work(gateway) == 1

    found = fresh(first)
    assert (found.status, found.last_error_code, found.job) == ("ERROR", "unavailable", "check")
    assert found.next_try_at == NOW + timedelta(seconds=10)
    # The other mapping need not find out for itself.
    assert fresh(second).status == "PENDING"
    assert work(gateway, now=NOW + timedelta(seconds=9)) == 0
    assert work(gateway, now=NOW + timedelta(seconds=10)) == 2
    assert (fresh(first).status, fresh(second).status) == ("STALE", "STALE")
    gateway.refresh_from_db()
    assert (gateway.failures, gateway.paused_until) == (0, None)


def test_who_asks_now_does_not_wait_until_a_gateway_has_rested(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    azure.faults.append(Fault("GET", 503, times=3))
    work(gateway)

    request_check(mapping.id, now=NOW)

    assert fresh(mapping).status == "PENDING"
    assert work(gateway) == 1
    assert fresh(mapping).status == "STALE"


def test_a_gateway_that_stays_away_is_given_up_after_eight_tries_that_grow_apart() -> None:
    gateway = connect()
    mapping = link(gateway)
    now, pauses = NOW, []

    while fresh(mapping).job:
        work(gateway, now=now)
        then = fresh(mapping).next_try_at
        pauses += [(then - now).total_seconds()] if then else []
        now = then or now

    assert pauses == [10, 20, 40, 80, 160, 320, 640]
    assert (fresh(mapping).status, fresh(mapping).attempts) == ("ERROR", 8)
    assert fresh(mapping).history.count() == 2


def throttled(seconds: str = "42") -> Fault:
    return Fault("GET /subscriptions", 429, headers={"Retry-After": seconds})


def test_who_is_told_to_come_back_later_does_and_has_not_failed(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    azure.faults.append(throttled())

    work(gateway)

    found = fresh(mapping)
    assert (found.status, found.last_error) == ("PENDING", "")
    assert found.next_try_at == NOW + timedelta(seconds=42)
    assert work(gateway, now=NOW + timedelta(seconds=41)) == 0
    work(gateway, now=NOW + timedelta(seconds=42))
    assert fresh(mapping).status == "STALE"


def test_waiting_for_a_turn_twenty_times_is_no_failure_but_a_day_of_it_is(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    azure.faults.append(Fault("GET /subscriptions", 429, headers={"Retry-After": "20"}, times=21))

    for turn in range(20):
        work(gateway, now=NOW + timedelta(seconds=20 * turn))
        assert fresh(mapping).status == "PENDING"
    work(gateway, now=NOW + timedelta(days=1))

    assert (fresh(mapping).status, fresh(mapping).last_error_code) == ("ERROR", "throttled")
    assert fresh(mapping).job == ""


def test_a_vendor_that_names_no_moment_is_asked_less_and_less_often(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    azure.faults.append(Fault("GET /subscriptions", 429, times=3))
    now, pauses = NOW, []

    for _ in range(3):
        work(gateway, now=now)
        then = fresh(mapping).next_try_at
        assert then is not None
        pauses.append((then - now).total_seconds())
        now = then

    assert pauses == [10, 20, 40]


def test_what_failed_half_way_tells_how_far_it_came_and_goes_on_from_there(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    azure.faults.append(Fault(r"PUT .*/policies/policy", 400, b'{"error": {"message": "Policy is not valid"}}'))
    request_restore(mapping.id, now=NOW)

    work(gateway)

    found = fresh(mapping)
    assert (found.status, found.last_error_code) == ("ERROR", "refused")
    assert (found.progress["done"], found.progress["of"]) == (1, 3)
    assert found.progress["step"].startswith("create policy of")
    # Nobody is let in before the limits stand.
    assert list(azure.links.values()) == [[]]
    request_restore(mapping.id, now=LATER)
    work(gateway, now=LATER)
    assert (fresh(mapping).status, fresh(mapping).progress) == ("SYNCED", {"done": 2, "of": 2, "step": ""})

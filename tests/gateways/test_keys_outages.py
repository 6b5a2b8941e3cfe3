"""Keys while a gateway fails: what is tried again and for how long, who waits, and what operators are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from catalog.events import GatewayFailed
from catalog.models import Gateway
from catalog.operations.gateways import update_gateway
from credentials.models import GatewayKey
from credentials.operations.credentials import revoke_credential
from credentials.operations.gateway_deliveries import LEASE
from credentials.operations.gateway_key_outcomes import LONGEST_PAUSE, PATIENCE, QUIET_FOR
from credentials.operations.gateway_key_requests import retry_gateway_key
from credentials.operations.gateway_keys import SEALED_FOR
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from tests.events import heard
from tests.factories import NOW
from tests.gateways.fakes.azure import CREDENTIALS, FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.keys import Venue, azure_venue, key_of, statuses_of, subscribe

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
#: The calls that place, suspend and remove keys.
KEYS = "(PUT|PATCH|DELETE) /subscriptions/azsub-1/.*/subscriptions/"


@pytest.fixture
def venue() -> Iterator[Venue]:
    with azure_venue() as found:
        yield found


@pytest.fixture
def azure(venue: Venue) -> FakeAzure:
    assert isinstance(venue.fake, FakeAzure)
    return venue.fake


def failing(status: int, *, at: str = KEYS, times: int = 1000, retry_after: str = "") -> Fault:
    body = json.dumps({"error": {"code": "Refused", "message": "Not now"}}).encode()
    headers = {"Content-Type": "application/json", **({"Retry-After": retry_after} if retry_after else {})}
    return Fault(at, status=status, body=body, headers=headers, times=times)


def attention(venue: Venue) -> str:
    return Gateway.objects.get(pk=venue.gateway.pk).attention


def test_a_failure_in_passing_is_tried_again_later_each_time(venue: Venue, azure: FakeAzure) -> None:
    credential, secret = subscribe(venue.mapping)
    azure.faults.append(failing(503))
    now, pauses = NOW, []
    for _ in range(12):
        assert venue.deliver(now=now) == 1
        assert venue.deliver(now=now) == 0
        key = key_of(credential)
        assert (key.status, key.last_error_code) == ("ERROR", "unavailable")
        assert key.next_try_at is not None
        pauses.append(key.next_try_at - now)
        now = key.next_try_at

    assert timedelta(seconds=5) <= pauses[0] <= timedelta(seconds=10)
    assert LONGEST_PAUSE / 2 <= pauses[-1] <= LONGEST_PAUSE
    assert len(set(pauses)) > 10
    azure.faults.clear()
    venue.deliver(now=now)
    assert statuses_of(credential) == [("active", "PLACED")]
    assert (key_of(credential).last_error, key_of(credential).sealed) == ("", None)
    assert venue.opens() == {secret}


def test_a_gateway_says_itself_when_to_come_back(venue: Venue, azure: FakeAzure) -> None:
    credential, other = (subscribe(venue.mapping)[0] for _ in range(2))
    azure.faults.append(failing(429, retry_after="77"))

    venue.deliver()

    assert key_of(credential).next_try_at == NOW + timedelta(seconds=77)
    # It has said so to everybody.
    assert (key_of(other).next_try_at, key_of(other).attempts) == (NOW + timedelta(seconds=77), 0)


def test_while_nobody_answers_the_other_keys_wait_and_a_revocation_tries_for_itself(
    venue: Venue, azure: FakeAzure
) -> None:
    placed, _ = subscribe(venue.mapping)
    venue.deliver()
    first, second = (subscribe(venue.mapping)[0] for _ in range(2))
    azure.faults.append(failing(503))
    assert venue.deliver() == 1
    assert (key_of(first).attempts, key_of(second).attempts) == (1, 0)

    azure.faults.clear()
    revoke_credential(placed.id, now=NOW + SECOND)
    assert venue.deliver(now=NOW + SECOND) == 1
    assert statuses_of(placed) == [("absent", "REMOVED")]


def test_a_key_that_cannot_be_removed_is_tried_for_days_and_operators_are_told(venue: Venue, azure: FakeAzure) -> None:
    credential, secret = subscribe(venue.mapping)
    venue.deliver()
    azure.faults.append(failing(503))
    revoke_credential(credential.id, now=NOW)

    with heard(GatewayFailed) as failed:
        venue.deliver(now=NOW)
        assert (attention(venue), failed) == ("", [])
        for moment in (QUIET_FOR, HOUR, DAY):
            venue.deliver(now=NOW + moment)
    assert "must let nobody in" in attention(venue)
    assert [event.code for event in failed] == ["unavailable"]
    assert statuses_of(credential) == [("absent", "ERROR")]
    assert venue.opens() == {secret}

    GatewayKey.objects.update(next_try_at=None)
    venue.deliver(now=NOW + PATIENCE)
    assert not key_of(credential).is_due
    azure.faults.clear()
    assert venue.deliver(now=NOW + PATIENCE + DAY) == 0
    retry_gateway_key(key_of(credential).id, now=NOW + PATIENCE + DAY)
    venue.deliver(now=NOW + PATIENCE + DAY)
    assert (statuses_of(credential), attention(venue)) == ([("absent", "REMOVED")], "")
    assert venue.opens() == set()


def test_a_removal_that_is_refused_is_told_at_once_and_tried_again_all_the_same(venue: Venue, azure: FakeAzure) -> None:
    credential, _ = subscribe(venue.mapping)
    venue.deliver()
    azure.faults.append(failing(400, times=1))
    revoke_credential(credential.id, now=NOW)

    venue.deliver()
    assert "must let nobody in" in attention(venue)
    venue.deliver(now=NOW + MINUTE)

    assert statuses_of(credential) == [("absent", "REMOVED")]
    assert attention(venue) == ""


def test_wrong_credentials_concern_the_gateway_and_all_is_sent_once_they_are_right(
    venue: Venue, azure: FakeAzure
) -> None:
    first, second = (subscribe(venue.mapping)[0] for _ in range(2))
    azure.token = "revoked"
    update_gateway(venue.gateway.id, credentials={**CREDENTIALS, "client_secret": "wrong"}, now=NOW)

    with heard(GatewayFailed) as failed:
        assert venue.deliver() == 1
    assert [event.code for event in failed] == ["not_allowed"]
    assert "A key cannot be sent" in attention(venue)
    assert "wrong" not in attention(venue)
    assert sorted([key_of(first).attempts, key_of(second).attempts]) == [0, 1]

    update_gateway(venue.gateway.id, credentials=CREDENTIALS, now=NOW + MINUTE)
    assert venue.deliver(now=NOW + MINUTE) == 2
    assert statuses_of(first) == statuses_of(second) == [("active", "PLACED")]
    assert attention(venue) == ""


def test_a_secret_that_waited_too_long_is_never_sent(venue: Venue, azure: FakeAzure) -> None:
    credential, _ = subscribe(venue.mapping)
    azure.faults.append(failing(503))
    venue.deliver()

    sweep_gateway_keys(now=NOW + SEALED_FOR)
    azure.faults.clear()
    venue.deliver(now=NOW + SEALED_FOR)

    assert statuses_of(credential) == [("active", "LOST")]
    assert azure.keys == {}


@pytest.mark.parametrize("effect", [True, False])
def test_a_lost_answer_makes_no_second_key(venue: Venue, azure: FakeAzure, effect: bool) -> None:
    credential, secret = subscribe(venue.mapping)
    azure.faults.append(Fault("PUT .*/subscriptions/meterdesk", effect=effect))

    venue.deliver()
    if statuses_of(credential) == [("active", "ERROR")]:
        venue.deliver(now=NOW + MINUTE)

    assert statuses_of(credential) == [("active", "PLACED")]
    assert len(azure.keys) == 1
    assert venue.opens() == {secret}


def test_a_worker_that_dies_after_the_gateways_answer_is_followed_by_another(venue: Venue, azure: FakeAzure) -> None:
    credential, secret = subscribe(venue.mapping)
    waiting = GatewayKey.objects.filter(pk=key_of(credential).pk).values().get()
    venue.deliver()
    # What it leaves that has placed the key and never came to say so.
    GatewayKey.objects.filter(pk=waiting["id"]).update(**{**waiting, "attempts": 1, "claimed_until": NOW + LEASE})
    Gateway.objects.update(keys_claimed_until=NOW + LEASE)
    azure.exchanges.clear()

    assert venue.deliver(now=NOW + LEASE - SECOND) == 0
    assert venue.deliver(now=NOW + LEASE) == 1

    assert azure.requests("PUT", "PATCH", "DELETE") == []
    assert (statuses_of(credential), venue.opens()) == ([("active", "PLACED")], {secret})

"""The outbox of keys: what comes first, what is never sent, and what becomes of keys that vanish."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from catalog.gateways.azure import AzureAdapter
from catalog.gateways.failures import Unsupported
from catalog.gateways.interface import Capabilities
from catalog.models import Gateway
from catalog.operations.gateway_mappings import create_gateway_mapping, request_restore
from catalog.operations.gateways import update_gateway
from credentials.operations.credentials import revoke_credential
from credentials.operations.gateway_deliveries import deliver_keys
from credentials.operations.gateway_key_requests import retry_gateway_key
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from credentials.tasks import deliver_gateway_keys, deliver_keys_of_gateway
from customers.operations.suspension import reactivate_customer, suspend_customer
from tests.factories import NOW
from tests.gateways.fakes.azure import CREDENTIALS, FakeAzure
from tests.gateways.fakes.server import Fault
from tests.gateways.house import limited_product, work
from tests.gateways.keys import Venue, azure_venue, key_of, rotate, statuses_of, subscribe

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


def failing(status: int, *, at: str = KEYS, times: int = 1000, **headers: str) -> Fault:
    body = json.dumps({"error": {"code": "Refused", "message": "Not now"}}).encode()
    return Fault(at, status=status, body=body, headers={"Content-Type": "application/json", **headers}, times=times)


def attention(venue: Venue) -> str:
    return Gateway.objects.get(pk=venue.gateway.pk).attention


def test_removals_come_first_then_suspensions_then_new_keys(venue: Venue, azure: FakeAzure) -> None:
    gone, off = (subscribe(venue.mapping)[0] for _ in range(2))
    venue.deliver()
    azure.exchanges.clear()
    new, _ = subscribe(venue.mapping)
    suspend_customer(off.customer_id, now=NOW + SECOND)
    revoke_credential(gone.id, now=NOW + MINUTE)

    assert venue.deliver(now=NOW + HOUR) == 3

    sent = [(one.method, one.path.rpartition("-")[2]) for one in azure.requests("PUT", "PATCH", "DELETE")]
    assert sent == [("DELETE", key_of(gone).id), ("PATCH", key_of(off).id), ("PUT", key_of(new).id)]


def test_placing_what_is_placed_sends_nothing(venue: Venue, azure: FakeAzure) -> None:
    credential, secret = subscribe(venue.mapping)
    venue.deliver()
    azure.exchanges.clear()
    request_restore(venue.mapping.id, now=NOW)
    work(venue.gateway)

    assert venue.deliver() == 1

    assert azure.requests("PUT", "PATCH", "DELETE") == []
    assert statuses_of(credential) == [("active", "PLACED")]
    assert venue.opens() == {secret}


def test_no_key_is_placed_before_the_limits_of_its_plan(venue: Venue, azure: FakeAzure) -> None:
    product = limited_product(quota_per_day=5)
    azure.apis.add("weather")
    mapping = create_gateway_mapping(
        product=product.id,
        gateway=venue.gateway.id,
        external_ref="weather",
        accepts_approximations=True,
        now=NOW,
    )
    credential, secret = subscribe(mapping)

    venue.deliver()
    assert azure.keys == {}
    key = key_of(credential)
    assert (key.status, key.last_error_code, key.is_due) == ("ERROR", "object_missing", True)
    assert "restore the mapping" in key.last_error

    request_restore(mapping.id, now=NOW)
    work(venue.gateway)
    venue.deliver()
    assert venue.opens() == {secret}


def test_a_key_that_vanished_is_found_lost_after_a_restore_and_a_rotation_brings_a_new_one(
    venue: Venue, azure: FakeAzure
) -> None:
    credential, secret = subscribe(venue.mapping)
    venue.deliver()
    kept = dict(azure.keys)
    azure.keys.clear()
    request_restore(venue.mapping.id, now=NOW)
    work(venue.gateway)
    venue.deliver()
    key = key_of(credential)
    assert (key.status, key.last_error_code, key.is_due) == ("LOST", "key_gone", False)

    # Somebody plays a backup back.
    azure.keys |= kept
    retry_gateway_key(key.id, now=NOW)
    venue.deliver()
    assert statuses_of(credential) == [("active", "PLACED")]
    assert venue.opens() == {secret}

    azure.keys.clear()
    new = rotate(credential, grace=timedelta(0))
    venue.deliver()
    assert venue.opens() == {new}
    assert statuses_of(credential) == [("absent", "REMOVED"), ("active", "PLACED")]


def test_a_key_that_vanished_while_it_should_be_off_is_lost(venue: Venue, azure: FakeAzure) -> None:
    credential, _ = subscribe(venue.mapping)
    venue.deliver()
    azure.keys.clear()

    suspend_customer(credential.customer_id, now=NOW)
    venue.deliver()
    assert statuses_of(credential) == [("suspended", "LOST")]
    assert attention(venue) == ""
    reactivate_customer(credential.customer_id, now=NOW)
    venue.deliver()
    assert statuses_of(credential) == [("active", "LOST")]


def test_a_key_that_begins_suspended_is_brought_there_and_lets_nobody_in(venue: Venue) -> None:
    credential, secret = subscribe(venue.mapping, starts_at=NOW + DAY * 2)

    venue.deliver()
    assert (statuses_of(credential), venue.opens()) == ([("suspended", "SUSPENDED")], set())
    sweep_gateway_keys(now=NOW + DAY * 2)
    venue.deliver(now=NOW + DAY * 2)
    assert (statuses_of(credential), venue.opens()) == ([("active", "PLACED")], {secret})


@pytest.mark.parametrize("says_so", [True, False])
def test_where_keys_cannot_be_switched_off_they_are_removed(
    venue: Venue, azure: FakeAzure, monkeypatch: pytest.MonkeyPatch, says_so: bool
) -> None:
    credential, _ = subscribe(venue.mapping)
    venue.deliver()

    def refuse(*_: Any) -> None:
        raise Unsupported("This gateway does not show keys")

    if says_so:
        able = Capabilities(takes_our_keys=True, suspends_keys=False)
        monkeypatch.setattr(AzureAdapter, "capabilities", lambda _: able)
    else:
        monkeypatch.setattr(AzureAdapter, "suspend_key", refuse)
    suspend_customer(credential.customer_id, now=NOW)
    venue.deliver()

    assert azure.keys == {}
    assert statuses_of(credential) == [("suspended", "LOST")]
    assert "removed" in key_of(credential).last_error


def test_a_secret_that_cannot_be_opened_has_to_be_rotated_and_gateways_get_their_credentials_anew(
    venue: Venue, settings: Any
) -> None:
    credential, _ = subscribe(venue.mapping)
    settings.ENCRYPTION_KEYS = ["another"]

    venue.deliver()
    assert key_of(credential).last_error_code == "not_allowed"
    update_gateway(venue.gateway.id, credentials=CREDENTIALS, now=NOW)
    venue.deliver()
    assert statuses_of(credential) == [("active", "LOST")]
    assert "rotate" in key_of(credential).last_error


@pytest.mark.usefixtures("clock_at_now")
def test_the_command_and_the_tasks_do_the_same(venue: Venue, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = subscribe(venue.mapping)
    call_command("deliver_gateway_keys")
    assert statuses_of(first) == [("active", "PLACED")]
    assert "1 delivery(ies) tried at 1 gateway(s)" in capsys.readouterr().out

    second, _ = subscribe(venue.mapping)
    assert deliver_gateway_keys() == 1
    assert deliver_keys_of_gateway(venue.gateway.id) == 1
    assert statuses_of(second) == [("active", "PLACED")]
    assert key_of(second).history.latest("history_id").history_actor == "task deliver_keys_of_gateway"
    assert (deliver_gateway_keys(), deliver_keys_of_gateway(venue.gateway.id)) == (0, 0)


def test_keys_do_not_wait_for_a_comparison_and_have_one_worker_of_their_own(venue: Venue) -> None:
    credential, _ = subscribe(venue.mapping)
    Gateway.objects.update(claimed_until=NOW + HOUR, paused_until=NOW + HOUR)
    Gateway.objects.update(keys_claimed_until=NOW + HOUR)
    assert deliver_keys(venue.gateway.id, clock=lambda: NOW) == 0

    Gateway.objects.update(keys_claimed_until=None)
    assert venue.deliver() == 1
    assert statuses_of(credential) == [("active", "PLACED")]

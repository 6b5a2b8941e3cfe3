"""Keys at gateways while several do something at once: sent once, never left behind, no gateway waits for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from catalog.models import Gateway
from catalog.operations.gateway_mappings import delete_gateway_mapping, request_restore
from catalog.operations.gateway_sync import run_jobs
from credentials.models import Credential, GatewayKey
from credentials.operations.credentials import revoke_credential
from credentials.operations.gateway_deliveries import deliver_keys
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from customers.operations.suspension import reactivate_customer, suspend_customer
from tests.customers.test_deletion_concurrency import meanwhile
from tests.factories import NOW
from tests.gateways.fakes.server import Fault
from tests.gateways.house import beside, until
from tests.gateways.keys import Venue, azure_venue, key_of, rotate, statuses_of, subscribe

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 4


@pytest.fixture
def venue() -> Iterator[Venue]:
    with azure_venue() as found:
        yield found


def during(venue: Venue, method: str, happening: Callable[[], object]) -> None:
    """Let something happen before the gateway answers the next call of this method."""
    answer, waiting = venue.fake.respond, [happening]

    def respond(sent: Any) -> Any:
        if sent.method == method and waiting:
            waiting.pop()()
            connections.close_all()
        return answer(sent)

    venue.fake.respond = respond  # type: ignore[method-assign]


def test_of_several_workers_one_sends_the_keys(venue: Venue) -> None:
    secrets = {subscribe(venue.mapping)[1] for _ in range(3)}
    done: list[int] = []
    begin = threading.Barrier(THREADS)

    def worker() -> None:
        begin.wait()
        done.append(deliver_keys(venue.gateway.id, clock=timezone.now))

    with beside(*[worker] * THREADS):
        pass

    assert sum(done) == 3
    assert venue.opens() == secrets
    assert len([sent for sent in venue.fake.requests("PUT") if "/subscriptions/meterdesk-" in sent.path]) == 3
    assert Gateway.objects.get().keys_claimed_until is None


def test_a_key_that_is_revoked_while_it_is_placed_is_taken_away_again(venue: Venue) -> None:
    credential, _ = subscribe(venue.mapping)
    during(venue, "PUT", lambda: revoke_credential(credential.id, now=NOW))

    assert venue.deliver() == 2

    assert venue.opens() == set()
    assert statuses_of(credential) == [("absent", "REMOVED")]
    assert (key_of(credential).is_due, key_of(credential).sealed) == (False, None)


def test_a_key_that_is_rotated_while_it_is_placed_goes_when_the_grace_says_so(venue: Venue) -> None:
    credential, old = subscribe(venue.mapping)
    new: list[str] = []
    during(venue, "PUT", lambda: new.append(rotate(credential, grace=timedelta(hours=1))))

    venue.deliver()
    assert venue.opens() == {old, *new}
    sweep_gateway_keys(now=NOW + timedelta(hours=1))
    venue.deliver(now=NOW + timedelta(hours=1))
    assert venue.opens() == set(new)


def test_a_key_whose_mapping_is_unlinked_while_it_is_placed_is_forgotten(venue: Venue) -> None:
    subscribe(venue.mapping)
    during(venue, "PUT", lambda: delete_gateway_mapping(venue.mapping.id, confirm=True))

    venue.deliver()

    assert not GatewayKey.objects.exists()


def test_a_subscription_that_waits_for_the_end_of_a_mapping_sends_no_key(venue: Venue) -> None:
    plan = venue.plan
    refusal = meanwhile(lambda: delete_gateway_mapping(venue.mapping.id), lambda: subscribe(venue.mapping, plan=plan))

    assert refusal is None
    assert Credential.objects.count() == 1
    assert not GatewayKey.objects.exists()


def test_the_end_of_a_mapping_that_waits_for_a_subscription_forgets_its_key(venue: Venue) -> None:
    plan = venue.plan
    refusal = meanwhile(
        lambda: subscribe(venue.mapping, plan=plan),
        lambda: delete_gateway_mapping(venue.mapping.id, confirm=True),
    )

    assert refusal is None
    assert Credential.objects.count() == 1
    assert not GatewayKey.objects.exists()


def test_one_gateways_silence_delays_no_other(venue: Venue) -> None:
    with azure_venue_beside() as silent:
        silent.fake.faults.append(Fault("(GET|PUT) .*/subscriptions/meterdesk", silent_s=60))
        stuck, (quick, secret) = subscribe(silent.mapping)[0], subscribe(venue.mapping)
        with beside(silent.deliver, venue.deliver):
            until(lambda: any("/subscriptions/meterdesk" in sent.path for sent in silent.fake.requests()))
            until(lambda: statuses_of(quick) == [("active", "PLACED")])
            assert statuses_of(stuck) == [("active", "PENDING")]
            silent.fake.wake.set()

    assert venue.opens() == {secret}


def azure_venue_beside() -> Any:
    """Return a second gateway; names are there once."""
    Gateway.objects.update(name="First")
    return azure_venue()


def test_nobody_waits_in_a_ring(venue: Venue) -> None:
    """Suspensions, rotations, restores, sweeps and a worker at the same few rows, until all have had enough."""
    credentials = [subscribe(venue.mapping)[0] for _ in range(6)]
    venue.deliver()

    def suspend_all() -> None:
        for credential in credentials:
            suspend_customer(credential.customer_id, now=NOW)
        for credential in reversed(credentials):
            reactivate_customer(credential.customer_id, now=NOW)

    def restore() -> None:
        request_restore(venue.mapping.id, now=NOW)
        run_jobs(venue.gateway.id, clock=lambda: NOW)

    def fail() -> None:
        venue.fake.faults.append(Fault("PATCH .*/subscriptions/meterdesk", status=503))
        time.sleep(0.05)

    rounds = [for_a_while(work) for work in (suspend_all, restore, fail, venue.deliver, sweep)]
    with ThreadPoolExecutor(len(rounds)) as pool:
        counts = [done.result() for done in [pool.submit(one) for one in rounds]]

    assert min(counts) > 0
    venue.fake.faults.clear()
    GatewayKey.objects.update(next_try_at=None)
    venue.deliver()
    assert {status for one in credentials for status in statuses_of(one)} == {("active", "PLACED")}
    assert len(venue.opens()) == 6
    call_command("verify_books")


def sweep() -> None:
    """Do what the clock has brought, which is nothing."""
    sweep_gateway_keys(now=NOW)


def for_a_while(work: Callable[[], object]) -> Callable[[], int]:
    """Return what does the work for a few seconds, again and again, and returns how often it came to that."""
    end = time.monotonic() + 4

    def repeat() -> int:
        done = 0
        try:
            while time.monotonic() < end:
                work()
                done += 1
        finally:
            connections.close_all()
        return done

    return repeat

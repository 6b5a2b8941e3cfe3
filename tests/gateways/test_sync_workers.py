"""The workers that compare and restore: one a gateway, none lost, none waiting for another gateway."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from catalog.models import Gateway, GatewayMapping
from catalog.operations.gateway_mappings import (
    delete_gateway_mapping,
    request_check,
    request_restore,
)
from catalog.operations.gateway_outcomes import MAX_ATTEMPTS
from catalog.operations.gateway_sync import LEASE, claim_gateway, release_gateway, run_jobs
from tests.factories import NOW
from tests.gateways.contract import Answered, Sent
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.fakes.server import Fault, serving
from tests.gateways.house import (
    LATER,
    azure_service,
    beside,
    connect,
    fresh,
    limited_plan,
    link,
    loosen,
    restored,
    until,
    work,
)

ALONE = pytest.mark.django_db
TOGETHER = pytest.mark.django_db(transaction=True)


class Interrupted(FakeAzure):
    """A gateway at which something happens while it is read; a call that wants to be in a thread of its own."""

    meanwhile: Callable[[], Any] | None = None

    def respond(self, sent: Sent) -> Answered | None:
        """Let it happen before the first answer."""
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()
            connections.close_all()
        return super().respond(sent)


@ALONE
def test_a_gateway_has_one_worker_at_a_time() -> None:
    gateway = connect()

    assert claim_gateway(gateway.id, now=NOW)
    assert not claim_gateway(gateway.id, now=NOW)
    assert run_jobs(gateway.id, clock=lambda: NOW) == 0
    assert claim_gateway(connect().id, now=NOW)
    release_gateway(gateway.id)
    assert claim_gateway(gateway.id, now=NOW)


@ALONE
def test_what_a_dead_worker_held_is_free_when_its_lease_is_over(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    # What a worker leaves that was killed in the middle of a job.
    Gateway.objects.update(claimed_until=NOW + LEASE)
    GatewayMapping.objects.update(claimed_until=NOW + LEASE, attempts=1)

    assert work(gateway, now=NOW + LEASE - timedelta(seconds=1)) == 0
    assert work(gateway, now=NOW + LEASE) == 1
    assert fresh(mapping).status == "STALE"


@ALONE
def test_a_job_that_kills_every_worker_is_given_up(azure: FakeAzure) -> None:
    gateway = connect(azure)
    mapping = link(gateway)
    GatewayMapping.objects.update(attempts=MAX_ATTEMPTS, claimed_until=NOW)

    work(gateway)

    assert (fresh(mapping).status, fresh(mapping).last_error_code) == ("ERROR", "abandoned")
    assert azure.exchanges == []
    request_check(mapping.id, now=LATER)
    work(gateway, now=LATER)
    assert fresh(mapping).status == "STALE"


@TOGETHER
def test_two_workers_share_no_gateway(azure: FakeAzure) -> None:
    gateway = connect(azure)
    link(gateway)
    link(gateway, ref="weather")
    done: list[int] = []
    begin = threading.Barrier(4)

    def worker() -> None:
        begin.wait()
        done.append(run_jobs(gateway.id, clock=timezone.now))

    with beside(worker, worker, worker, worker):
        pass

    assert sorted(done) == [0, 0, 0, 2]
    assert {mapping.status for mapping in GatewayMapping.objects.all()} == {"STALE"}
    gateway.refresh_from_db()
    assert gateway.claimed_until is None


@TOGETHER
@pytest.mark.parametrize(
    ("ask", "job"), [(request_restore, "restore"), (request_check, "check")], ids=["restore", "check"]
)
def test_the_result_of_an_overtaken_job_does_not_pass_for_that_of_a_newer_one(ask: Any, job: str) -> None:
    with serving(Interrupted()) as fake:
        assert isinstance(fake, Interrupted)
        mapping = link(connect(fake))
        fake.meanwhile = lambda: ask(mapping.id, now=LATER)
        seen: list[tuple[str, str, str]] = []

        def clock() -> Any:
            now = fresh(mapping)
            seen.append((now.status, now.sync_status, now.job))
            return LATER

        assert run_jobs(mapping.gateway_id, clock=clock) == 2

    # Before each job and after the last: the first look was at STALE already, and told nobody.
    assert seen[2] == ("PENDING", "PENDING", job)
    assert fresh(mapping).status == ("SYNCED" if job == "restore" else "STALE")


@TOGETHER
def test_a_check_asked_for_during_a_restore_leaves_the_restore_to_be_done() -> None:
    with serving(Interrupted()) as fake:
        assert isinstance(fake, Interrupted)
        mapping = link(connect(fake))
        request_restore(mapping.id, now=NOW)
        fake.meanwhile = lambda: request_check(mapping.id, now=LATER)

        run_jobs(mapping.gateway_id, clock=lambda: LATER)

    assert fresh(mapping).status == "SYNCED"


@TOGETHER
def test_a_mapping_that_is_deleted_while_its_gateway_is_read_stays_deleted() -> None:
    with serving(Interrupted()) as fake:
        assert isinstance(fake, Interrupted)
        mapping = link(connect(fake))
        fake.meanwhile = lambda: delete_gateway_mapping(mapping.id, confirm=True)

        assert run_jobs(mapping.gateway_id, clock=lambda: NOW) == 1

    assert not GatewayMapping.objects.exists()
    assert Gateway.objects.get().claimed_until is None


@TOGETHER
def test_one_gateways_silence_delays_no_other(azure: FakeAzure) -> None:
    with azure_service() as silent:
        silent.faults.append(Fault("GET /subscriptions", silent_s=60))
        stuck, quick = link(connect(silent)), link(connect(azure))
        request_restore(quick.id, now=timezone.now())
        done = threading.Event()

        def slow() -> None:
            run_jobs(stuck.gateway_id, clock=timezone.now)
            done.set()

        with beside(slow, lambda: run_jobs(quick.gateway_id, clock=timezone.now)):
            until(lambda: silent.exchanges)
            until(lambda: fresh(quick).status == "SYNCED")
            assert not done.is_set()
            assert fresh(stuck).status == "PENDING"
            # Let the silent one answer, so that nobody has to wait for the deadline of a call.
            silent.wake.set()

    assert fresh(stuck).status != "PENDING"


@TOGETHER
def test_no_transaction_is_open_while_a_gateway_is_asked() -> None:
    others = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND state <> 'active'
    """
    open_ones: list[int] = []

    class Watching(FakeAzure):
        """Counts the transactions of others at every call."""

        def respond(self, sent: Sent) -> Answered | None:
            with connections["default"].cursor() as cursor:
                cursor.execute(others)
                open_ones.append(cursor.fetchone()[0])
            connections.close_all()
            return super().respond(sent)

    with serving(Watching()) as fake:
        assert isinstance(fake, Watching)
        restored(connect(fake))

    assert len(open_ones) > 10
    assert set(open_ones) == {0}


@ALONE
def test_restores_come_before_checks_and_who_waits_longest_before_others(azure: FakeAzure) -> None:
    gateway = connect(azure)
    first, second, third = (link(gateway, ref=ref) for ref in ("petstore", "weather", "maps"))
    request_check(first.id, now=LATER)
    request_restore(third.id, now=LATER)

    work(gateway, now=LATER)

    asked = [sent.path.rpartition("/apis/")[2] for sent in azure.requests("GET") if "/apis/" in sent.path]
    order = list(dict.fromkeys(ref for ref in asked if ref in {"petstore", "weather", "maps"}))
    assert order == ["maps", "weather", "petstore"]
    assert fresh(second).status == "STALE"


@ALONE
def test_the_same_product_at_two_gateways_stands_at_each_by_itself(azure: FakeAzure) -> None:
    with azure_service() as other:
        here = restored(connect(azure))
        there = restored(connect(other), product=here.product)
        loosen(other)

        limited_plan(here.product, rate_per_minute=5)
        for mapping in (here, there):
            work(mapping.gateway, now=LATER)

        assert (fresh(here).drift_reason, fresh(there).drift_reason) == ("record_changed", "both_changed")

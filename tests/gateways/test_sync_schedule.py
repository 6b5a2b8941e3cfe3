"""When gateways are looked at, who is woken for it, and how often a vendor may be called."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from catalog.gateways.failures import Throttled
from catalog.models import Gateway, GatewayMapping, GatewayPace
from catalog.operations.gateway_mappings import (
    request_due_checks,
    request_restore,
)
from catalog.operations.gateway_pace import SHORT_WAIT_S, wait_for_slot
from catalog.tasks import sync_gateway, sync_gateways
from tests.factories import NOW
from tests.gateways.fakes.azure import FakeAzure
from tests.gateways.house import (
    LATER,
    beside,
    connect,
    fresh,
    link,
    loosen,
    restored,
)

ALONE = pytest.mark.django_db
TOGETHER = pytest.mark.django_db(transaction=True)


@ALONE
def test_checks_that_are_due_are_spread_over_the_interval(azure: FakeAzure, settings: Any) -> None:
    settings.GATEWAY_CHECK_MINUTES = 60
    gateway = connect(azure)
    agreed = [restored(gateway, ref=ref) for ref in ("petstore", "weather", "maps", "trains")]
    hour = timedelta(minutes=60)
    GatewayMapping.objects.filter(pk=agreed[2].pk).update(last_checked_at=NOW - hour)

    assert request_due_checks(now=NOW + hour) == 1
    assert fresh(agreed[2]).status == "PENDING"
    assert request_due_checks(now=NOW + hour) == 0
    # Of four in two minutes it is two a minute, and one more, so that a minute that was missed is made up for.
    GatewayMapping.objects.update(last_checked_at=NOW - hour, job="")
    settings.GATEWAY_CHECK_MINUTES = 2
    assert [request_due_checks(now=NOW + hour) for _ in range(3)] == [3, 1, 0]


@ALONE
def test_what_is_checked_and_what_waits_is_not_due_again(azure: FakeAzure) -> None:
    mapping = restored(connect(azure))

    assert request_due_checks(now=NOW + timedelta(minutes=59)) == 0
    request_restore(mapping.id, now=NOW)
    assert request_due_checks(now=NOW + timedelta(minutes=61)) == 0
    assert fresh(mapping).job == "restore"


@TOGETHER
def test_the_periodic_task_asks_and_wakes_a_worker_for_each_gateway(azure: FakeAzure) -> None:
    agreed, new = restored(connect(azure)), link(connect(azure), ref="weather")
    loosen(azure)

    # Workers are woken through the broker; nobody listens there, so they are run here.
    assert sync_gateways() == 2
    assert sync_gateway(agreed.gateway_id) == 1
    assert sync_gateway(new.gateway_id) == 1

    assert (fresh(agreed).status, fresh(new).status) == ("STALE", "STALE")
    assert fresh(agreed).history.latest("history_id").history_actor == "task sync_gateway"
    assert sync_gateways() == 0


@ALONE
def test_a_gateway_that_rests_or_is_busy_is_woken_for_nobody() -> None:
    gateway = connect()
    link(gateway)
    waiting = Gateway.objects.with_jobs

    assert list(waiting(NOW)) == [gateway]
    Gateway.objects.update(paused_until=LATER)
    assert (list(waiting(NOW)), list(waiting(LATER))) == ([], [gateway])
    Gateway.objects.update(paused_until=None, claimed_until=LATER)
    assert (list(waiting(NOW)), list(waiting(LATER))) == ([], [gateway])
    Gateway.objects.update(claimed_until=None)
    GatewayMapping.objects.update(next_try_at=LATER)
    assert (list(waiting(NOW)), list(waiting(LATER))) == ([], [gateway])


@TOGETHER
def test_a_budget_of_calls_is_shared_by_all_workers() -> None:
    taken: list[float] = []
    begun = time.monotonic()

    def worker() -> None:
        for _ in range(3):
            wait_for_slot("account 1 eu", "update_usage_plan", 0.1)
            taken.append(time.monotonic() - begun)

    with beside(worker, worker, worker):
        pass

    taken.sort()
    assert len(taken) == 9
    assert taken[-1] >= 0.8 - 0.05
    assert all(later - earlier > 0.05 for earlier, later in zip(taken, taken[2:], strict=False))
    assert GatewayPace.objects.count() == 1


@TOGETHER
def test_a_slot_that_comes_too_late_is_not_waited_for() -> None:
    wait_for_slot("account 1 eu", "update_usage_plan", 20)
    begun = time.monotonic()

    with pytest.raises(Throttled, match="one update usage plan every 20 seconds") as throttled:
        wait_for_slot("account 1 eu", "update_usage_plan", 20)

    assert 20 - SHORT_WAIT_S < (throttled.value.retry_after_s or 0) <= 20
    # Another account, and another budget of the same, are their own.
    wait_for_slot("account 2 eu", "update_usage_plan", 20)
    wait_for_slot("account 1 eu", "create_api_key", 20)
    assert time.monotonic() - begun < SHORT_WAIT_S

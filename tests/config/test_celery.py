"""The clock of the house: what beat sends is done by a worker, and cron could do the same."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler
from django.conf import LazySettings
from django.core.management import call_command, get_commands
from django.utils import timezone

from billing.models import Hold, HoldStatus
from billing.operations.holds import hold_funds
from config.celery import app
from customers.models import Customer
from customers.operations.suspension import suspend_customer
from tests.factories import make_customer, make_wallet
from tests.processes import running

HOUR = timedelta(hours=1)
#: No other test uses this database of the broker.
BROKER = 9
#: Tasks that others send for one object each, with the periodic task that finds what was missed.
OF_ONE_OBJECT = {
    "catalog.tasks.sync_gateway": "catalog.tasks.sync_gateways",
    "credentials.tasks.deliver_keys_of_gateway": "credentials.tasks.deliver_gateway_keys",
}
OUR_APPS = ("catalog", "customers", "credentials", "billing")


def write_schedule(path: Path, *, last_run_at: datetime) -> None:
    """Write what beat leaves when it is stopped: a schedule of which everything ran last at that moment."""
    scheduler = PersistentScheduler(app=app, schedule_filename=str(path))
    for entry in scheduler.schedule.values():
        entry.last_run_at = last_run_at
    scheduler.close()


@pytest.mark.django_db(transaction=True)
def test_beat_and_a_worker_lift_a_suspension_and_expire_a_hold_whose_end_has_come(
    tmp_path: Path, settings: LazySettings
) -> None:
    """Beat was off for an hour, in which both ended; started again, it catches up at once."""
    settings.METERDESK_HOME = tmp_path
    now = timezone.now()
    over = suspend_customer(make_customer().id, until=now - HOUR / 2, now=now - 2 * HOUR).id
    lasting = suspend_customer(make_customer().id, until=now + HOUR, now=now - 2 * HOUR).id
    wallet = make_wallet(balance="10", now=now - 2 * HOUR).id
    ends = {"over": now - HOUR, "lasting": now + HOUR}
    for reference, end in ends.items():
        hold_funds(wallet, amount=Decimal(3), reference=reference, expires_at=end, now=now - 2 * HOUR)
    write_schedule(tmp_path / "celerybeat-schedule", last_run_at=now - HOUR)

    logs = [tmp_path / "worker.log", tmp_path / "beat.log"]
    with ExitStack() as stack:
        children = [stack.enter_context(running(log.stem, log, broker=BROKER)) for log in logs]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (is_restored(over) and Hold.objects.get(reference="over").ended_at):
            assert [child.poll() for child in children] == [None, None], [log.read_text() for log in logs]
            time.sleep(0.05)

    assert is_restored(over), [log.read_text() for log in logs]
    assert not is_restored(lasting)
    history = Customer.objects.get(pk=over).history.latest("history_id")
    assert (history.history_actor, history.history_change_reason) == (
        "task expire_suspensions",
        "The suspension's end has come",
    )
    statuses = {hold.reference: hold.status for hold in Hold.objects.all()}
    assert statuses == {"over": HoldStatus.EXPIRED, "lasting": HoldStatus.OPEN}
    call_command("verify_books")


def is_restored(customer: str) -> bool:
    """Tell whether the customer's suspension has been lifted in the database, not only by the clock."""
    return Customer.objects.get(pk=customer).suspended_at is None


def own_tasks() -> set[str]:
    """Return the periodic tasks of our apps by their names."""
    app.loader.import_default_modules()
    return {name for name in app.tasks if name.partition(".")[0] in OUR_APPS} - set(OF_ONE_OBJECT)


def test_beat_sends_every_task_there_is_and_none_there_is_not() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == own_tasks()


def test_what_is_done_for_one_object_is_found_by_a_periodic_task() -> None:
    assert set(OF_ONE_OBJECT.values()) <= own_tasks()
    assert set(OF_ONE_OBJECT) <= set(app.tasks)


def test_cron_can_do_what_beat_does() -> None:
    commands = get_commands()

    for task in own_tasks():
        package, _, name = task.split(".")
        assert commands[name] == package


@pytest.mark.django_db
def test_the_commands_of_the_periodic_tasks_run_and_twice_is_harmless() -> None:
    now = timezone.now()
    customer = suspend_customer(make_customer().id, until=now - HOUR, now=now - 2 * HOUR).id

    for _ in range(2):
        for task in own_tasks():
            call_command(task.rpartition(".")[2])
        assert is_restored(customer)

"""An import that is killed goes on where it stopped: rerun, it counts every row exactly once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from billing.models import UsageEvent
from config.kernel.digests import digest_of
from tests.billing.imports import (
    AZURE_COLUMNS,
    AZURE_TRACE,
    COLUMNS,
    IMPORTED,
    import_usage,
    make_metered_subscription,
    units,
    write_file,
)
from tests.processes import environment

#: How many rows the command takes in at once.
BATCH = 1000

BLOCKING_EVENT = """
    INSERT INTO billing_usageevent
        (id, transaction_id, content, type, "timestamp", received_at, customer_id, properties)
    SELECT %s, 'held', id, 'call', now(), now(), id, '{}' FROM customers_customer LIMIT 1
"""

WAITING_FOR_US = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_in_the_middle_counts_every_row_once_when_it_is_run_again() -> None:
    """
    SIGKILL comes while the fifth batch is being written.

    The test holds the id of one of that batch's events in an open transaction, so that the import must wait there.
    """
    subscription = make_metered_subscription("input_tokens", "output_tokens")
    held = digest_of(f"{AZURE_TRACE.name}:{4 * BATCH + 500}")
    command = [sys.executable, "manage.py", "import_usage", str(AZURE_TRACE), "--subscription", subscription.id]
    options = ["--type", "call", "--as-of", IMPORTED.isoformat(), *AZURE_COLUMNS]

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(BLOCKING_EVENT, [held])
        process = subprocess.Popen(
            [*command, *options],
            cwd=settings.BASE_DIR,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_events(4 * BATCH + 1, process)
        finally:
            process.kill()
            process.wait()
        transaction.set_rollback(True)

    assert process.returncode == -9
    assert UsageEvent.objects.count() == 4 * BATCH
    again = import_usage(AZURE_TRACE, subscription.id, *AZURE_COLUMNS)

    assert again.summary == f"{8819 - 4 * BATCH} accepted, {4 * BATCH} duplicate, 0 rejected"
    assert (units("calls"), units("input_tokens"), units("output_tokens")) == (8819, 18_059_974, 245_896)
    call_command("verify_books")


def await_events(count: int, process: subprocess.Popen[bytes]) -> None:
    """Return once ``count`` events can be seen, the test's own included, and the import waits for it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the import ended by itself"
        with connection.cursor() as cursor:
            cursor.execute(WAITING_FOR_US)
            [is_waiting] = cursor.fetchone()
        if is_waiting and UsageEvent.objects.count() == count:
            return
        time.sleep(0.02)
    pytest.fail(f"the import never came to {count} events")


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_fails_leaves_nothing_of_itself_and_all_of_those_before(tmp_path: Path) -> None:
    subscription = make_metered_subscription("tokens")
    path = write_file(tmp_path / "usage.csv", "at,tokens", *["2023-11-16,1"] * (2 * BATCH + 1))
    # The database itself refuses the last row of the second batch, after the events before it have been written.
    refused = digest_of(f"usage.csv:{2 * BATCH}")

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE billing_usageevent ADD CONSTRAINT not_this_one CHECK (id <> '{refused}')")
    try:
        with pytest.raises(DatabaseError, match="not_this_one"):
            import_usage(path, subscription.id, *COLUMNS)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE billing_usageevent DROP CONSTRAINT not_this_one")

    assert UsageEvent.objects.count() == BATCH
    assert units("tokens") == BATCH
    assert import_usage(path, subscription.id, *COLUMNS).summary == "1001 accepted, 1000 duplicate, 0 rejected"
    assert units("tokens") == 2 * BATCH + 1

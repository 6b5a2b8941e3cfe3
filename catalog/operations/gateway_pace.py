"""Budgets of calls that vendors count by account: kept in the database, so that all workers share them."""

from __future__ import annotations

import time

from django.db import connection

from catalog.gateways.failures import Throttled

#: A worker waits for a slot that comes this soon; for a later one the job goes back into the queue.
SHORT_WAIT_S = 2.0

TAKE_SLOT = """
    INSERT INTO catalog_gatewaypace AS pace (scope, bucket, next_at)
    VALUES (%(scope)s, %(bucket)s, clock_timestamp() + %(every)s * interval '1 second')
    ON CONFLICT (scope, bucket) DO UPDATE
        SET next_at = greatest(pace.next_at, clock_timestamp()) + %(every)s * interval '1 second'
        WHERE pace.next_at <= clock_timestamp() + %(short)s * interval '1 second'
    RETURNING extract(epoch FROM next_at - clock_timestamp()) - %(every)s
"""
WAIT_FOR_SLOT = """
    SELECT extract(epoch FROM next_at - clock_timestamp()) FROM catalog_gatewaypace
    WHERE scope = %(scope)s AND bucket = %(bucket)s
"""


def wait_for_slot(scope: str, bucket: str, every_s: float) -> None:
    """
    Take the next slot of the budget ``bucket`` of ``scope``, of which there is one every ``every_s`` seconds.

    Raises:
        Throttled: it comes too late to wait for; ``retry_after_s`` says when.
    """
    slot: dict[str, str | float] = {"scope": scope, "bucket": bucket, "every": every_s, "short": SHORT_WAIT_S}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_SLOT, slot)
        taken = cursor.fetchone()
        if taken is None:
            cursor.execute(WAIT_FOR_SLOT, slot)
            left = float(cursor.fetchone()[0])
            raise Throttled(
                f"The vendor allows one {bucket.replace('_', ' ')} every {every_s:g} seconds; the next is in "
                f"{left:.0f} seconds",
                retry_after_s=left,
            )
    time.sleep(max(0.0, float(taken[0])))

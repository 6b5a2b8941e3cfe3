"""
Turnstiles: they let a billing run in between senders of usage.

Senders hold a shared lock on a subscription's cursor while they write. Those of a busy subscription overlap, so a run
that wants the cursor for itself would hardly ever find it free, however long it waits: PostgreSQL lets new shared
lockers of a row go ahead of a waiting exclusive one. Advisory locks are queued fairly; so senders pass one on their way
to the cursor, and a run shuts it until its transaction ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.kernel.ids import TypeID

#: The first halves of our advisory locks: which run bills a subscription, and whether senders may go on to its cursor.
CLAIM, GATE = 0x62696C6C, 0x67617465

# Each gate is held for a moment only and given back at once: PostgreSQL keeps few locks, and a batch may have a
# thousand subscriptions. The subquery keeps the order of the two functions certain.
PASS = """
    SELECT count(pg_advisory_unlock_shared(%s, gate))
    FROM (
        SELECT gate, pg_advisory_lock_shared(%s, gate) AS passed FROM unnest(%s::int[]) AS gate OFFSET 0
    ) AS gates
    WHERE passed IS NOT NULL
"""

TRY_CLAIMS = "SELECT gate FROM unnest(%s::int[]) AS gate WHERE pg_try_advisory_xact_lock(%s, gate)"

SHUT = "SELECT count(pg_advisory_xact_lock(%s, gate)) FROM unnest(%s::int[]) AS gate"


def pass_turnstiles(cursor: CursorWrapper, subscriptions: Iterable[UUID]) -> None:
    """Wait until no run is about to bill any of ``subscriptions``; the caller holds no lock on a cursor yet."""
    cursor.execute(PASS, [GATE, GATE, sorted({_gate(one) for one in subscriptions})])


def shut_turnstiles(subscriptions: Collection[TypeID]) -> list[TypeID]:
    """Claim what of ``subscriptions`` no other run has claimed, keep senders out until commit, and return those."""
    if not subscriptions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(TRY_CLAIMS, [sorted({_gate(one.uuid) for one in subscriptions}), CLAIM])
        gates = sorted(gate for (gate,) in cursor.fetchall())
        cursor.execute(SHUT, [GATE, gates])
    return [one for one in subscriptions if _gate(one.uuid) in gates]


def _gate(subscription: UUID) -> int:
    """Return the second half of the lock: 31 random bits of the id; where two share them, they wait for each other."""
    return subscription.int & 0x7FFFFFFF

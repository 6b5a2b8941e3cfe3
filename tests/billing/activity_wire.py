"""Usage of customers, credentials and subscribers, each event under a transaction id of its own."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from billing.operations.usage import receive_events

#: When the usage is sent, whenever it happened.
SENT = datetime(2026, 12, 31, tzinfo=UTC)

_numbers = itertools.count(1)


def use(at: str | datetime, **whose: object) -> None:
    """Send one event of the type “call”."""
    moment = at if isinstance(at, str) else at.isoformat()
    sent = {"transaction_id": f"used-{next(_numbers)}", "type": "call", "timestamp": moment, **whose}
    [outcome] = receive_events([sent], now=SENT)
    assert outcome.error is None

"""The operations on subscriptions, as the table of history takes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from credentials.operations import moves
from customers.models import Subscription
from customers.operations import plan_changes, subscription_ends, subscriptions
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_subscription

LATER = NOW + timedelta(hours=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def unbilled(**fields: Any) -> Subscription:
    """Return a subscription whose end, as far as it comes here, draws no invoice."""
    return make_subscription(bill_from=APRIL, **fields)


#: What is made beforehand, the operation upon it, and how many rows each history gets by that.
SUBSCRIPTION_OPERATIONS: list[tuple[str, Callable[[], Any], Callable[[Any], object], dict[str, int]]] = [
    (
        "start_subscription",
        lambda: {"customer": make_customer().id, "plan": make_plan(charges=[make_charge(make_metric())]).id},
        lambda made: subscriptions.start_subscription(**made, now=NOW),
        {"subscription": 1, "credential": 1},
    ),
    (
        "terminate_subscription",
        lambda: make_subscription(starts_at=APRIL),
        lambda made: subscriptions.terminate_subscription(made.id, now=LATER),
        {"subscription": 1, "credential": 1},
    ),
    (
        "update_subscription",
        make_subscription,
        lambda made: subscriptions.update_subscription(made.id, name="New", ends_at=APRIL, now=LATER),
        {"subscription": 1},
    ),
    (
        "end_subscription",
        lambda: unbilled(ends_at=APRIL),
        lambda made: subscription_ends.end_subscription(made.id, now=APRIL),
        {"subscription": 1, "credential": 1},
    ),
    (
        "change_plan",
        lambda: (unbilled(external_id="S-1"), make_plan(amount=Decimal(200))),
        lambda made: plan_changes.change_plan(made[0].id, plan=made[1].id, now=LATER),
        # Both subscriptions, and the key that moves.
        {"subscription": 2, "credential": 1},
    ),
    (
        "cancel_pending_change",
        lambda: plan_changes.change_plan(make_subscription().id, plan=make_plan(amount=Decimal(1)).id, now=NOW),
        lambda made: plan_changes.cancel_pending_change(made.id, now=LATER),
        {"subscription": 2},
    ),
    (
        "move_credentials",
        lambda: (make_subscription(), make_subscription()),
        lambda made: moves.move_credentials(subscription_id=made[0].id, successor_id=made[1].id, now=LATER),
        {"credential": 1},
    ),
]

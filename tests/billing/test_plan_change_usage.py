"""Usage around a change of plan: each event lands on the plan that ran when it happened."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from billing.models import UsageEvent
from billing.operations.billing_runs import bill_due
from billing.operations.usage import receive_events
from billing.queries.books import breaches
from config.kernel.secrets import issued_secrets
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import APRIL, JUNE, MARCH, MAY, metered, use
from tests.billing.plan_changes import NOON, dearer, usage_of

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def credential_of(old: Subscription) -> str:
    return str(old.credentials.get().id)


def landed(reference: dict[str, str], moment: datetime, *, now: datetime = JUNE) -> str | None:
    """Send a “call” and return the subscription that it landed on."""
    event = {"transaction_id": f"{reference} {moment}", "type": "call", "timestamp": moment.isoformat(), **reference}
    outcome = receive_events([event], now=now)[0]
    assert outcome.attribution is not None
    assert (
        UsageEvent.objects.get(transaction_id=event["transaction_id"]).subscription_id
        == outcome.attribution.subscription
    )
    return outcome.attribution.subscription


@pytest.mark.parametrize("named", ["credential", "old", "new"])
@pytest.mark.parametrize("worker_runs", [True, False])
def test_an_event_lands_on_the_plan_that_ran_whatever_it_names(named: str, worker_runs: bool) -> None:
    old = metered()
    metered(customer=old.customer, currency="USD")
    key = credential_of(old)
    change_plan(old.id, plan=dearer("0").id, now=MARCH)
    first = Subscription.objects.get(previous=old)
    change_plan(first.id, plan=dearer("0").id, now=MARCH + 5 * DAY)
    second = Subscription.objects.get(previous=first)
    terminate_subscription(second.id, at=MAY, now=NOON)
    if worker_runs:
        end_due_subscriptions(now=JUNE)
    reference: dict[str, dict[str, str]] = {
        "credential": {"credential": key},
        "old": {"subscription": old.id},
        "new": {"subscription": second.id},
    }

    found = [
        landed(reference[named], moment)
        for moment in (MARCH - INSTANT, MARCH, MARCH + 5 * DAY - INSTANT, MARCH + 5 * DAY, MAY - INSTANT, MAY)
    ]

    assert found == [None, first.id, first.id, second.id, second.id, None]


def test_usage_after_a_change_is_billed_by_the_new_plan_though_no_worker_has_run() -> None:
    old = metered(amount="310")
    key = credential_of(old)
    change_plan(old.id, plan=dearer("31").id, now=NOON)
    new = Subscription.objects.get(previous=old)

    for moment in (APRIL - INSTANT, APRIL):
        landed({"credential": key}, moment, now=APRIL + DAY)
    bill_due(now=MAY)

    assert (usage_of(old), usage_of(new)) == ([(1, 1)], [(1, 2)])


def test_late_usage_of_the_old_plan_is_billed_by_it() -> None:
    old = metered()
    new = change_plan(old.id, plan=dearer("1").id, now=NOON)

    use(new, NOON - HOUR, NOON - INSTANT, NOON, now=NOON + DAY)
    bill_due(now=APRIL)

    assert sum(amount for _, amount in usage_of(old)) == 2
    assert usage_of(new) == [(1, 2)]
    assert list(breaches()) == []


def test_a_key_tells_who_uses_what_through_a_change() -> None:
    with issued_secrets() as issued:
        old = metered()
    new = change_plan(old.id, plan=dearer().id, now=NOON)

    moments = {NOON - HOUR: old.id, NOON: new.id, NOON + HOUR: new.id}

    assert {moment: landed({"credential": issued[0].credential}, moment) for moment in moments} == moments

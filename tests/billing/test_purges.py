"""Purges: the usage of a deleted customer is removed for good, and nothing else is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing import tasks
from billing.models import Invoice, InvoiceLine, LateUsage, MetricHour, UsageEvent, UsageHour, UsagePurge
from billing.operations import purges
from billing.operations.payments import record_payment
from billing.operations.purges import PurgeRun, purge_usage
from billing.operations.usage import receive_events
from billing.queries.books import breaches
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import MARCH, MAY, metered, use
from tests.billing.test_wallets_concurrency import at_once
from tests.factories import NOW, make_charge, make_customer, make_metric, make_plan, make_subscription

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def gone_with_usage(calls: int = 4) -> Customer:
    """Return a customer that was terminated at NOW after ``calls`` in as many hours."""
    subscription = metered()
    use(subscription, *(MARCH + n * HOUR for n in range(calls)), now=NOW)
    return delete_customer(subscription.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)


def left() -> tuple[int, int, int, int]:
    """Return how many events, hours of usage, hours of units and late marks there are."""
    hours = UsageHour.objects.count(), MetricHour.objects.count()
    return UsageEvent.objects.count(), *hours, LateUsage.objects.count()


def invoices() -> list[Any]:
    return [*Invoice.objects.order_by("pk").values_list(), *InvoiceLine.objects.order_by("pk").values_list()]


def test_a_deletion_asks_for_the_purge_and_does_not_do_it() -> None:
    customer = gone_with_usage()

    purge = UsagePurge.objects.get()
    assert (purge.customer_id, purge.requested_at, purge.finished_at, purge.events) == (customer.id, NOW, None, 0)
    assert left() == (4, 4, 4, 0)


def test_a_guarded_deletion_asks_for_the_purge_too() -> None:
    customer = delete_customer(make_customer().id, confirm=False, now=NOW)

    assert UsagePurge.objects.get().customer_id == customer.id


def test_events_go_at_once_and_what_they_were_rolled_up_to_an_hour_later() -> None:
    gone_with_usage()
    before = invoices()

    assert purge_usage(now=NOW) == PurgeRun(customers=1, events=4, finished=0)
    assert left() == (0, 4, 4, 0)
    assert list(breaches()) == []
    assert purge_usage(now=NOW + HOUR - timedelta(microseconds=1)).finished == 0
    assert left() == (0, 4, 4, 0)
    assert purge_usage(now=NOW + HOUR) == PurgeRun(customers=1, events=0, finished=1)

    purge = UsagePurge.objects.get()
    assert left() == (0, 0, 0, 0)
    assert (purge.finished_at, purge.events) == (NOW + HOUR, 4)
    assert purge_usage(now=NOW + 2 * HOUR) == PurgeRun()
    assert invoices() == before
    assert list(breaches()) == []


def test_the_usage_of_others_stays() -> None:
    other = metered()
    use(other, MARCH, MARCH + HOUR, now=NOW)
    customer = gone_with_usage()
    receive_events([{"customer": customer.id, "transaction_id": "late", "type": "call"}], now=NOW)

    purge_usage(now=NOW + HOUR)

    owners = UsageEvent.objects.order_by().values_list("customer", flat=True)
    assert sorted(owners) == sorted([other.customer_id, other.customer_id, UNCLASSIFIED_ID])
    assert set(UsageHour.objects.values_list("customer", flat=True)) == {other.customer_id, UNCLASSIFIED_ID}
    assert set(MetricHour.objects.values_list("subscription", flat=True)) == {other.id}
    assert list(breaches()) == []


def test_a_purge_goes_on_where_an_earlier_one_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purges, "CHUNK", 3)
    gone_with_usage(calls=8)

    with failing("billing_usageevent", after=4):
        run = purge_usage(now=NOW + HOUR)
    assert list(run.failed) == [UsagePurge.objects.get().pk]
    assert (UsageEvent.objects.count(), UsagePurge.objects.get().events) == (5, 3)
    assert list(breaches()) == []

    with failing("billing_metrichour", after=4):
        assert purge_usage(now=NOW + HOUR).finished == 0
    assert left() == (0, 8, 5, 0)
    assert list(breaches()) == []

    assert purge_usage(now=NOW + HOUR).finished == 1
    assert left() == (0, 0, 0, 0)
    assert UsagePurge.objects.get().events == 8


@contextmanager
def failing(table: str, *, after: int, when: str = "true") -> Iterator[None]:
    """Let the database refuse to delete more rows of ``table`` than ``after`` inside the block, those of ``when``."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP SEQUENCE deletions")
        cursor.execute(
            f"""
            CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF {when} AND nextval('deletions') > {after} THEN RAISE EXCEPTION 'the disk is full'; END IF;
                RETURN OLD;
            END $$
            """
        )
        cursor.execute(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER refuse ON {table}")
            cursor.execute("DROP FUNCTION pg_temp.refuse()")
            cursor.execute("DROP SEQUENCE deletions")


def test_a_customer_that_cannot_be_purged_keeps_the_others_from_nothing() -> None:
    stuck, fine = gone_with_usage(calls=1), gone_with_usage(calls=2)
    UsagePurge.objects.filter(pk=fine.pk).update(requested_at=NOW + timedelta(seconds=1))

    with failing("billing_usageevent", after=0, when=f"OLD.customer_id = '{stuck.id.uuid}'"):
        run = purge_usage(now=NOW)

    assert run == PurgeRun(customers=2, events=2, failed={stuck.id: run.failed[stuck.id]})
    assert "the disk is full" in run.failed[stuck.id]
    assert purge_usage(now=NOW) == PurgeRun(customers=2, events=1)


def test_events_that_are_priced_one_by_one_stay_until_what_came_late_is_billed() -> None:
    metric = make_metric(event_type="call", aggregation="SUM", property="amount")
    charge = make_charge(metric, model="PERCENTAGE", properties={"rate_percent": "1", "free_events": "1"})
    plan = make_plan(charges=[charge], amount=Decimal(0))
    subscription = make_subscription(plan=plan, starts_at=MARCH)
    paid = {"type": "call", "subscription": subscription.id, "properties": {"amount": 100}}
    for number in range(3):
        sent = {**paid, "transaction_id": str(number), "timestamp": (MARCH + number * HOUR).isoformat()}
        receive_events([sent], now=NOW)
        if number == 1:
            terminate_subscription(subscription.id, now=NOW)
            record_payment(Invoice.objects.get().id, amount=Decimal(1), now=NOW)
    delete_customer(subscription.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=NOW)

    assert purge_usage(now=NOW).events == 0
    assert list(breaches()) == []
    assert purge_usage(now=NOW + HOUR) == PurgeRun(customers=1, events=3, finished=1)

    assert [one.total for one in Invoice.objects.order_by("pk")] == [1, 1]
    assert left() == (0, 0, 0, 0)
    assert UsagePurge.objects.get().events == 3
    assert list(breaches()) == []


def test_a_transaction_id_is_free_again_once_its_event_is_gone() -> None:
    gone_with_usage(calls=1)
    subscription = Subscription.objects.get()
    purge_usage(now=NOW + HOUR)

    use(subscription, MARCH, now=MAY)

    assert UsageEvent.objects.get().customer_id == UNCLASSIFIED_ID
    assert list(breaches()) == []


def test_the_command_says_what_it_removed_as_of_when() -> None:
    gone_with_usage()
    out = io.StringIO()

    call_command("purge_usage", "--as-of", (NOW + HOUR).isoformat(), stdout=out)

    assert out.getvalue() == "1 customer(s): 4 event(s) removed, 1 purge(s) finished\n"
    call_command("purge_usage", stdout=out)
    assert out.getvalue().endswith("0 customer(s): 0 event(s) removed, 0 purge(s) finished\n")


def test_the_command_fails_where_something_could_not_be_removed() -> None:
    customer = gone_with_usage()
    err = io.StringIO()

    with failing("billing_usageevent", after=0), pytest.raises(CommandError, match="1 customer") as failure:
        call_command("purge_usage", stdout=io.StringIO(), stderr=err)

    assert failure.value.returncode == 1
    assert f"{customer.id}: the disk is full" in err.getvalue()


@pytest.mark.usefixtures("clock_at_now")
def test_the_worker_removes_what_the_command_would() -> None:
    gone_with_usage()

    assert tasks.purge_usage() == 4
    assert left() == (0, 4, 4, 0)


@pytest.mark.django_db(transaction=True)
def test_several_purges_at_once_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purges, "CHUNK", 5)
    for _ in range(3):
        gone_with_usage(calls=20)

    runs: list[PurgeRun] = at_once(4, lambda _: purge_usage(now=NOW + HOUR))

    assert [run.failed for run in runs] == [{}] * 4
    assert (sum(run.events for run in runs), sum(run.finished for run in runs)) == (60, 3)
    assert sorted(UsagePurge.objects.values_list("events", flat=True)) == [20, 20, 20]
    assert left() == (0, 0, 0, 0)
    assert list(breaches()) == []

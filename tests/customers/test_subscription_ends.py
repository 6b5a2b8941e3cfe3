"""Planned ends of subscriptions: agreed at the start or later, true by the clock, written down by a worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from billing.models import BilledPeriod, Invoice
from billing.operations.billing_runs import bill_due
from config.kernel.errors import Invalid, error_code
from credentials.models import Credential
from customers.errors import (
    CustomerIsInactive,
    DuplicateSubscriptionExternalId,
    SubscriptionEnded,
    SubscriptionEndsInThePast,
)
from customers.events import SubscriptionTerminated, SubscriptionUpdated
from customers.models import Customer, Subscription, SubscriptionStatus
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.subscription_ends import end_due_subscriptions, end_subscription
from customers.operations.subscriptions import start_subscription, terminate_subscription, update_subscription
from tests.events import heard
from tests.factories import NOW, make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def statuses(subscription: Subscription, moment: datetime) -> tuple[str, list[str]]:
    """Return the status at ``moment``, and those that the list is filtered by to find it."""
    everything = Subscription.objects.filter(pk=subscription.pk)
    found = [status for status in SubscriptionStatus.values if everything.with_status(status, moment).exists()]
    return Subscription.objects.get(pk=subscription.pk).status(moment).value, found


def test_a_subscription_ends_when_it_was_agreed_whether_or_not_a_worker_runs() -> None:
    subscription = make_subscription(ends_at=APRIL)

    assert statuses(subscription, APRIL - INSTANT) == ("active", ["active"])
    assert statuses(subscription, APRIL) == ("terminated", ["terminated"])
    end_due_subscriptions(now=APRIL + DAY)
    assert statuses(subscription, APRIL) == ("terminated", ["terminated"])


def test_the_worker_writes_the_planned_end_down_and_not_its_own_time() -> None:
    due, later = make_subscription(ends_at=APRIL), make_subscription(ends_at=APRIL + INSTANT)

    with heard(SubscriptionTerminated) as terminated:
        assert end_due_subscriptions(now=APRIL) == 1
    assert [(one.subscription_id, one.at, one.ended_at) for one in terminated] == [(due.id, APRIL, APRIL)]
    assert end_due_subscriptions(now=APRIL + DAY) == 1
    assert end_due_subscriptions(now=APRIL + DAY) == 0

    ends = dict(Subscription.objects.values_list("pk", "terminated_at"))
    assert ends == {due.pk: APRIL, later.pk: APRIL + INSTANT}
    revoked = dict(Credential.objects.values_list("subscription", "revoked_at"))
    assert revoked == {due.pk: APRIL, later.pk: APRIL + DAY}
    assert {row.history_change_reason for row in due.history.all()} == {"", "The planned end has come"}


def test_one_that_cannot_be_ended_keeps_no_other_from_it() -> None:
    broken = make_subscription(starts_at=NOW - 30 * DAY, ends_at=APRIL - DAY)
    sound = make_subscription(ends_at=APRIL)
    bill_due(now=NOW)
    # A day that is billed already cannot be on the final invoice.
    BilledPeriod.objects.create(
        subscription=broken, invoice=Invoice.objects.get(), starts_at=APRIL - 2 * DAY, ends_at=APRIL - DAY
    )

    assert end_due_subscriptions(now=APRIL) == 1

    assert list(Subscription.objects.end_due(APRIL)) == [broken]
    assert Subscription.objects.get(pk=sound.pk).terminated_at == APRIL


def test_an_end_that_has_not_come_is_not_written_down() -> None:
    subscription = make_subscription(ends_at=APRIL)

    assert not end_subscription(subscription.id, now=APRIL - INSTANT)
    assert end_subscription(subscription.id, now=APRIL)
    assert not end_subscription(subscription.id, now=APRIL)


def test_a_command_ends_what_is_due() -> None:
    make_subscription(ends_at=APRIL)
    said = StringIO()

    for moment in ("2026-03-31T23:59:59Z", "2026-04-01"):
        call_command("end_subscriptions", "--as-of", moment, stdout=said)

    assert said.getvalue().splitlines() == ["0 subscription(s) ended", "1 subscription(s) ended"]
    assert Subscription.objects.get().history.latest("history_id").history_actor == "command end_subscriptions"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_taken"),
    [
        (None, NOW, False),
        (None, NOW + INSTANT, True),
        (NOW - 30 * DAY, NOW - DAY, False),
        (NOW - 30 * DAY, NOW + DAY, True),
        (NOW + 30 * DAY, NOW + 30 * DAY, False),
        (NOW + 30 * DAY, NOW + 30 * DAY + INSTANT, True),
    ],
)
def test_a_subscription_is_to_end_in_the_future_and_after_its_start(
    starts_at: datetime | None, ends_at: datetime, is_taken: bool
) -> None:
    if is_taken:
        assert make_subscription(starts_at=starts_at, ends_at=ends_at).ends_at == ends_at
    else:
        with pytest.raises(SubscriptionEndsInThePast) as refusal:
            make_subscription(starts_at=starts_at, ends_at=ends_at)
        assert (error_code(refusal.value), refusal.value.param) == ("invalid_ends_at", "ends_at")


def test_billing_begins_with_the_start_or_later() -> None:
    with pytest.raises(Invalid) as refusal:
        make_subscription(starts_at=NOW, bill_from=NOW - INSTANT)

    assert error_code(refusal.value) == "invalid_bill_from"
    assert make_subscription(starts_at=NOW, bill_from=NOW).billed_from == NOW
    assert make_subscription(starts_at=NOW, bill_from=APRIL).billed_from == APRIL


def test_an_inactive_customer_takes_no_new_subscription() -> None:
    customer, plan = make_customer(), make_plan().id
    Customer.objects.filter(pk=customer.pk).update(deactivated_at=NOW)

    with pytest.raises(CustomerIsInactive):
        start_subscription(customer=customer.id, plan=plan, now=NOW)
    Customer.objects.filter(pk=customer.pk).update(deactivated_at=None)
    assert start_subscription(customer=customer.id, plan=plan, now=NOW)


def test_a_termination_can_be_planned_and_planned_again() -> None:
    subscription = make_subscription()

    with heard(SubscriptionUpdated) as updated:
        for at in (APRIL, APRIL + DAY, APRIL + DAY):
            subscription = terminate_subscription(subscription.id, at=at, now=NOW)

    assert (subscription.ends_at, subscription.terminated_at) == (APRIL + DAY, None)
    assert [event.fields for event in updated] == [("ends_at",)] * 2
    assert Credential.objects.get().revoked_at is None
    assert terminate_subscription(subscription.id, now=NOW).terminated_at == NOW


@pytest.mark.parametrize(
    ("starts_at", "at", "outcome"),
    [
        (NOW - DAY, NOW - INSTANT, None),
        (NOW - DAY, NOW, "terminated"),
        (NOW - DAY, NOW + INSTANT, "active"),
        (NOW + DAY, NOW, "canceled"),
        (NOW + DAY, NOW + INSTANT, None),
        (NOW + DAY, NOW + DAY, None),
        (NOW + DAY, NOW + DAY + INSTANT, "pending"),
    ],
)
def test_a_subscription_is_not_terminated_in_the_past_or_before_its_start(
    starts_at: datetime, at: datetime, outcome: str | None
) -> None:
    subscription = make_subscription(starts_at=starts_at)

    if outcome is None:
        with pytest.raises(SubscriptionEndsInThePast) as refusal:
            terminate_subscription(subscription.id, at=at, now=NOW)
        assert error_code(refusal.value) == "invalid_at"
    else:
        assert terminate_subscription(subscription.id, at=at, now=NOW).status(NOW) == outcome


def test_an_update_changes_what_it_names_and_tells_of_it_once() -> None:
    subscription = make_subscription(external_id="S-1", plan=make_plan(name="Pro"), name="Main")

    with heard(SubscriptionUpdated) as updated:
        for _ in range(2):
            changes: dict[str, Any] = {"external_id": "S-2", "ends_at": APRIL, "name": ""}
            subscription = update_subscription(subscription.id, **changes, now=NOW + DAY)

    assert (subscription.external_id, subscription.ends_at, subscription.name) == ("S-2", APRIL, "Pro")
    assert [event.fields for event in updated] == [("ends_at", "external_id", "name")]
    assert subscription.updated_at == NOW + DAY
    assert update_subscription(subscription.id, ends_at=None, now=NOW).ends_at is None
    assert end_due_subscriptions(now=APRIL) == 0


def test_an_update_is_refused_as_a_start_would_be() -> None:
    make_subscription(external_id="S-1")
    subscription = make_subscription()

    with pytest.raises(DuplicateSubscriptionExternalId):
        update_subscription(subscription.id, external_id="S-1", now=NOW)
    with pytest.raises(SubscriptionEndsInThePast):
        update_subscription(subscription.id, ends_at=NOW, now=NOW)
    assert update_subscription(subscription.id, external_id="S-2", ends_at=NOW + INSTANT, now=NOW)


@pytest.mark.parametrize(("starts_at", "status"), [(NOW, "terminated"), (NOW + DAY, "canceled")])
def test_what_has_ended_stays_as_it_is(starts_at: datetime, status: str) -> None:
    subscription = make_subscription(starts_at=starts_at)
    terminate_subscription(subscription.id, now=NOW)

    with pytest.raises(SubscriptionEnded) as refusal:
        update_subscription(subscription.id, name="New", now=NOW)

    assert refusal.value.details == {"status": status}


def test_an_end_that_has_come_is_taken_back_by_nobody() -> None:
    subscription = make_subscription(ends_at=APRIL)

    for now, is_refused in ((APRIL - INSTANT, False), (APRIL, True)):
        if is_refused:
            with pytest.raises(SubscriptionEnded):
                update_subscription(subscription.id, ends_at=None, now=now)
        else:
            assert update_subscription(subscription.id, ends_at=APRIL, name="Still here", now=now)


def test_an_external_id_is_free_again_for_its_customer_before_the_worker_has_run() -> None:
    first = make_subscription(external_id="S-1", ends_at=APRIL)

    def again(now: datetime) -> Subscription:
        return start_subscription(customer=first.customer_id, plan=first.plan_id, external_id="S-1", now=now)

    with pytest.raises(DuplicateSubscriptionExternalId):
        again(APRIL - INSTANT)
    assert again(APRIL).external_id == "S-1"
    assert statuses(first, APRIL) == ("terminated", ["terminated"])


def test_a_customer_is_terminated_with_what_has_ended_but_is_not_written_down() -> None:
    subscription = make_subscription(ends_at=APRIL)

    delete_customer(subscription.customer_id, confirm=True, mode=DeletionMode.TERMINATE, now=APRIL + DAY)

    assert Subscription.objects.get().terminated_at == APRIL
    assert Invoice.objects.get().customer_id == subscription.customer_id


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("ends_at = starts_at", "subscription_is_to_end_after_it_begins"),
        ("bill_from = starts_at - interval '1 second'", "subscription_is_billed_from_its_start_or_later"),
    ],
)
def test_the_database_refuses_what_no_subscription_can_be(change: str, constraint: str) -> None:
    subscription = make_subscription()

    with connection.cursor() as cursor, pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        cursor.execute(f"UPDATE customers_subscription SET {change} WHERE id = %s", [subscription.id.uuid])


def test_the_database_lets_one_subscription_follow_another() -> None:
    first, second, third = (make_subscription() for _ in range(3))

    Subscription.objects.filter(pk=second.pk).update(previous=first)
    with pytest.raises(IntegrityError, match="subscription_has_one_successor"), transaction.atomic():
        Subscription.objects.filter(pk=third.pk).update(previous=first)
    Subscription.objects.filter(pk=second.pk).update(canceled_at=NOW)
    assert Subscription.objects.filter(pk=third.pk).update(previous=first) == 1

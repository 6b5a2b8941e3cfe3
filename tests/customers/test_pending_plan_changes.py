"""Changes to a cheaper plan: they wait for the period's end, can be replaced and canceled, and come by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.operations.products import advance_product
from catalog.operations.rate_plans import archive_rate_plan
from credentials.models import Credential
from credentials.queries.verification import VerificationCode
from customers.errors import (
    NoPendingChange,
    PlanChangePending,
    ProductHasSubscriptions,
    SubscriptionEnded,
    SubscriptionEndsFirst,
)
from customers.events import SubscriptionEvent, SubscriptionTerminated
from customers.models import Customer, Subscription, SubscriptionStatus
from customers.operations.plan_changes import cancel_pending_change, change_plan
from customers.operations.subscription_ends import end_due_subscriptions
from customers.operations.subscriptions import start_subscription, terminate_subscription, update_subscription
from customers.operations.suspension import suspend_customer
from customers.queries.successors import pending_successor
from tests.customers.changes import APRIL, JUNE, MARCH, MAY, downgraded, let_in, plan_for, stored, subscribed, with_key
from tests.events import heard
from tests.factories import NOW

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def test_a_cheaper_plan_waits_for_the_end_of_the_period() -> None:
    old, cheaper = subscribed(external_id="S-1"), plan_for("10", name="Small")

    with heard(SubscriptionEvent) as published:
        running = change_plan(old.id, plan=cheaper.id, now=NOW)

    new = Subscription.objects.get(previous=old)
    assert (running, running.ends_at, running.terminated_at) == (old, APRIL, None)
    assert (new.plan, new.starts_at, new.ends_at, new.external_id) == (cheaper, APRIL, None, None)
    assert pending_successor(stored(old), NOW) == new
    assert [type(event).__name__ for event in published] == ["SubscriptionUpdated", "SubscriptionStarted"]
    for moment, statuses in ((APRIL - INSTANT, ("active", "pending")), (APRIL, ("terminated", "active"))):
        assert (stored(old).status(moment), new.status(moment)) == statuses


@pytest.mark.parametrize(
    ("billing_time", "timezone", "change_at"),
    [
        ("anniversary", "UTC", datetime(2026, 3, 31, tzinfo=UTC)),
        ("calendar", "America/New_York", datetime(2026, 4, 1, 4, tzinfo=UTC)),
    ],
)
def test_the_period_is_the_customers(billing_time: str, timezone: str, change_at: datetime) -> None:
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)
    old = subscribed(starts_at=start, billing_time=billing_time)
    Customer.objects.filter(pk=old.customer_id).update(timezone=timezone)

    assert change_plan(old.id, plan=plan_for("10").id, now=NOW).ends_at == change_at


def test_a_key_works_through_a_change_that_no_worker_has_written_down() -> None:
    old, key = with_key(amount="100")
    new = Subscription.objects.get(previous=change_plan(old.id, plan=plan_for("10").id, now=NOW))

    assert let_in(key, APRIL - INSTANT) == (VerificationCode.VALID, old.id)
    assert let_in(key, APRIL) == (VerificationCode.VALID, new.id)

    assert end_due_subscriptions(now=APRIL + DAY) == 1
    assert let_in(key, APRIL) == (VerificationCode.VALID, new.id)
    terminate_subscription(new.id, at=MAY, now=APRIL + DAY)
    assert let_in(key, MAY - INSTANT)[0] is VerificationCode.VALID
    assert let_in(key, MAY)[0] is VerificationCode.SUBSCRIPTION_INACTIVE


def test_what_follows_has_an_end_of_its_own_also_before_the_worker_has_run() -> None:
    old, key = with_key(ends_at=MAY)
    change_plan(old.id, plan=plan_for("10").id, now=NOW)

    assert let_in(key, MAY - INSTANT)[0] is VerificationCode.VALID
    assert let_in(key, MAY)[0] is VerificationCode.SUBSCRIPTION_INACTIVE


def test_the_worker_hands_keys_and_external_id_over() -> None:
    old, new = downgraded(external_id="S-1")

    assert end_due_subscriptions(now=APRIL - INSTANT) == 0
    with heard(SubscriptionTerminated) as terminated:
        assert end_due_subscriptions(now=APRIL + DAY) == 1
        assert end_due_subscriptions(now=APRIL + DAY) == 0

    old, new = stored(old), stored(new)
    assert (old.terminated_at, old.external_id, new.external_id) == (APRIL, "S-1", "S-1")
    assert Credential.objects.get().subscription == new
    assert [(event.at, event.ended_at, event.successor_id) for event in terminated] == [(APRIL + DAY, APRIL, new.id)]


def test_an_external_id_of_its_own_is_not_taken_from_what_follows() -> None:
    _, new = downgraded(external_id="S-1")
    update_subscription(new.id, external_id="S-2", now=NOW)

    end_due_subscriptions(now=APRIL)

    assert stored(new).external_id == "S-2"


@pytest.mark.parametrize(("amount", "begins_now"), [("5", False), ("500", True)])
def test_a_new_request_replaces_the_pending_change(amount: str, begins_now: bool) -> None:
    old, first = downgraded(external_id="S-1")

    running = change_plan(old.id, plan=plan_for(amount).id, now=NOW + DAY)

    second = Subscription.objects.get(previous=old, canceled_at=None)
    assert stored(first).canceled_at == NOW + DAY
    assert (second.starts_at, running) == ((NOW + DAY, second) if begins_now else (APRIL, old))
    assert (stored(old).terminated_at, stored(old).ends_at) == ((NOW + DAY, None) if begins_now else (None, APRIL))


def test_a_canceled_change_leaves_all_as_it_was() -> None:
    old, new = downgraded(external_id="S-1")

    kept = cancel_pending_change(old.id, now=NOW + DAY)

    assert (kept.ends_at, stored(new).canceled_at, pending_successor(stored(old), NOW)) == (None, NOW + DAY, None)
    assert end_due_subscriptions(now=JUNE) == 0
    assert stored(old).status(JUNE) is SubscriptionStatus.ACTIVE
    with pytest.raises(NoPendingChange):
        cancel_pending_change(old.id, now=NOW + DAY)
    assert change_plan(old.id, plan=plan_for("1").id, now=NOW + DAY).ends_at == APRIL


def test_a_change_that_has_come_cannot_be_canceled_any_more() -> None:
    old, new = downgraded()

    with pytest.raises(NoPendingChange):
        cancel_pending_change(old.id, now=APRIL)
    assert cancel_pending_change(old.id, now=APRIL - INSTANT).ends_at is None
    assert stored(new).canceled_at == APRIL - INSTANT


def test_a_planned_end_goes_over_to_the_next_plan_and_comes_back() -> None:
    old, new = downgraded(ends_at=MAY)

    assert (old.ends_at, new.ends_at) == (APRIL, MAY)
    assert cancel_pending_change(old.id, now=NOW).ends_at == MAY
    assert change_plan(old.id, plan=plan_for("200").id, now=NOW).ends_at == MAY


def test_a_cheaper_plan_that_would_never_begin_is_refused() -> None:
    old, cheaper = subscribed(ends_at=APRIL), plan_for("10").id

    with pytest.raises(SubscriptionEndsFirst):
        change_plan(old.id, plan=cheaper, now=NOW)
    assert not Subscription.objects.exclude(pk=old.pk).exists()
    update_subscription(old.id, ends_at=APRIL + INSTANT, now=NOW)
    assert change_plan(old.id, plan=cheaper, now=NOW).ends_at == APRIL


def test_the_moment_of_a_pending_change_is_not_moved() -> None:
    old, _ = downgraded()

    for end in (None, MAY):
        with pytest.raises(PlanChangePending):
            update_subscription(old.id, ends_at=end, now=NOW)
    assert update_subscription(old.id, ends_at=APRIL, name="Same end", now=NOW).name == "Same end"
    cancel_pending_change(old.id, now=NOW)
    assert update_subscription(old.id, ends_at=MAY, now=NOW).ends_at == MAY


@pytest.mark.parametrize("at", [None, MAY])
def test_termination_cancels_what_was_to_follow(at: datetime | None) -> None:
    old, new = downgraded()

    old = terminate_subscription(old.id, at=at, now=NOW)

    assert (old.terminated_at, old.ends_at) == ((NOW, None) if at is None else (None, MAY))
    assert stored(new).canceled_at == NOW
    assert (Credential.objects.get().revoked_at is None) is (at is not None)


def test_to_cancel_what_follows_lets_the_first_go_on() -> None:
    old, new = downgraded(ends_at=MAY)

    assert terminate_subscription(new.id, now=NOW).status(NOW) is SubscriptionStatus.CANCELED

    assert (stored(old).ends_at, Credential.objects.get().revoked_at) == (MAY, None)


def test_a_line_of_changes_holds_though_no_worker_ran_for_months() -> None:
    first, key = with_key(external_id="S-1")
    second = Subscription.objects.get(previous=change_plan(first.id, plan=plan_for("50").id, now=NOW))
    third = Subscription.objects.get(previous=change_plan(second.id, plan=plan_for("20").id, now=APRIL + DAY))
    assert stored(first).terminated_at == APRIL

    assert let_in(key, MAY + DAY) == (VerificationCode.VALID, third.id)
    fourth = change_plan(third.id, plan=plan_for("90").id, now=MAY + DAY)

    ends = [stored(one).terminated_at for one in (first, second, third, fourth)]
    assert ends == [APRIL, MAY, MAY + DAY, None]
    assert (fourth.external_id, fourth.anchor_at) == ("S-1", MARCH)
    assert let_in(key, MAY + DAY) == (VerificationCode.VALID, fourth.id)


def test_what_has_ended_by_the_clock_ends_no_second_time() -> None:
    old, new = downgraded(external_id="S-1")

    with pytest.raises(SubscriptionEnded):
        terminate_subscription(old.id, now=APRIL)
    assert terminate_subscription(new.id, now=APRIL).terminated_at == APRIL
    assert stored(old).terminated_at == APRIL
    assert Credential.objects.get().revoked_at == APRIL
    other = start_subscription(customer=old.customer_id, plan=old.plan_id, external_id="S-1", now=APRIL)
    assert other.status(APRIL) is SubscriptionStatus.ACTIVE


def test_what_was_promised_begins_though_nobody_could_subscribe_to_it_by_then() -> None:
    old, new = downgraded()
    product = new.plan.product
    archive_rate_plan(new.plan_id, now=NOW)
    advance_product(product.id, to="DEPRECATED", now=NOW)
    suspend_customer(old.customer_id, now=NOW)

    with pytest.raises(ProductHasSubscriptions):
        advance_product(product.id, to="RETIRED", now=NOW)
    end_due_subscriptions(now=APRIL)

    assert (stored(old).terminated_at, stored(new).status(APRIL)) == (APRIL, SubscriptionStatus.ACTIVE)
    assert Credential.objects.get().subscription_id == new.id

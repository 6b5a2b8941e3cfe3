"""Changes of plan: which begin at once, what goes over to the next plan, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import RatePlan
from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.errors import DomainError, NotFound
from credentials.models import Credential
from credentials.operations.credentials import revoke_credential
from credentials.queries.verification import VerificationCode
from customers.errors import (
    CredentialsDoNotFit,
    CurrencyMismatch,
    CustomerIsInactive,
    CustomerIsSuspended,
    PlanNotActive,
    PlanUnchanged,
    ProductNotSubscribable,
    SubscriptionNotActive,
)
from customers.events import SubscriptionEvent, SubscriptionStarted, SubscriptionTerminated
from customers.models import Customer, SubscriptionStatus
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_customer
from customers.queries.successors import pending_successor
from tests.customers.changes import MARCH, MAY, downgraded, let_in, plan_for, stored, subscribed, with_key
from tests.events import heard
from tests.factories import NOW, make_product, make_subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_a_dearer_plan_begins_now_and_takes_everything_over() -> None:
    old = subscribed(external_id="S-1", billing_time="anniversary", name="Main")
    dearer = plan_for("200")

    with heard(SubscriptionEvent) as published:
        new = change_plan(old.id, plan=dearer.id, now=NOW)

    old = stored(old)
    assert (old.terminated_at, old.status(NOW)) == (NOW, SubscriptionStatus.TERMINATED)
    assert (new.previous, new.plan, new.customer, new.starts_at) == (old, dearer, old.customer, NOW)
    assert (new.status(NOW), new.ends_at, new.bill_from) == (SubscriptionStatus.ACTIVE, None, None)
    assert (new.name, new.external_id, new.billing_time, new.anchor_at) == ("Main", "S-1", "anniversary", MARCH)
    whose: dict[str, Any] = {"customer_id": old.customer_id, "at": NOW}
    assert published == [
        SubscriptionTerminated(**whose, subscription_id=old.id, ended_at=NOW, successor_id=new.id),
        SubscriptionStarted(**whose, subscription_id=new.id, product_type="STANDARD_API", previous_id=old.id),
    ]


@pytest.mark.parametrize(
    ("old", "new", "is_now"),
    [
        (("month", "100"), ("month", "100.000000000001"), True),
        (("month", "100"), ("month", "100"), True),
        (("month", "100"), ("month", "99.999999999999"), False),
        (("month", "100"), ("year", "1200"), True),
        (("month", "100"), ("year", "1199.99"), False),
        (("month", "130"), ("week", "30"), True),
        (("month", "130"), ("week", "29.99"), False),
        (("quarter", "300"), ("month", "100"), True),
        (("quarter", "300"), ("month", "99.99"), False),
        (("week", "1"), ("quarter", "13"), True),
        (("week", "1"), ("quarter", "12.99"), False),
        (("year", "0"), ("week", "0"), True),
    ],
)
def test_plans_are_compared_by_what_they_cost_in_a_year(
    old: tuple[str, str], new: tuple[str, str], is_now: bool
) -> None:
    subscription = make_subscription(plan=plan_for(old[1], interval=old[0]))

    running = change_plan(subscription.id, plan=plan_for(new[1], interval=new[0]).id, now=NOW)

    assert (running.pk != subscription.pk) is is_now
    assert (pending_successor(running, NOW) is None) is is_now


def test_a_name_that_nobody_chose_is_that_of_the_next_plan() -> None:
    named = make_subscription(plan=plan_for("1", name="Small"), name="Production")
    unnamed = make_subscription(plan=plan_for("1", name="Small"))

    names = [change_plan(one.id, plan=plan_for("2", name="Big").id, now=NOW).name for one in (named, unnamed)]

    assert names == ["Production", "Big"]


def test_a_key_moves_at_once_with_a_change_that_begins_now() -> None:
    old, key = with_key()

    new = change_plan(old.id, plan=plan_for("200").id, now=NOW)

    assert let_in(key, NOW) == (VerificationCode.VALID, new.id)
    assert Credential.objects.get().history.count() == 2


def test_a_revoked_key_stays_where_it_was() -> None:
    old, key = with_key()
    revoke_credential(Credential.objects.get().id, now=NOW)

    change_plan(old.id, plan=plan_for("200").id, now=NOW)

    assert let_in(key, NOW)[0] is VerificationCode.REVOKED
    assert Credential.objects.get().subscription == old


def test_what_is_billed_later_is_so_under_the_next_plan_too() -> None:
    waiting = subscribed(bill_from=MAY)
    begun = subscribed(bill_from=MARCH + DAY)

    assert change_plan(waiting.id, plan=plan_for("200").id, now=NOW).bill_from == MAY
    assert change_plan(begun.id, plan=plan_for("200").id, now=NOW).bill_from is None


@pytest.mark.parametrize(
    ("plan", "refusal"),
    [
        (lambda: plan_for("200", active=False), PlanNotActive),
        (lambda: archive_rate_plan(plan_for("200").id, now=NOW), PlanNotActive),
        (lambda: plan_for("200", product=make_product(stage="DEPRECATED")), ProductNotSubscribable),
        (lambda: plan_for("200", currency="EUR"), CurrencyMismatch),
        (lambda: plan_for("200", product=make_product(product_type="MCP_SERVER")), CredentialsDoNotFit),
    ],
)
def test_a_plan_that_is_not_sold_to_the_customer_is_refused(
    plan: Callable[[], RatePlan], refusal: type[DomainError]
) -> None:
    old, pending = downgraded()

    with pytest.raises(refusal):
        change_plan(old.id, plan=plan().id, now=NOW)

    assert pending_successor(stored(old), NOW) == pending


def test_a_plan_of_another_product_with_the_same_kind_of_key_fits() -> None:
    plan = plan_for("200", product=make_product(product_type="AGENTIC_API"))

    assert change_plan(subscribed().id, plan=plan.id, now=NOW).plan == plan


def test_the_same_plan_is_no_change() -> None:
    old = subscribed()

    with pytest.raises(PlanUnchanged):
        change_plan(old.id, plan=old.plan_id, now=NOW)
    with pytest.raises(NotFound):
        change_plan(old.id, plan="plan_01h455vb4pex5vsknk084sn02q", now=NOW)


def test_only_what_runs_changes_its_plan() -> None:
    pending, active = subscribed(starts_at=NOW + DAY), subscribed()
    ended = terminate_subscription(subscribed().id, now=NOW)
    dearer = plan_for("200").id

    for one, status in ((pending, "pending"), (ended, "terminated")):
        with pytest.raises(SubscriptionNotActive) as refusal:
            change_plan(one.id, plan=dearer, now=NOW)
        assert refusal.value.details == {"status": status}
    assert change_plan(active.id, plan=dearer, now=NOW).plan_id == dearer


def test_customers_that_are_suspended_or_inactive_change_no_plan() -> None:
    old, dearer = subscribed(), plan_for("200").id
    suspend_customer(old.customer_id, until=NOW + DAY, now=NOW)

    with pytest.raises(CustomerIsSuspended):
        change_plan(old.id, plan=dearer, now=NOW)
    Customer.objects.filter(pk=old.customer_id).update(deactivated_at=NOW)
    with pytest.raises(CustomerIsInactive):
        change_plan(old.id, plan=dearer, now=NOW + DAY)
    Customer.objects.filter(pk=old.customer_id).update(deactivated_at=None)
    assert change_plan(old.id, plan=dearer, now=NOW + DAY)

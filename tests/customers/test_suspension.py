"""Suspension: access is off from now until a moment, exclusive; the clock decides, not whether a worker has run."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.errors import NotFound
from config.kernel.history import acting_as
from customers.errors import (
    AgentNotSuspended,
    CustomerIsSuspended,
    CustomerNotSuspended,
    SuspensionEndsInThePast,
    SystemCustomer,
)
from customers.events import AgentReactivated, AgentSuspended, CustomerReactivated, CustomerSuspended
from customers.models import UNCLASSIFIED_ID, Agent, AgentStatus, Customer, CustomerStatus
from customers.operations.deletion import delete_customer
from customers.operations.suspension import (
    expire_agent_suspension,
    expire_due_suspensions,
    expire_suspension,
    reactivate_agent,
    reactivate_customer,
    suspend_agent,
    suspend_customer,
)
from tests.events import heard
from tests.factories import NOW, make_agent, make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def test_access_is_off_from_now_until_the_end_exclusive() -> None:
    customer = suspend_customer(make_customer().id, reason="Card declined", until=NOW + HOUR, now=NOW)

    statuses = [customer.status(NOW + after) for after in (timedelta(), HOUR - INSTANT, HOUR, HOUR + INSTANT)]
    assert statuses == [
        CustomerStatus.SUSPENDED,
        CustomerStatus.SUSPENDED,
        CustomerStatus.ACTIVE,
        CustomerStatus.ACTIVE,
    ]
    customer.refresh_from_db()
    assert (customer.suspended_at, customer.suspended_until) == (NOW, NOW + HOUR)
    assert customer.suspension_reason == "Card declined"


def test_without_an_end_access_is_off_for_good() -> None:
    customer = suspend_customer(make_customer().id, now=NOW)

    assert customer.status(NOW + timedelta(days=36_500)) is CustomerStatus.SUSPENDED


def test_an_end_that_is_not_after_now_is_refused_and_an_instant_later_is_not() -> None:
    customer = make_customer()

    for until in (NOW, NOW - HOUR):
        with pytest.raises(SuspensionEndsInThePast) as refusal:
            suspend_customer(customer.id, until=until, now=NOW)
        assert refusal.value.details == {"until": until}
    assert Customer.objects.with_access(NOW).filter(pk=customer.pk).exists()

    assert suspend_customer(customer.id, until=NOW + INSTANT, now=NOW).is_suspended(NOW)


def test_suspended_again_it_keeps_its_beginning_and_gets_the_new_reason_and_end() -> None:
    customer = suspend_customer(make_customer().id, reason="first", until=NOW + HOUR, now=NOW)

    customer = suspend_customer(customer.id, reason="second", until=None, now=NOW + HOUR / 2)

    assert (customer.suspended_at, customer.suspended_until) == (NOW, None)
    assert customer.suspension_reason == "second"


def test_suspended_after_the_end_came_it_begins_anew_though_no_worker_has_lifted_it() -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)

    customer = suspend_customer(customer.id, until=NOW + 3 * HOUR, now=NOW + HOUR)

    assert customer.suspended_at == NOW + HOUR


def test_reactivation_switches_access_on_at_once_and_needs_a_suspension() -> None:
    customer = suspend_customer(make_customer().id, reason="Card declined", now=NOW)

    customer = reactivate_customer(customer.id, now=NOW)

    assert customer.status(NOW) is CustomerStatus.ACTIVE
    assert (customer.suspended_at, customer.suspended_until, customer.suspension_reason) == (None, None, "")
    with pytest.raises(CustomerNotSuspended):
        reactivate_customer(customer.id, now=NOW)


def test_a_suspension_that_has_run_out_is_none_to_lift_by_hand() -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)

    with pytest.raises(CustomerNotSuspended):
        reactivate_customer(customer.id, now=NOW + HOUR)
    assert reactivate_customer(customer.id, now=NOW + HOUR - INSTANT).suspended_at is None


def test_the_sweep_lifts_at_the_end_and_not_an_instant_before_and_twice_is_harmless() -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)

    assert expire_suspension(customer.id, now=NOW + HOUR - INSTANT) is False
    assert expire_suspension(customer.id, now=NOW + HOUR) is True
    assert expire_suspension(customer.id, now=NOW + HOUR) is False

    customer.refresh_from_db()
    assert customer.suspended_at is None


def test_the_sweep_lifts_all_that_have_run_out_and_no_others() -> None:
    over = [suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW).id for _ in range(2)]
    running = suspend_customer(make_customer().id, until=NOW + HOUR + INSTANT, now=NOW).id
    endless = suspend_customer(make_customer().id, now=NOW).id
    gone = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW).id
    delete_customer(gone, confirm=True, now=NOW)

    with acting_as("task expire_suspensions"):
        assert expire_due_suspensions(now=NOW + HOUR) == 2
    assert expire_due_suspensions(now=NOW + HOUR) == 0

    suspended = Customer.objects.filter(suspended_at__isnull=False)
    assert set(suspended.values_list("pk", flat=True)) == {running, endless, gone}
    newest = Customer.objects.get(pk=over[0]).history.latest("history_id")
    assert (newest.history_actor, newest.history_change_reason) == (
        "task expire_suspensions",
        "The suspension's end has come",
    )


def test_lists_go_by_the_clock() -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)
    one = Customer.objects.filter(pk=customer.pk)

    before, at_end = NOW + HOUR - INSTANT, NOW + HOUR
    assert [one.suspended(now).exists() for now in (before, at_end)] == [True, False]
    assert [one.with_access(now).exists() for now in (before, at_end)] == [False, True]
    assert [one.suspension_over(now).exists() for now in (before, at_end)] == [False, True]


def test_a_suspended_customer_takes_no_subscription_and_a_restored_one_does() -> None:
    customer, plan = make_customer(), make_plan()
    suspend_customer(customer.id, until=NOW + HOUR, now=NOW)

    with pytest.raises(CustomerIsSuspended):
        make_subscription(customer=customer, plan=plan, now=NOW + HOUR - INSTANT)
    assert make_subscription(customer=customer, plan=plan, now=NOW + HOUR).customer == customer


def test_what_happened_is_published() -> None:
    customer = make_customer()

    with heard(CustomerSuspended) as suspended, heard(CustomerReactivated) as reactivated:
        suspend_customer(customer.id, reason="R", until=NOW + HOUR, now=NOW)
        expire_suspension(customer.id, now=NOW + HOUR)

    assert suspended == [CustomerSuspended(customer_id=customer.id, at=NOW, until=NOW + HOUR, reason="R")]
    assert reactivated == [CustomerReactivated(customer_id=customer.id, at=NOW + HOUR)]


def test_the_unclassified_customer_is_never_suspended() -> None:
    with pytest.raises(SystemCustomer):
        suspend_customer(UNCLASSIFIED_ID, now=NOW)
    with pytest.raises(SystemCustomer):
        reactivate_customer(UNCLASSIFIED_ID, now=NOW)


def test_a_deleted_customer_is_not_found() -> None:
    customer = make_customer()
    delete_customer(customer.id, confirm=False, now=NOW)

    with pytest.raises(NotFound):
        suspend_customer(customer.id, now=NOW)


@pytest.mark.parametrize("length", [timedelta(), -HOUR])
def test_the_database_refuses_a_suspension_that_ends_before_it_has_begun(length: timedelta) -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)

    with pytest.raises(IntegrityError, match="customer_suspension_ends_after_it_begins"), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(suspended_until=NOW + length)
    assert Customer.objects.filter(pk=customer.pk).update(suspended_until=NOW + INSTANT) == 1


def test_the_database_refuses_it_to_raw_sql_too() -> None:
    customer = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)
    key: UUID = customer.id.uuid

    with (
        pytest.raises(IntegrityError, match="customer_suspension_ends_after_it_begins"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE customers_customer SET suspended_until = suspended_at WHERE id = %s", [key])


def test_an_agents_access_is_off_until_the_end_exclusive_and_its_customers_stays_on() -> None:
    agent = suspend_agent(make_agent().id, reason="Loops", until=NOW + HOUR, now=NOW)

    statuses = [agent.status(NOW + after) for after in (timedelta(), HOUR - INSTANT, HOUR)]
    assert statuses == [AgentStatus.SUSPENDED, AgentStatus.SUSPENDED, AgentStatus.ACTIVE]
    agent.refresh_from_db()
    assert (agent.suspended_at, agent.suspended_until, agent.suspension_reason) == (NOW, NOW + HOUR, "Loops")
    assert agent.team.customer.status(NOW) is CustomerStatus.ACTIVE


def test_an_agent_is_suspended_again_and_reactivated_as_a_customer_is() -> None:
    agent = suspend_agent(make_agent().id, reason="first", until=NOW + HOUR, now=NOW)

    agent = suspend_agent(agent.id, reason="second", now=NOW + HOUR / 2)
    assert (agent.suspended_at, agent.suspended_until, agent.suspension_reason) == (NOW, None, "second")
    with pytest.raises(SuspensionEndsInThePast):
        suspend_agent(agent.id, until=NOW, now=NOW)

    agent = reactivate_agent(agent.id, now=NOW + HOUR)
    assert (agent.suspended_at, agent.suspended_until, agent.suspension_reason) == (None, None, "")
    with pytest.raises(AgentNotSuspended):
        reactivate_agent(agent.id, now=NOW + HOUR)


def test_reactivating_the_customer_leaves_its_agents_suspended_and_the_other_way_round() -> None:
    agent = suspend_agent(make_agent().id, now=NOW)
    customer = suspend_customer(agent.team.customer_id, now=NOW)

    reactivate_customer(customer.id, now=NOW)
    assert Agent.objects.get().is_suspended(NOW)

    suspend_customer(customer.id, now=NOW)
    reactivate_agent(agent.id, now=NOW)
    assert Customer.objects.get(pk=customer.pk).is_suspended(NOW)


def test_one_sweep_lifts_the_suspensions_of_customers_and_of_agents() -> None:
    over = suspend_agent(make_agent().id, until=NOW + HOUR, now=NOW)
    running = suspend_agent(make_agent().id, until=NOW + HOUR + INSTANT, now=NOW)
    endless = suspend_agent(make_agent().id, now=NOW)
    orphan = suspend_agent(make_agent().id, until=NOW + HOUR, now=NOW)
    delete_customer(orphan.team.customer_id, confirm=True, now=NOW)
    suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW)

    assert expire_due_suspensions(now=NOW + HOUR - INSTANT) == 0
    assert expire_due_suspensions(now=NOW + HOUR) == 2
    assert expire_due_suspensions(now=NOW + HOUR) == 0

    assert set(Agent.objects.filter(suspended_at__isnull=False)) == {running, endless, orphan}
    assert over.history.latest("history_id").history_change_reason == "The suspension's end has come"


def test_an_agents_suspension_is_lifted_at_its_end_and_not_an_instant_before_and_twice_is_harmless() -> None:
    agent = suspend_agent(make_agent().id, until=NOW + HOUR, now=NOW)

    lifted = [expire_agent_suspension(agent.id, now=now) for now in (NOW + HOUR - INSTANT, NOW + HOUR, NOW + HOUR)]

    assert lifted == [False, True, False]


def test_what_happened_to_an_agent_is_published_with_its_customer() -> None:
    agent = make_agent()
    whose = {"customer_id": agent.team.customer_id, "agent_id": agent.id}

    with heard(AgentSuspended) as suspended, heard(AgentReactivated) as reactivated:
        suspend_agent(agent.id, reason="R", until=NOW + HOUR, now=NOW)
        expire_agent_suspension(agent.id, now=NOW + HOUR)

    assert suspended == [AgentSuspended(**whose, at=NOW, until=NOW + HOUR, reason="R")]
    assert reactivated == [AgentReactivated(**whose, at=NOW + HOUR)]


def test_the_database_refuses_an_agents_suspension_that_ends_before_it_has_begun() -> None:
    agent = suspend_agent(make_agent().id, until=NOW + HOUR, now=NOW)

    with pytest.raises(IntegrityError, match="agent_suspension_ends_after_it_begins"), transaction.atomic():
        Agent.objects.filter(pk=agent.pk).update(suspended_until=NOW)
    assert Agent.objects.filter(pk=agent.pk).update(suspended_until=NOW + INSTANT) == 1

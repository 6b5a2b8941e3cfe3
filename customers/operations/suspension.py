"""Suspension: switch the access of a customer, or of one of its agents, off and on again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.events import publish
from config.kernel.history import because
from customers.errors import AgentNotSuspended, CustomerNotSuspended, SuspensionEndsInThePast
from customers.events import AgentReactivated, AgentSuspended, CustomerReactivated, CustomerSuspended
from customers.models import Agent, Customer
from customers.models.suspension import Suspendable
from customers.operations.customers import lock_customer

SUSPENSION_FIELDS = ("suspended_at", "suspended_until", "suspension_reason")


@transaction.atomic
def suspend_customer(customer_id: str, *, reason: str = "", until: datetime | None = None, now: datetime) -> Customer:
    """
    Switch the customer's access off from ``now`` until ``until`` (exclusive), or for good.

    A customer that is suspended already keeps the moment it began and gets the new reason and end.

    Raises:
        SuspensionEndsInThePast: ``until`` is not after ``now``.
        SystemCustomer: it is the UNCLASSIFIED one.
    """
    customer = lock_customer(customer_id)
    _switch_off(customer, reason, until, now)
    publish(CustomerSuspended(customer_id=customer.id, at=now, until=until, reason=reason))
    return customer


@transaction.atomic
def suspend_agent(agent_id: str, *, reason: str = "", until: datetime | None = None, now: datetime) -> Agent:
    """
    Switch the agent's access off from ``now`` until ``until`` (exclusive), or for good; its customer's stays on.

    An agent that is suspended already keeps the moment it began and gets the new reason and end.

    Raises:
        SuspensionEndsInThePast: ``until`` is not after ``now``.
    """
    agent = _lock_agent(agent_id)
    _switch_off(agent, reason, until, now)
    publish(AgentSuspended(customer_id=agent.team.customer_id, agent_id=agent.id, at=now, until=until, reason=reason))
    return agent


@transaction.atomic
def reactivate_customer(customer_id: str, *, now: datetime) -> Customer:
    """
    Switch the customer's access on.

    Raises:
        CustomerNotSuspended: it is on.
    """
    customer = lock_customer(customer_id)
    if not customer.is_suspended(now):
        raise CustomerNotSuspended
    _lift_of_customer(customer, now)
    return customer


@transaction.atomic
def reactivate_agent(agent_id: str, *, now: datetime) -> Agent:
    """
    Switch the agent's access on; while its customer is suspended, its keys stay off all the same.

    Raises:
        AgentNotSuspended: it is on.
    """
    agent = _lock_agent(agent_id)
    if not agent.is_suspended(now):
        raise AgentNotSuspended
    _lift_of_agent(agent, now)
    return agent


@transaction.atomic
def expire_suspension(customer_id: str, *, now: datetime) -> bool:
    """Lift the customer's suspension if its end has come, and tell whether it had; running it twice is harmless."""
    customer = Customer.objects.lock(customer_id)
    if not _is_over(customer, now):
        return False
    _lift_of_customer(customer, now)
    return True


@transaction.atomic
def expire_agent_suspension(agent_id: str, *, now: datetime) -> bool:
    """Lift the agent's suspension if its end has come, and tell whether it had; running it twice is harmless."""
    agent = Agent.objects.select_related("team").lock(agent_id)
    if not _is_over(agent, now):
        return False
    _lift_of_agent(agent, now)
    return True


def expire_due_suspensions(*, now: datetime) -> int:
    """Lift every suspension that has run out at ``now``, each in its own transaction, and return how many."""
    customers = Customer.objects.live().suspension_over(now).order_by("suspended_until", "id")
    agents = Agent.objects.live().suspension_over(now).order_by("suspended_until", "id")
    with because("The suspension's end has come"):
        lifted = [expire_suspension(pk, now=now) for pk in customers.values_list("pk", flat=True)]
        lifted += [expire_agent_suspension(pk, now=now) for pk in agents.values_list("pk", flat=True)]
    return sum(lifted)


def _lock_agent(agent_id: str) -> Agent:
    """Lock a live agent and read its team with it."""
    return Agent.objects.live().select_related("team").lock(agent_id)


def _switch_off(record: Suspendable, reason: str, until: datetime | None, now: datetime) -> None:
    """Suspend the locked record, or give its suspension another reason and end."""
    if until is not None and until <= now:
        raise SuspensionEndsInThePast(until=until)
    if not record.is_suspended(now):
        record.suspended_at = now
    record.suspended_until = until
    record.suspension_reason = reason
    record.save_changes(*SUSPENSION_FIELDS, now=now)


def _is_over(record: Suspendable, now: datetime) -> bool:
    """Tell whether the end of a suspension that is still written down has come."""
    return record.suspended_until is not None and record.suspended_until <= now


def _lift_of_customer(customer: Customer, now: datetime) -> None:
    _switch_on(customer, now)
    publish(CustomerReactivated(customer_id=customer.id, at=now))


def _lift_of_agent(agent: Agent, now: datetime) -> None:
    _switch_on(agent, now)
    publish(AgentReactivated(customer_id=agent.team.customer_id, agent_id=agent.id, at=now))


def _switch_on(record: Suspendable, now: datetime) -> None:
    record.suspended_at = None
    record.suspended_until = None
    record.suspension_reason = ""
    record.save_changes(*SUSPENSION_FIELDS, now=now)

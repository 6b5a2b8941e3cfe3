"""Keys bound to a subscription, agent or subscriber of their customer: issued for it, and gone with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.kernel.errors import NotFound, error_code
from config.kernel.guards import Verdict, deletion_report
from config.kernel.ids import TypeID
from credentials.errors import AgentIsSuspended
from credentials.events import CredentialRevoked
from credentials.models import Credential
from credentials.operations.credentials import issue_subscription_credential, revoke_credential
from credentials.queries.verification import VerificationCode, verify_secret
from customers.errors import CustomerIsInactive, SubscriptionEnded
from customers.models import Customer
from customers.operations.agents import delete_agent
from customers.operations.deletion import delete_customer
from customers.operations.status import activate_customer, deactivate_customer
from customers.operations.subscribers import delete_subscriber
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_agent
from tests.credentials.keys import issue, subscribe
from tests.events import heard
from tests.factories import NOW, make_agent, make_customer, make_subscriber, make_subscription, make_team

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def agent_of(customer: Customer, **fields: Any) -> Any:
    return make_agent(team=make_team(customer=customer), **fields)


def subscriber_of(customer: Customer) -> Any:
    return make_subscriber(customer=customer)


def subscription_of(customer: Customer) -> Any:
    return make_subscription(customer=customer)


#: What a key can be bound to beside its customer.
BINDINGS: list[tuple[str, Callable[[Customer], Any]]] = [
    ("agent", agent_of),
    ("subscriber", subscriber_of),
    ("subscription", subscription_of),
]


def test_a_key_is_bound_to_what_it_was_issued_for() -> None:
    customer = make_customer()
    bound = {name: make(customer) for name, make in BINDINGS}

    key, secret = issue(customer, **{name: one.id for name, one in bound.items()})

    assert {name: getattr(key, name) for name in bound} == bound
    assert secret.startswith("sk-cust-")
    assert verify_secret(secret, now=NOW).is_valid


@pytest.mark.parametrize(("name", "make"), BINDINGS)
def test_what_belongs_to_another_customer_is_as_unknown_as_what_there_is_not(
    name: str, make: Callable[[Customer], Any]
) -> None:
    customer, own = make_customer(), make(make_customer())
    Credential.objects.all().delete()

    for pk in (own.id, TypeID.new(own.id.prefix)):
        with pytest.raises(NotFound) as refusal:
            issue(customer, **{name: pk})
        assert (error_code(refusal.value), refusal.value.param) == (f"{name}_not_found", name)
    assert not Credential.objects.exists()
    assert getattr(issue(customer, **{name: make(customer).id})[0], name) is not None


def test_what_is_deleted_or_has_ended_gets_no_key() -> None:
    customer = make_customer()
    agent, subscriber, subscription = agent_of(customer), subscriber_of(customer), subscription_of(customer)
    delete_agent(agent.id, confirm=False, now=NOW)
    delete_subscriber(subscriber.id, confirm=False, now=NOW)
    terminate_subscription(subscription.id, now=NOW)

    with pytest.raises(NotFound):
        issue(customer, agent=agent.id)
    with pytest.raises(NotFound):
        issue(customer, subscriber=subscriber.id)
    with pytest.raises(SubscriptionEnded) as refusal:
        issue(customer, subscription=subscription.id)
    assert (refusal.value.param, refusal.value.details) == ("subscription", {"status": "terminated"})


def test_a_suspended_agent_gets_no_key_until_its_suspension_is_over() -> None:
    customer = make_customer()
    agent = suspend_agent(agent_of(customer).id, until=NOW + HOUR, now=NOW)

    with pytest.raises(AgentIsSuspended):
        issue(customer, agent=agent.id)
    assert issue(customer, agent=agent.id, now=NOW + HOUR)[0].agent == agent


def test_an_inactive_customer_gets_no_keys_and_keeps_those_it_has() -> None:
    customer = make_customer()
    subscription, shown = subscribe(customer=customer)
    deactivate_customer(customer.id, now=NOW)

    with pytest.raises(CustomerIsInactive):
        issue(customer)
    with pytest.raises(CustomerIsInactive):
        issue_subscription_credential(subscription.id, now=NOW)
    assert verify_secret(shown["key"], now=NOW).is_valid
    activate_customer(customer.id, now=NOW)
    assert issue(customer)[0].customer == customer


def test_a_subscription_gets_a_credential_for_one_of_its_customers_agents() -> None:
    subscription, _ = subscribe("MCP_SERVER")
    agent, subscriber = agent_of(subscription.customer), subscriber_of(subscription.customer)

    second = issue_subscription_credential(
        subscription.id, agent=agent.id, subscriber=subscriber.id, tags=["eu"], now=NOW
    )

    assert (second.kind, second.agent, second.subscriber, second.tags) == (
        "client_credentials", agent, subscriber, ["eu"]
    )  # fmt: skip
    with pytest.raises(NotFound):
        issue_subscription_credential(subscription.id, agent=make_agent().id, now=NOW)


@pytest.mark.parametrize(
    ("name", "make", "delete"), [("agent", agent_of, delete_agent), ("subscriber", subscriber_of, delete_subscriber)]
)
def test_the_keys_of_what_is_deleted_are_revoked_once_that_is_confirmed(
    name: str, make: Callable[[Customer], Any], delete: Callable[..., object]
) -> None:
    customer = make_customer()
    one, other = make(customer), make(customer)
    key, secret = issue(customer, **{name: one.id})
    revoke_credential(issue(customer, **{name: one.id})[0].id, now=NOW)
    _, of_other = issue(customer, **{name: other.id})

    [finding] = deletion_report(one).findings
    assert (finding.code, finding.verdict, finding.count) == ("active_api_keys", Verdict.WARN, 1)
    assert finding.link == f"/admin/credentials/credential/?{name}__id__exact={one.id}"
    with heard(CredentialRevoked) as revoked:
        delete(one.id, confirm=True, now=NOW)

    assert revoked == [CredentialRevoked(credential_id=key.id, customer_id=customer.id)]
    assert verify_secret(secret, now=NOW).code is VerificationCode.REVOKED
    assert verify_secret(of_other, now=NOW).is_valid


@pytest.mark.parametrize(("name", "make"), BINDINGS[:2])
def test_without_keys_in_use_nothing_warns(name: str, make: Callable[[Customer], Any]) -> None:
    customer = make_customer()
    one = make(customer)
    revoke_credential(issue(customer, **{name: one.id})[0].id, now=NOW)

    assert deletion_report(one).verdict is Verdict.ALLOW


def test_the_bound_keys_of_a_deleted_customer_are_wiped() -> None:
    customer = make_customer()
    _, secret = issue(customer, agent=agent_of(customer).id, subscriber=subscriber_of(customer).id)

    delete_customer(customer.id, confirm=True, now=NOW)

    assert verify_secret(secret, now=NOW).code is VerificationCode.NOT_FOUND

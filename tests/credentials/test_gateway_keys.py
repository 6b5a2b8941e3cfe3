"""Which keys are wanted at gateways, as credentials are issued, rotated and revoked, and customers suspended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from catalog.models import GatewayMapping
from config.kernel.sealing import unseal
from credentials.errors import GatewayKeyNotRetried
from credentials.events import GatewayKeysWaiting
from credentials.models import GatewayKey
from credentials.operations.credentials import issue_customer_key, issue_subscription_credential, revoke_credential
from credentials.operations.gateway_key_requests import retry_gateway_key
from credentials.operations.gateway_keys import SEALED_FOR
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from customers.operations.agents import delete_agent
from customers.operations.customers import update_customer
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.status import deactivate_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import reactivate_agent, suspend_agent, suspend_customer
from tests.events import heard
from tests.factories import NOW, make_agent, make_customer, make_gateway_mapping, make_plan, make_product, make_team
from tests.gateways.keys import key_of, keys_of, rotate, statuses_of, subscribe

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def mapped(product_type: str = "STANDARD_API") -> GatewayMapping:
    """Return a mapping of a product with a plan to Azure, which takes our keys and no clients."""
    product = make_product(product_type=product_type)
    make_plan(product=product)
    return make_gateway_mapping(product=product)


def placed(key: GatewayKey, **fields: Any) -> GatewayKey:
    """Let the key stand as a worker leaves it that has placed it."""
    done = {"status": "PLACED", "is_due": False, "sealed": None, "sealed_until": None, "placed_at": NOW, "attempts": 1}
    GatewayKey.objects.filter(pk=key.pk).update(**{**done, **fields})
    return key


def test_a_new_secret_waits_sealed_for_every_gateway_of_its_product() -> None:
    mapping = mapped()
    make_gateway_mapping(product=mapping.product)

    with heard(GatewayKeysWaiting) as waiting:
        credential, secret = subscribe(mapping)

    assert statuses_of(credential) == [("active", "PENDING")] * 2
    for key in keys_of(credential):
        assert key.sealed is not None
        assert secret.encode() not in bytes(key.sealed)
        assert unseal(bytes(key.sealed), bound_to=key.id) == {"secret": secret}
        assert (key.is_due, key.sealed_until, key.generation) == (True, NOW + SEALED_FOR, 1)
        assert key.consumer == credential.subscription
    assert {event.gateway_id for event in waiting} == {one.gateway_id for one in GatewayMapping.objects.all()}


def test_keys_of_products_without_gateways_and_of_customers_as_a_whole_are_not_sent() -> None:
    mapping = mapped()
    customer = make_customer()
    subscribe(mapping, plan=make_plan())
    issue_customer_key(customer.id, name="K", scopes=["*"], now=NOW)

    assert not GatewayKey.objects.exists()
    credential, _ = subscribe(mapping, customer=customer)
    assert credential.subscription is not None
    issue_customer_key(customer.id, name="K", scopes=["*"], subscription=credential.subscription.id, now=NOW)
    assert GatewayKey.objects.count() == 2


def test_a_client_is_not_sent_where_only_keys_are_taken() -> None:
    credential, _ = subscribe(mapped("AI_AGENT"))

    key = key_of(credential)
    assert (key.status, key.last_error_code, key.is_due, key.sealed) == ("UNSUPPORTED", "unsupported", False, None)
    assert "client ids" in key.last_error
    with pytest.raises(GatewayKeyNotRetried):
        retry_gateway_key(key.id, now=NOW)
    rotate(credential, grace=HOUR)
    assert statuses_of(credential) == [("absent", "REMOVED"), ("active", "UNSUPPORTED")]


def test_a_secret_that_was_replaced_goes_when_its_grace_ends_and_those_before_it_at_once() -> None:
    credential, _ = subscribe(mapped())
    placed(key_of(credential))

    rotate(credential, grace=HOUR)
    first, second = keys_of(credential)
    assert (first.wanted, first.remove_at, second.wanted) == ("active", NOW + HOUR, "active")
    placed(second)
    rotate(credential, grace=2 * HOUR)

    assert [(key.wanted, key.remove_at) for key in keys_of(credential)] == [
        ("absent", None),
        ("active", NOW + 2 * HOUR),
        ("active", None),
    ]
    sweep_gateway_keys(now=NOW + 2 * HOUR)
    assert [key.wanted for key in keys_of(credential)] == ["absent", "absent", "active"]


def test_without_grace_the_secret_that_was_replaced_goes_at_once() -> None:
    credential, _ = subscribe(mapped())
    placed(key_of(credential))

    rotate(credential, grace=timedelta(0))

    assert [key.wanted for key in keys_of(credential)] == ["absent", "active"]


ENDS: list[tuple[str, Callable[[Any], object]]] = [
    ("revoked", lambda credential: revoke_credential(credential.id, now=NOW)),
    ("its subscription terminated", lambda one: terminate_subscription(one.subscription_id, now=NOW)),
    (
        "its customer deleted",
        lambda one: delete_customer(one.customer_id, mode=DeletionMode.TERMINATE, confirm=True, now=NOW),
    ),
]


@pytest.mark.parametrize("end", [one[1] for one in ENDS], ids=[one[0] for one in ENDS])
def test_a_credential_that_has_ended_has_to_be_gone_at_the_gateway(end: Callable[[Any], object]) -> None:
    credential, _ = subscribe(mapped())
    other, _ = subscribe(mapped())
    placed(key_of(credential))

    with heard(GatewayKeysWaiting) as waiting:
        end(credential)

    key = key_of(credential)
    assert (key.wanted, key.is_due, key.sealed) == ("absent", True, None)
    assert [event.gateway_id for event in waiting] == [key.mapping.gateway_id]
    assert key_of(other).wanted == "active"


def test_a_key_that_was_never_sent_is_gone_when_its_credential_ends() -> None:
    credential, _ = subscribe(mapped())

    revoke_credential(credential.id, now=NOW)

    assert statuses_of(credential) == [("absent", "REMOVED")]
    assert (key_of(credential).is_due, key_of(credential).sealed) == (False, None)


def test_a_key_that_a_worker_has_taken_on_may_be_there_and_is_taken_away() -> None:
    credential, _ = subscribe(mapped())
    GatewayKey.objects.update(attempts=1, claimed_until=NOW + HOUR)

    revoke_credential(credential.id, now=NOW)

    key = key_of(credential)
    assert (key.wanted, key.status, key.is_due, key.claimed_until) == ("absent", "PENDING", True, None)


def test_an_agents_suspension_and_end_switch_its_keys_and_no_others() -> None:
    mapping = mapped()
    customer = make_customer()
    credential, _ = subscribe(mapping, customer=customer)
    agent = make_agent(team=make_team(customer=customer))
    assert credential.subscription is not None
    own = issue_subscription_credential(credential.subscription.id, agent=agent.id, now=NOW)
    for one in (credential, own):
        placed(key_of(one))

    suspend_agent(agent.id, reason="R", now=NOW)
    assert (key_of(own).wanted, key_of(credential).wanted) == ("suspended", "active")
    reactivate_agent(agent.id, now=NOW)
    assert key_of(own).wanted == "active"
    delete_agent(agent.id, confirm=True, now=NOW)
    assert (key_of(own).wanted, key_of(credential).wanted) == ("absent", "active")


def test_a_suspension_ends_at_gateways_by_the_clock_also_where_nobody_wrote_it_down() -> None:
    credential, _ = subscribe(mapped())
    placed(key_of(credential))
    suspend_customer(credential.customer_id, until=NOW + HOUR, now=NOW)
    assert key_of(credential).wanted == "suspended"

    sweep_gateway_keys(now=NOW + HOUR - timedelta(seconds=1))
    assert key_of(credential).wanted == "suspended"
    sweep_gateway_keys(now=NOW + HOUR)
    assert key_of(credential).wanted == "active"


def test_an_inactive_customer_keeps_its_keys_as_verification_lets_them_in() -> None:
    credential, _ = subscribe(mapped())
    placed(key_of(credential))

    deactivate_customer(credential.customer_id, now=NOW)
    update_customer(credential.customer_id, name="New", now=NOW)
    sweep_gateway_keys(now=NOW + HOUR)

    assert key_of(credential).wanted == "active"


def test_a_key_of_a_subscription_that_begins_later_is_off_until_then() -> None:
    credential, _ = subscribe(mapped(), starts_at=NOW + HOUR)

    assert key_of(credential).wanted == "suspended"
    sweep_gateway_keys(now=NOW + HOUR - timedelta(seconds=1))
    assert key_of(credential).wanted == "suspended"
    sweep_gateway_keys(now=NOW + HOUR)
    assert key_of(credential).wanted == "active"


def test_a_key_goes_when_its_credential_expires() -> None:
    mapping = mapped()
    credential, _ = subscribe(mapping)
    customer, subscription = credential.customer_id, credential.subscription_id
    assert subscription is not None
    key = issue_customer_key(
        customer, name="K", scopes=["*"], subscription=subscription, expires_at=NOW + HOUR, now=NOW
    )
    placed(key_of(key))

    sweep_gateway_keys(now=NOW + HOUR - timedelta(seconds=1))
    assert key_of(key).wanted == "active"
    sweep_gateway_keys(now=NOW + HOUR)
    assert (key_of(key).wanted, key_of(credential).wanted) == ("absent", "active")


def test_a_secret_that_no_gateway_took_in_a_day_is_forgotten() -> None:
    credential, _ = subscribe(mapped())

    sweep_gateway_keys(now=NOW + SEALED_FOR - timedelta(seconds=1))
    assert key_of(credential).sealed is not None
    sweep_gateway_keys(now=NOW + SEALED_FOR)

    key = key_of(credential)
    assert (key.sealed, key.sealed_until, key.status, key.is_due) == (None, None, "LOST", False)

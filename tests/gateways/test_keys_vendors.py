"""Keys at each vendor's gateway, from the subscription to its end, through the outbox and the real adapters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from catalog.operations.gateway_mappings import request_restore
from credentials.operations.credentials import issue_subscription_credential, revoke_credential
from credentials.operations.gateway_sweeps import sweep_gateway_keys
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import reactivate_customer, suspend_customer
from tests.factories import NOW
from tests.gateways.house import limited_plan, work
from tests.gateways.keys import VENUES, Venue, key_of, keys_of, rotate, statuses_of, subscribe

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(minutes=30)


@pytest.fixture(params=sorted(VENUES))
def venue(request: pytest.FixtureRequest) -> Iterator[Venue]:
    with VENUES[request.param]() as found:
        yield found


def test_a_key_lets_in_from_its_subscription_to_its_end(venue: Venue) -> None:
    credential, secret = subscribe(venue.mapping)
    assert venue.opens() == set()

    assert venue.deliver() == 1
    assert venue.opens() == {secret}
    assert statuses_of(credential) == [("active", "PLACED")]

    suspend_customer(credential.customer_id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == set()
    assert statuses_of(credential) == [("suspended", "SUSPENDED")]

    reactivate_customer(credential.customer_id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == {secret}
    assert statuses_of(credential) == [("active", "PLACED")]

    assert credential.subscription is not None
    terminate_subscription(credential.subscription.id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == set()
    assert statuses_of(credential) == [("absent", "REMOVED")]
    assert key_of(credential).sealed is None


def test_after_a_rotation_both_secrets_let_in_until_the_grace_is_over(venue: Venue) -> None:
    credential, old = subscribe(venue.mapping)
    venue.deliver()

    new = rotate(credential, grace=HOUR, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == {old, new}

    sweep_gateway_keys(now=LATER + HOUR - timedelta(seconds=1))
    venue.deliver(now=LATER + HOUR)
    assert venue.opens() == {old, new}
    sweep_gateway_keys(now=LATER + HOUR)
    venue.deliver(now=LATER + HOUR)
    assert venue.opens() == {new}
    assert statuses_of(credential) == [("absent", "REMOVED"), ("active", "PLACED")]


def test_after_a_rotation_without_grace_only_the_new_secret_lets_in(venue: Venue) -> None:
    credential, _ = subscribe(venue.mapping)
    venue.deliver()

    new = rotate(credential, grace=timedelta(0), now=LATER)
    venue.deliver(now=LATER)

    assert venue.opens() == {new}
    assert statuses_of(credential) == [("absent", "REMOVED"), ("active", "PLACED")]


def test_a_key_moves_with_its_subscription_to_another_plan_and_keeps_its_secret(venue: Venue) -> None:
    credential, secret = subscribe(venue.mapping)
    venue.deliver()
    assert credential.subscription is not None
    other = limited_plan(venue.mapping.product, quota_per_day=5000)
    change_plan(credential.subscription.id, plan=other.id, now=LATER)

    venue.deliver(now=LATER)
    # The new plan is not there yet, and the key stays where it was until it is.
    assert venue.opens() == {secret}
    assert statuses_of(credential) == [("active", "ERROR")]
    assert key_of(credential).last_error_code == "object_missing"

    request_restore(venue.mapping.id, now=LATER)
    work(venue.gateway, now=LATER)
    venue.deliver(now=LATER)
    assert statuses_of(credential) == [("active", "PLACED")]
    assert venue.opens() == {secret}

    credential.refresh_from_db()
    assert credential.subscription is not None
    terminate_subscription(credential.subscription.id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == set()


def test_two_keys_of_a_subscription_come_and_go_one_by_one(venue: Venue) -> None:
    credential, secret = subscribe(venue.mapping)
    assert credential.subscription is not None
    other = issue_subscription_credential(credential.subscription.id, now=NOW)
    venue.deliver()
    assert len(venue.opens()) == 2
    assert {key.consumer_id for key in keys_of(credential) + keys_of(other)} == {credential.subscription_id}

    revoke_credential(other.id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == {secret}
    revoke_credential(credential.id, now=LATER)
    venue.deliver(now=LATER)
    assert venue.opens() == set()

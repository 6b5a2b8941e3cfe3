"""Subscriptions: who may subscribe to what and when, and how a subscription ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from billing.models import BillingCursor, Invoice
from catalog.models import RatePlan
from catalog.operations.rate_plans import archive_rate_plan
from config.kernel.errors import DomainError, NotFound
from config.kernel.secrets import issued_secrets
from credentials.models import Credential, CredentialKind
from customers.errors import (
    CurrencyMismatch,
    CustomerIsSuspended,
    DuplicateSubscriptionExternalId,
    PlanNotActive,
    ProductNotSubscribable,
    SubscriptionEnded,
    SystemCustomer,
)
from customers.events import SubscriptionCanceled, SubscriptionStarted, SubscriptionTerminated
from customers.models import UNCLASSIFIED_ID, Customer, Subscription, SubscriptionStatus
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import start_subscription, terminate_subscription
from customers.operations.suspension import suspend_customer
from tests.events import heard
from tests.factories import NOW, make_customer, make_plan, make_product, make_subscription

pytestmark = pytest.mark.django_db

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def test_a_subscription_runs_from_now_under_the_plans_name() -> None:
    customer, plan = make_customer(), make_plan(name="Pro")

    with heard(SubscriptionStarted) as started:
        subscription = start_subscription(customer=customer.id, plan=plan.id, now=NOW)

    assert (subscription.customer, subscription.plan, str(subscription)) == (customer, plan, "Pro")
    assert (subscription.starts_at, subscription.status(NOW)) == (NOW, SubscriptionStatus.ACTIVE)
    assert started == [
        SubscriptionStarted(
            customer_id=customer.id, subscription_id=subscription.id, at=NOW, product_type="STANDARD_API"
        )
    ]


@pytest.mark.parametrize(
    ("starts_at", "status"),
    [
        (NOW - 400 * DAY, SubscriptionStatus.ACTIVE),
        (NOW, SubscriptionStatus.ACTIVE),
        (NOW + INSTANT, SubscriptionStatus.PENDING),
    ],
)
def test_a_subscription_may_begin_before_and_after_it_is_made(starts_at: Any, status: SubscriptionStatus) -> None:
    subscription = make_subscription(starts_at=starts_at)

    assert subscription.status(NOW) is status
    assert Subscription.objects.live().filter(pk=subscription.pk).exists()
    assert Subscription.objects.active(NOW).filter(pk=subscription.pk).exists() is (status == "active")


def archived_plan() -> RatePlan:
    return archive_rate_plan(make_plan().id, now=NOW)


def plan_of_a_product_in(stage: str) -> Callable[[], RatePlan]:
    return lambda: make_plan(product=make_product(stage=stage))


@pytest.mark.parametrize(
    ("plan", "refusal", "message"),
    [
        (
            lambda: make_plan(active=False),
            PlanNotActive,
            "The rate plan is DRAFT; only an ACTIVE one takes subscriptions",
        ),
        (archived_plan, PlanNotActive, "The rate plan is ARCHIVED; only an ACTIVE one takes subscriptions"),
        (
            plan_of_a_product_in("EXPERIMENTAL"),
            ProductNotSubscribable,
            "A product in EXPERIMENTAL takes no new subscriptions",
        ),
        (
            plan_of_a_product_in("DEPRECATED"),
            ProductNotSubscribable,
            "A product in DEPRECATED takes no new subscriptions",
        ),
        (plan_of_a_product_in("RETIRED"), ProductNotSubscribable, "A product in RETIRED takes no new subscriptions"),
        (lambda: make_plan(currency="EUR"), CurrencyMismatch, "The plan is in EUR, the customer in USD"),
    ],
)
def test_a_plan_that_is_not_sold_takes_no_subscriptions(
    plan: Callable[[], RatePlan], refusal: type[DomainError], message: str
) -> None:
    customer, chosen = make_customer(), plan()

    with pytest.raises(refusal) as found:
        start_subscription(customer=customer.id, plan=chosen.id, now=NOW)

    assert found.value.message == message
    assert not Subscription.objects.exists()
    assert not Credential.objects.exists()


@pytest.mark.parametrize("stage", ["BETA", "GA"])
def test_a_plan_of_a_product_on_sale_takes_subscriptions(stage: str) -> None:
    plan = plan_of_a_product_in(stage)()

    assert make_subscription(plan=plan).status(NOW) is SubscriptionStatus.ACTIVE


def test_customers_that_are_suspended_gone_or_the_houses_own_do_not_subscribe() -> None:
    plan = make_plan().id
    suspended, gone = suspend_customer(make_customer().id, now=NOW), make_customer()
    delete_customer(gone.id, confirm=False, now=NOW)

    with pytest.raises(CustomerIsSuspended):
        start_subscription(customer=suspended.id, plan=plan, now=NOW)
    with pytest.raises(NotFound):
        start_subscription(customer=gone.id, plan=plan, now=NOW)
    with pytest.raises(SystemCustomer):
        start_subscription(customer=UNCLASSIFIED_ID, plan=plan, now=NOW)
    assert start_subscription(customer=make_customer().id, plan=plan, now=NOW)


def test_an_external_id_names_one_subscription_until_it_has_ended() -> None:
    first = make_subscription(external_id="s-1")

    with pytest.raises(DuplicateSubscriptionExternalId) as refusal:
        make_subscription(external_id="s-1")
    assert refusal.value.details == {"external_id": "s-1"}
    assert make_subscription(external_id="s-2").external_id == "s-2"

    terminate_subscription(first.id, now=NOW)
    assert make_subscription(external_id="s-1").status(NOW) is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize(
    ("product_type", "kind", "shown"),
    [
        ("STANDARD_API", CredentialKind.API_KEY, {"key": "sk_live_"}),
        ("AGENTIC_API", CredentialKind.API_KEY, {"key": "sk_live_"}),
        ("AI_AGENT", CredentialKind.CLIENT_CREDENTIALS, {"client_id": "mc_", "client_secret": "mcs_"}),
        ("MCP_SERVER", CredentialKind.CLIENT_CREDENTIALS, {"client_id": "mc_", "client_secret": "mcs_"}),
    ],
)
def test_a_subscription_gets_the_credential_that_fits_its_product_and_a_place_in_billing(
    product_type: str, kind: CredentialKind, shown: dict[str, str]
) -> None:
    plan = make_plan(product=make_product(product_type=product_type))

    with issued_secrets() as issued:
        subscription = make_subscription(plan=plan)

    credential, cursor = Credential.objects.get(), BillingCursor.objects.get()
    assert (credential.kind, credential.subscription, credential.customer) == (
        kind,
        subscription,
        subscription.customer,
    )
    assert {name: text[: len(shown[name])] for name, text in issued[0].shown_once.items()} == shown
    assert (cursor.subscription, cursor.billed_until) == (subscription, NOW)


def test_termination_ends_it_now_with_its_keys_and_draws_the_last_invoice() -> None:
    subscription = make_subscription()

    with heard(SubscriptionTerminated) as terminated:
        subscription = terminate_subscription(subscription.id, now=NOW + DAY)

    assert (subscription.terminated_at, subscription.canceled_at) == (NOW + DAY, None)
    assert subscription.status(NOW + DAY) is SubscriptionStatus.TERMINATED
    assert [event.subscription_id for event in terminated] == [subscription.id]
    assert Credential.objects.get().revoked_at == NOW + DAY
    assert Invoice.objects.get().customer == subscription.customer


def test_one_that_has_not_begun_is_canceled_and_costs_nothing() -> None:
    subscription = make_subscription(starts_at=NOW + DAY)

    with heard(SubscriptionCanceled) as canceled:
        subscription = terminate_subscription(subscription.id, now=NOW + DAY - INSTANT)

    assert (subscription.terminated_at, subscription.canceled_at) == (None, NOW + DAY - INSTANT)
    assert subscription.status(NOW + DAY) is SubscriptionStatus.CANCELED
    assert len(canceled) == 1
    assert Credential.objects.get().revoked_at == NOW + DAY - INSTANT
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(("starts_at", "status"), [(NOW, "terminated"), (NOW + DAY, "canceled")])
def test_a_subscription_ends_once(starts_at: Any, status: str) -> None:
    subscription = make_subscription(starts_at=starts_at)
    terminate_subscription(subscription.id, now=NOW)

    with pytest.raises(SubscriptionEnded) as refusal:
        terminate_subscription(subscription.id, now=NOW)
    assert refusal.value.message == f"The subscription is {status}"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("terminated_at = starts_at - interval '1 second'", "subscription_ends_after_it_begins"),
        ("terminated_at = starts_at, canceled_at = starts_at", "subscription_ends_once"),
        ("external_id = 's-1'", "subscription_one_live_per_external_id"),
        ("customer_id = '01890a5d-ac96-774b-bcce-b302099a8057'", "violates foreign key constraint"),
        ("plan_id = '01890a5d-ac96-774b-bcce-b302099a8057'", "violates foreign key constraint"),
    ],
)
def test_the_database_refuses_what_no_subscription_can_be(change: str, constraint: str) -> None:
    make_subscription(external_id="s-1")
    subscription = make_subscription(external_id="s-2")

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            cursor.execute(f"UPDATE customers_subscription SET {change} WHERE id = %s", [subscription.id.uuid])


def test_what_somebody_subscribes_to_is_not_deleted_under_them() -> None:
    subscription = make_subscription()

    for one in (subscription, subscription.plan, Customer.objects.get(pk=subscription.customer_id)):
        with pytest.raises(ProtectedError):
            one.delete()

"""Credentials: issued once, verified by their digest, revoked for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction

from config.kernel.errors import NotFound
from credentials.errors import CredentialRevokedAlready, ExpiresInThePast
from credentials.events import CredentialCreated, CredentialRevoked
from credentials.models import Credential
from credentials.operations.credentials import (
    issue_subscription_credential,
    revoke_credential,
)
from credentials.queries.verification import VerificationCode, verify_secret
from customers.errors import CustomerIsSuspended, SubscriptionEnded, SystemCustomer
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.customers import CustomerFields, create_customer
from customers.operations.deletion import delete_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_customer
from tests.credentials.keys import issue, subscribe
from tests.events import heard
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def test_a_key_is_shown_once_and_kept_as_a_digest_behind_its_ends() -> None:
    with heard(CredentialCreated) as created:
        key, secret = issue(make_customer(), tags=["ci"])

    assert secret.startswith("sk-cust-")
    assert len(secret) == len("sk-cust-") + 32
    assert (key.prefix, key.last_four, key.tags) == ("sk-cust-", secret[-4:], ["ci"])
    assert key.masked == f"sk-cust-…{secret[-4:]}"
    assert key.digest is not None
    assert len(key.digest) == 32
    assert created == [CredentialCreated(credential_id=key.id, customer_id=key.customer_id)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(one)::text FROM credentials_credential one")
        assert secret not in cursor.fetchone()[0]


def test_no_two_secrets_are_the_same() -> None:
    customer = make_customer()

    assert len({issue(customer)[1] for _ in range(20)}) == 20


def test_a_key_comes_with_a_new_customer_only_where_it_was_asked_for() -> None:
    for with_key in (True, False):
        fields = CustomerFields(name="C", email=f"{with_key}@example.com")
        customer = create_customer(fields, with_key=with_key, now=NOW)
        assert Credential.objects.filter(customer=customer).exists() is with_key


@pytest.mark.parametrize("expires_at", [NOW, NOW - HOUR])
def test_a_key_that_has_expired_before_it_exists_is_refused(expires_at: object) -> None:
    customer = make_customer()

    with pytest.raises(ExpiresInThePast):
        issue(customer, expires_at=expires_at)
    assert not Credential.objects.exists()
    assert issue(customer, expires_at=NOW + INSTANT)[0].status(NOW) == "active"


def test_a_suspended_a_deleted_and_the_houses_own_customer_get_no_key() -> None:
    suspended, gone = suspend_customer(make_customer().id, until=NOW + HOUR, now=NOW), make_customer()
    delete_customer(gone.id, confirm=False, now=NOW)

    with pytest.raises(CustomerIsSuspended):
        issue(suspended)
    with pytest.raises(NotFound):
        issue(gone)
    with pytest.raises(SystemCustomer):
        issue(Customer.objects.get(pk=UNCLASSIFIED_ID))
    assert issue(suspended, now=NOW + HOUR)[0].customer == suspended


def test_an_ended_and_a_suspended_subscription_get_no_second_credential() -> None:
    running, _ = subscribe()
    assert issue_subscription_credential(running.id, now=NOW).subscription == running

    suspend_customer(running.customer_id, until=NOW + HOUR, now=NOW)
    with pytest.raises(CustomerIsSuspended):
        issue_subscription_credential(running.id, now=NOW)
    terminate_subscription(running.id, now=NOW + HOUR)
    with pytest.raises(SubscriptionEnded) as refusal:
        issue_subscription_credential(running.id, now=NOW + HOUR)
    assert refusal.value.details == {"status": "terminated"}


def test_a_credential_is_revoked_once_and_from_then_on_lets_nobody_in() -> None:
    key, secret = issue(make_customer())
    assert verify_secret(secret, now=NOW).is_valid

    with heard(CredentialRevoked) as revoked:
        revoke_credential(key.id, now=NOW)

    assert revoked == [CredentialRevoked(credential_id=key.id, customer_id=key.customer_id)]
    assert verify_secret(secret, now=NOW).code is VerificationCode.REVOKED
    with pytest.raises(CredentialRevokedAlready):
        revoke_credential(key.id, now=NOW)


def test_a_key_lets_in_until_it_expires_exclusive() -> None:
    _, secret = issue(make_customer(), expires_at=NOW + HOUR)

    assert verify_secret(secret, now=NOW + HOUR - INSTANT).code is VerificationCode.VALID
    assert verify_secret(secret, now=NOW + HOUR).code is VerificationCode.EXPIRED


@pytest.mark.parametrize(
    ("scopes", "asked", "code"),
    [
        (["*"], "read", VerificationCode.VALID),
        (["read"], "read", VerificationCode.VALID),
        (["read"], None, VerificationCode.VALID),
        (["read"], "write", VerificationCode.INSUFFICIENT_SCOPE),
        ([], "read", VerificationCode.INSUFFICIENT_SCOPE),
    ],
)
def test_a_key_opens_what_its_scopes_name(scopes: list[str], asked: str | None, code: VerificationCode) -> None:
    _, secret = issue(make_customer(), scopes=scopes)

    assert verify_secret(secret, scope=asked, now=NOW).code is code


def test_what_is_no_secret_finds_nothing() -> None:
    key, secret = issue(make_customer())

    for text in ("", "sk-cust-", secret[:-1], secret.upper(), f"{secret} ", key.id, "\x00"):
        found = verify_secret(text, now=NOW)
        assert (found.code, found.credential) == (VerificationCode.NOT_FOUND, None)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda one: suspend_customer(one.customer_id, now=NOW), VerificationCode.CUSTOMER_SUSPENDED),
        (lambda one: terminate_subscription(one.id, now=NOW), VerificationCode.REVOKED),
        (
            lambda one: Subscription.objects.filter(pk=one.pk).update(starts_at=NOW + INSTANT),
            VerificationCode.SUBSCRIPTION_INACTIVE,
        ),
    ],
)
def test_the_key_of_a_subscription_lets_in_while_that_runs(
    end: Callable[[Subscription], object], code: VerificationCode
) -> None:
    subscription, shown = subscribe()
    assert verify_secret(shown["key"], now=NOW).code is VerificationCode.VALID

    end(subscription)

    assert verify_secret(shown["key"], now=NOW).code is code


def test_of_a_client_only_the_secret_lets_in_and_not_its_public_id() -> None:
    _, shown = subscribe("MCP_SERVER")

    assert verify_secret(shown["client_secret"], now=NOW).is_valid
    assert verify_secret(shown["client_id"], now=NOW).code is VerificationCode.NOT_FOUND


def test_a_deleted_customers_secrets_are_found_no_more() -> None:
    customer = make_customer()
    _, secret = issue(customer)

    delete_customer(customer.id, confirm=True, now=NOW)

    assert verify_secret(secret, now=NOW).code is VerificationCode.NOT_FOUND


def test_secrets_outlive_a_new_pepper_as_long_as_the_old_one_is_kept(settings: LazySettings) -> None:
    settings.SECRET_PEPPERS = ["old"]
    _, secret = issue(make_customer())

    settings.SECRET_PEPPERS = ["new", "old"]
    assert verify_secret(secret, now=NOW).is_valid
    assert verify_secret(issue(make_customer())[1], now=NOW).is_valid
    settings.SECRET_PEPPERS = ["new"]
    assert verify_secret(secret, now=NOW).code is VerificationCode.NOT_FOUND


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("digest = NULL", "credential_in_use_has_a_digest"),
        ("client_id = 'mc_1'", "credential_of_a_client_has_a_client_id"),
        ("kind = 'client_credentials'", "credential_of_a_client_has_a_client_id"),
        (
            "digest = (SELECT digest FROM credentials_credential ORDER BY digest DESC LIMIT 1)",
            "credentials_credential_digest_key",
        ),
    ],
)
def test_the_database_refuses_what_no_credential_can_be(change: str, constraint: str) -> None:
    issue(make_customer())
    issue(make_customer())

    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE credentials_credential SET {change}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE credentials_credential SET digest = NULL, revoked_at = now()")
        assert cursor.rowcount == 2

"""Rotation: a new secret for the same credential, and the old one for as long as its grace lasts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from config.kernel.errors import NotFound
from credentials.errors import AgentIsSuspended, CredentialExpired, CredentialRevokedAlready, GraceOutOfRange
from credentials.events import CredentialCreated, CredentialRevoked, CredentialRotated
from credentials.models import Credential
from credentials.operations.credentials import LONGEST_GRACE, revoke_credential, rotate_credential
from credentials.queries.verification import VerificationCode, verify_secret
from customers.errors import CustomerIsInactive, CustomerIsSuspended
from customers.operations.deletion import delete_customer
from customers.operations.status import deactivate_customer
from customers.operations.subscriptions import terminate_subscription
from customers.operations.suspension import suspend_agent, suspend_customer
from tests.credentials.keys import issue, rotate, subscribe
from tests.events import heard
from tests.factories import NOW, make_agent, make_customer, make_subscriber, make_team

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
AT_ONCE = timedelta(0)


def code_of(secret: str, *, now: Any = NOW) -> VerificationCode:
    """Return what verification says of the secret."""
    return verify_secret(secret, now=now).code


def bound_key() -> tuple[Credential, str]:
    """Return a key with everything that a rotation keeps, and its secret."""
    customer = make_customer()
    agent, subscriber = make_agent(team=make_team(customer=customer)), make_subscriber(customer=customer)
    fields = {"name": "Server", "scopes": ["read"], "tags": ["eu"], "expires_at": NOW + 9 * HOUR}
    return issue(customer, agent=agent.id, subscriber=subscriber.id, **fields)


def test_a_rotated_credential_is_the_same_with_another_secret() -> None:
    key, old = bound_key()

    with heard(CredentialRotated) as rotations, heard(CredentialCreated) as created:
        rotated, shown = rotate(key, grace=HOUR)

    kept = [field.attname for field in Credential._meta.fields]
    changed = {name for name in kept if getattr(rotated, name) != getattr(key, name)}
    assert changed <= {"digest", "last_four", "previous_digest", "previous_until", "updated_at"}
    assert set(shown) == {"key"}
    assert shown["key"].startswith("sk-cust-")
    assert shown["key"] != old
    assert rotated.last_four == shown["key"][-4:]
    assert Credential.objects.count() == 1
    assert rotations == [
        CredentialRotated(credential_id=key.id, customer_id=key.customer_id, previous_until=NOW + HOUR)
    ]
    assert created == []


def test_the_old_secret_works_until_its_grace_is_over_exclusive() -> None:
    key, old = bound_key()

    _, shown = rotate(key, grace=HOUR)

    for secret in (old, shown["key"]):
        found = verify_secret(secret, now=NOW + HOUR - INSTANT)
        assert (found.code, found.credential) == (VerificationCode.VALID, key)
    over = verify_secret(old, now=NOW + HOUR)
    assert (over.code, over.credential) == (VerificationCode.REVOKED, key)
    assert code_of(shown["key"], now=NOW + HOUR) is VerificationCode.VALID


def test_without_grace_the_old_secret_is_worth_nothing_at_once() -> None:
    key, old = issue()

    _, shown = rotate(key, grace=AT_ONCE)

    assert code_of(old) is VerificationCode.REVOKED
    assert code_of(shown["key"]) is VerificationCode.VALID


def test_a_second_rotation_forgets_the_secret_before_the_last() -> None:
    key, first = issue()

    second = rotate(key, grace=HOUR)[1]["key"]
    third = rotate(key, grace=HOUR)[1]["key"]

    assert [code_of(secret) for secret in (first, second, third)] == [
        VerificationCode.NOT_FOUND, VerificationCode.VALID, VerificationCode.VALID
    ]  # fmt: skip


def test_a_client_keeps_its_public_id_and_gets_a_new_secret() -> None:
    subscription, shown = subscribe("MCP_SERVER")

    rotated, again = rotate(subscription.credentials.get(), grace=HOUR)

    assert set(again) == {"client_id", "client_secret"}
    assert again["client_id"] == shown["client_id"] == rotated.client_id
    assert again["client_secret"].startswith("mcs_")
    assert {code_of(one["client_secret"]) for one in (shown, again)} == {VerificationCode.VALID}


def test_a_key_of_a_subscription_keeps_its_kind() -> None:
    subscription, _ = subscribe()

    _, shown = rotate(subscription.credentials.get(), grace=AT_ONCE)

    assert shown["key"].startswith("sk_live_")
    terminate_subscription(subscription.id, now=NOW)
    assert code_of(shown["key"]) is VerificationCode.REVOKED


@pytest.mark.parametrize("grace", [-INSTANT, LONGEST_GRACE + INSTANT])
def test_a_grace_lasts_a_week_at_most(grace: timedelta) -> None:
    key, old = issue()

    with pytest.raises(GraceOutOfRange) as refusal:
        rotate(key, grace=grace)
    assert refusal.value.details == {"longest_s": 604_800}
    assert code_of(old) is VerificationCode.VALID
    assert rotate(key, grace=LONGEST_GRACE)[0].previous_until == NOW + LONGEST_GRACE


@pytest.mark.parametrize(
    ("prevent", "refusal"),
    [
        (lambda key: revoke_credential(key.id, now=NOW), CredentialRevokedAlready),
        (lambda key: Credential.objects.filter(pk=key.pk).update(expires_at=NOW), CredentialExpired),
        (lambda key: suspend_customer(key.customer_id, now=NOW), CustomerIsSuspended),
        (lambda key: deactivate_customer(key.customer_id, now=NOW), CustomerIsInactive),
        (lambda key: suspend_agent(key.agent_id, now=NOW), AgentIsSuspended),
        (lambda key: delete_customer(key.customer_id, confirm=True, now=NOW), NotFound),
    ],
)
def test_what_lets_nobody_in_is_not_rotated(prevent: Callable[[Credential], object], refusal: type[Exception]) -> None:
    key, _ = bound_key()
    prevent(key)
    before = Credential.objects.values().get()

    with pytest.raises(refusal):
        rotate(key, grace=HOUR)
    assert Credential.objects.values().get() == before


def test_a_key_is_rotated_until_it_expires_exclusive() -> None:
    key, _ = issue(expires_at=NOW + HOUR)

    assert rotate(key, grace=HOUR, now=NOW + HOUR - INSTANT)[0].expires_at == NOW + HOUR
    with pytest.raises(CredentialExpired):
        rotate(key, grace=HOUR, now=NOW + HOUR)


def test_the_grace_ends_with_the_expiry_of_the_credential() -> None:
    key, old = issue(expires_at=NOW + HOUR)

    rotate(key, grace=3 * HOUR)

    assert code_of(old, now=NOW + HOUR - INSTANT) is VerificationCode.VALID
    assert code_of(old, now=NOW + HOUR) is VerificationCode.EXPIRED


def test_revocation_ends_both_secrets_and_forgets_the_old_one() -> None:
    key, old = issue()
    _, shown = rotate(key, grace=HOUR)

    with heard(CredentialRevoked) as revoked:
        revoke_credential(key.id, now=NOW)

    assert len(revoked) == 1
    assert (code_of(shown["key"]), code_of(old)) == (VerificationCode.REVOKED, VerificationCode.NOT_FOUND)
    assert Credential.objects.filter(previous_digest=None, previous_until=None, digest__isnull=False).exists()


def test_a_deleted_customers_keys_are_wiped_with_the_secrets_before_them() -> None:
    key, old = issue()
    _, shown = rotate(key, grace=HOUR)

    delete_customer(key.customer_id, confirm=True, now=NOW)

    assert {code_of(old), code_of(shown["key"])} == {VerificationCode.NOT_FOUND}
    assert Credential.objects.values_list("digest", "previous_digest").get() == (None, None)


def test_no_secret_stands_in_the_history_of_a_rotation() -> None:
    key, old = issue()
    _, shown = rotate(key, grace=HOUR)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(one)::text FROM credentials_historicalcredential one")
        rows = " ".join(row for [row] in cursor.fetchall())
    assert "digest" not in rows
    assert not {old, shown["key"]} & set(rows.split('"'))
    assert [row.previous_until for row in key.history.order_by("history_id")] == [None, NOW + HOUR]


def test_the_books_are_right_after_rotations_revocations_and_wiping() -> None:
    keys = [rotate(issue()[0], grace=HOUR)[0] for _ in range(3)]
    revoke_credential(keys[0].id, now=NOW)
    delete_customer(keys[1].customer_id, confirm=True, now=NOW)

    call_command("verify_books")

    assert [Credential.objects.get(pk=key.pk).revoked_at for key in keys] == [NOW, NOW, None]


def test_a_verification_asks_the_database_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _, shown = subscribe()
    key, _ = bound_key()
    _, again = rotate(key, grace=HOUR)

    for secret in (shown["key"], again["key"]):
        with django_assert_num_queries(1):
            assert verify_secret(secret, scope="read", now=NOW).is_valid


def test_both_secrets_are_looked_up_by_their_index() -> None:
    customer = make_customer()
    for _ in range(3):
        rotate(issue(customer)[0], grace=HOUR)
    with connection.cursor() as cursor:
        # So few rows would be read one after the other; the question is whether the indexes can serve at all.
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = Credential.objects.with_secret([b"0" * 32, b"1" * 32]).explain()

    assert "BitmapOr" in plan
    assert "digest" in plan
    assert "previous_digest" in plan
    assert "Seq Scan on credentials_credential" not in plan


def test_the_database_keeps_no_old_secret_without_an_end() -> None:
    key, _ = rotate(issue()[0], grace=HOUR)

    with pytest.raises(IntegrityError, match="credential_previous_secret_has_an_end"), transaction.atomic():
        Credential.objects.filter(pk=key.pk).update(previous_until=None)
    assert Credential.objects.filter(pk=key.pk).update(previous_until=None, previous_digest=None) == 1


def test_an_unknown_credential_is_not_rotated() -> None:
    with pytest.raises(NotFound):
        rotate_credential("key_01h455vb4pex5vsknk084sn02q", grace=HOUR, now=NOW)

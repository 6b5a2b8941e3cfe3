"""Credentials: issue, rotate and revoke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from config.kernel.events import publish
from config.kernel.secrets import IssuedSecret, hand_over
from credentials.errors import (
    AgentIsSuspended,
    CredentialExpired,
    CredentialRevokedAlready,
    ExpiresInThePast,
    GraceOutOfRange,
)
from credentials.events import CredentialCreated, CredentialRevoked, CredentialRotated
from credentials.models import Credential, CredentialKind
from credentials.operations.gateway_keys import follow_access, send_secret
from credentials.secrets import SecretPrefix, new_secret, random_id
from customers.errors import CustomerIsInactive, CustomerIsSuspended, SubscriptionEnded
from customers.models import Agent, Customer, CustomerStatus, Subscriber, Subscription, SubscriptionStatus
from customers.operations.customers import lock_customer

#: Scopes are the words of the customer's own product; a key issued without asking for any has them all.
FULL_SCOPES = ("*",)

#: How long the secret before a rotation can go on working.
LONGEST_GRACE = timedelta(days=7)


@transaction.atomic
def issue_customer_key(
    customer_id: str,
    *,
    name: str,
    scopes: Sequence[str],
    tags: Sequence[str] = (),
    expires_at: datetime | None = None,
    subscription: str | None = None,
    agent: str | None = None,
    subscriber: str | None = None,
    now: datetime,
) -> Credential:
    """
    Issue a key of the customer; the secret goes to ``issued_secrets``.

    It is bound to the customer as a whole, or more closely to its ``subscription``, ``agent`` and ``subscriber`` (ids).

    Raises:
        NotFound: one of the ids is none of the customer's.
        CustomerIsSuspended, CustomerIsInactive, AgentIsSuspended, SubscriptionEnded: there are no new keys for it.
        ExpiresInThePast: ``expires_at`` is not after ``now``.
    """
    customer = lock_customer(customer_id)
    _refuse_closed(customer, now)
    if expires_at is not None and expires_at <= now:
        raise ExpiresInThePast
    bound: dict[str, Any] = _bound(customer, agent=agent, subscriber=subscriber, now=now)
    if subscription is not None:
        own = Subscription.objects.filter(customer=customer)
        bound["subscription"] = _running(own.lock(subscription, param="subscription"), now)
    credential = Credential(
        customer=customer, name=name, scopes=list(scopes), tags=list(tags), expires_at=expires_at, **bound
    )
    return _issue(credential, SecretPrefix.CUSTOMER_KEY, now=now)


@transaction.atomic
def issue_subscription_credential(
    subscription_id: str,
    *,
    tags: Sequence[str] = (),
    agent: str | None = None,
    subscriber: str | None = None,
    now: datetime,
) -> Credential:
    """
    Issue the credential that fits the product of a subscription; the secret goes to ``issued_secrets``.

    Raises:
        NotFound: no such subscription, or ``agent`` or ``subscriber`` is none of its customer's.
        CustomerIsSuspended, CustomerIsInactive, AgentIsSuspended, SubscriptionEnded: there are no new ones for it.
    """
    # Whose it is never changes; the locks are taken in the order of every other operation, the customer's first.
    customer = lock_customer(Subscription.objects.find(subscription_id).customer_id)
    subscription = _running(Subscription.objects.select_related("plan__product").lock(subscription_id), now)
    _refuse_closed(customer, now)
    credential = Credential(
        customer=customer,
        subscription=subscription,
        name=subscription.name,
        scopes=list(FULL_SCOPES),
        tags=list(tags),
        **_bound(customer, agent=agent, subscriber=subscriber, now=now),
    )
    if subscription.plan.product.takes_clients:
        credential.kind = CredentialKind.CLIENT_CREDENTIALS
        credential.client_id = random_id(SecretPrefix.CLIENT_ID)
        return _issue(credential, SecretPrefix.CLIENT_SECRET, now=now)
    return _issue(credential, SecretPrefix.SUBSCRIPTION_KEY, now=now)


@transaction.atomic
def rotate_credential(credential_id: str, *, grace: timedelta, now: datetime) -> Credential:
    """
    Give the credential a new secret, which goes to ``issued_secrets``; everything else of it stays.

    The old secret works until ``now`` + ``grace``, at most :data:`LONGEST_GRACE`; one that was in its grace already
    works no more.

    Raises:
        GraceOutOfRange: ``grace`` is negative or too long.
        CredentialRevokedAlready, CredentialExpired: it lets nobody in, whatever its secret.
        CustomerIsSuspended, CustomerIsInactive, AgentIsSuspended: no new secrets while access is off.
    """
    if not timedelta(0) <= grace <= LONGEST_GRACE:
        raise GraceOutOfRange(longest_s=int(LONGEST_GRACE.total_seconds()))
    # Whose it is never changes; the locks are taken in the order of every other operation, the customer's first.
    found = Credential.objects.live().find(credential_id)
    customer = lock_customer(found.customer_id)
    agent = None if found.agent_id is None else Agent.objects.lock(found.agent_id)
    credential = Credential.objects.lock(credential_id)
    if credential.revoked_at is not None:
        raise CredentialRevokedAlready
    if credential.status(now) == "expired":
        raise CredentialExpired
    _refuse_closed(customer, now)
    _refuse_suspended(agent, now)

    credential.previous_digest, credential.previous_until = credential.digest, now + grace
    clear = _draw(credential, SecretPrefix(credential.prefix))
    credential.save_changes("digest", "last_four", "previous_digest", "previous_until", now=now)
    _show(credential, clear)
    send_secret(credential, clear, now=now)
    publish(
        CredentialRotated(
            credential_id=credential.id, customer_id=credential.customer_id, previous_until=credential.previous_until
        )
    )
    return credential


@transaction.atomic
def revoke_credential(credential_id: str, *, now: datetime) -> Credential:
    """
    Make the credential let nobody in any more, from the next verification on.

    Raises:
        CredentialRevokedAlready: it is revoked.
    """
    credential = Credential.objects.lock(credential_id)
    if credential.revoked_at is not None:
        raise CredentialRevokedAlready
    return _revoke(credential, now)


def revoke_all(credentials: Sequence[Credential], *, wipe: bool, now: datetime) -> None:
    """Revoke locked credentials; ``wipe`` also forgets their digests, for customers that are gone for good."""
    for credential in credentials:
        if wipe:
            credential.digest = None
        if credential.revoked_at is None:
            _revoke(credential, now)
        elif wipe:
            credential.save_changes("digest", now=now)


def _refuse_closed(customer: Customer, now: datetime) -> None:
    """Refuse new secrets of a customer whose access is off or who is no going concern."""
    match customer.status(now):
        case CustomerStatus.SUSPENDED:
            raise CustomerIsSuspended
        case CustomerStatus.INACTIVE:
            raise CustomerIsInactive


def _refuse_suspended(agent: Agent | None, now: datetime) -> None:
    """Refuse new secrets of an agent whose access is off."""
    if agent is not None and agent.is_suspended(now):
        raise AgentIsSuspended


def _running(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription; a key of one that has ended would let nobody in."""
    status = subscription.status(now)
    if status in (SubscriptionStatus.TERMINATED, SubscriptionStatus.CANCELED):
        raise SubscriptionEnded(param="subscription", status=status)
    return subscription


def _bound(customer: Customer, *, agent: str | None, subscriber: str | None, now: datetime) -> dict[str, Any]:
    """Return the customer's own agent and subscriber with these ids, locked, by the names a credential has for them."""
    bound: dict[str, Any] = {}
    if agent is not None:
        bound["agent"] = Agent.objects.live().filter(team__customer=customer).lock(agent, param="agent")
        _refuse_suspended(bound["agent"], now)
    if subscriber is not None:
        people = Subscriber.objects.live().filter(customer=customer)
        bound["subscriber"] = people.lock(subscriber, param="subscriber")
    return bound


def _issue(credential: Credential, prefix: SecretPrefix, *, now: datetime) -> Credential:
    clear = _draw(credential, prefix)
    credential.created_at = credential.updated_at = now
    credential.save(force_insert=True)
    _show(credential, clear)
    send_secret(credential, clear, now=now)
    publish(CredentialCreated(credential_id=credential.id, customer_id=credential.customer_id))
    return credential


def _draw(credential: Credential, prefix: SecretPrefix) -> str:
    """Give ``credential`` what may be kept of a new secret, and return that in clear."""
    secret = new_secret(prefix, settings.SECRET_PEPPERS)
    credential.digest, credential.prefix, credential.last_four = secret.digest, secret.prefix, secret.last_four
    return secret.clear


def _show(credential: Credential, clear: str) -> None:
    """Hand the secret over to whoever shows it, this once."""
    is_client = credential.client_id is not None
    hand_over(
        IssuedSecret(
            owner=credential.subscription_id or credential.customer_id,
            credential=credential.id,
            kind=credential.kind,
            name=credential.name,
            prefix=credential.prefix,
            last_four=credential.last_four,
            shown_once={"client_id": str(credential.client_id), "client_secret": clear}
            if is_client
            else {"key": clear},
        )
    )


def _revoke(credential: Credential, now: datetime) -> Credential:
    credential.revoked_at = now
    credential.previous_digest = credential.previous_until = None
    credential.save_changes("revoked_at", "digest", "previous_digest", "previous_until", now=now)
    follow_access([credential], now=now)
    publish(CredentialRevoked(credential_id=credential.id, customer_id=credential.customer_id))
    return credential

"""Credentials: issue and revoke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from catalog.models import ProductType
from config.kernel.events import publish
from config.kernel.secrets import IssuedSecret, hand_over
from credentials.errors import CredentialRevokedAlready, ExpiresInThePast
from credentials.events import CredentialCreated, CredentialRevoked
from credentials.models import Credential, CredentialKind
from credentials.secrets import SecretPrefix, new_secret, random_id
from customers.errors import CustomerIsSuspended, SubscriptionEnded
from customers.models import Subscription, SubscriptionStatus
from customers.operations.customers import lock_customer

#: Scopes are the words of the customer's own product; a key issued without asking for any has them all.
FULL_SCOPES = ("*",)

#: The products that autonomous callers use: they get a client id and a secret instead of a key.
CLIENT_PRODUCTS = frozenset({ProductType.AI_AGENT, ProductType.MCP_SERVER})


@transaction.atomic
def issue_customer_key(
    customer_id: str,
    *,
    name: str,
    scopes: Sequence[str],
    tags: Sequence[str] = (),
    expires_at: datetime | None = None,
    now: datetime,
) -> Credential:
    """
    Issue a key bound to the customer as a whole; the secret goes to ``issued_secrets``.

    Raises:
        CustomerIsSuspended: no new keys while access is off.
        ExpiresInThePast: ``expires_at`` is not after ``now``.
    """
    customer = lock_customer(customer_id)
    if customer.is_suspended(now):
        raise CustomerIsSuspended
    if expires_at is not None and expires_at <= now:
        raise ExpiresInThePast
    credential = Credential(customer=customer, name=name, scopes=list(scopes), tags=list(tags), expires_at=expires_at)
    return _issue(credential, SecretPrefix.CUSTOMER_KEY, owner=customer.id, now=now)


@transaction.atomic
def issue_subscription_credential(subscription_id: str, *, now: datetime) -> Credential:
    """
    Issue the credential that fits the product of a subscription; the secret goes to ``issued_secrets``.

    Raises:
        CustomerIsSuspended: no new keys while access is off.
        SubscriptionEnded: it would let nobody in.
    """
    subscription = Subscription.objects.select_related("customer", "plan__product").lock(subscription_id)
    status = subscription.status(now)
    if status in (SubscriptionStatus.TERMINATED, SubscriptionStatus.CANCELED):
        raise SubscriptionEnded(status=status)
    if subscription.customer.is_suspended(now):
        raise CustomerIsSuspended
    credential = Credential(
        customer=subscription.customer, subscription=subscription, name=subscription.name, scopes=list(FULL_SCOPES)
    )
    if subscription.plan.product.product_type in CLIENT_PRODUCTS:
        credential.kind = CredentialKind.CLIENT_CREDENTIALS
        credential.client_id = random_id(SecretPrefix.CLIENT_ID)
        return _issue(credential, SecretPrefix.CLIENT_SECRET, owner=subscription.id, now=now)
    return _issue(credential, SecretPrefix.SUBSCRIPTION_KEY, owner=subscription.id, now=now)


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


def _issue(credential: Credential, prefix: SecretPrefix, *, owner: str, now: datetime) -> Credential:
    secret = new_secret(prefix, settings.SECRET_PEPPERS)
    credential.digest, credential.prefix, credential.last_four = secret.digest, secret.prefix, secret.last_four
    credential.created_at = credential.updated_at = now
    credential.save(force_insert=True)
    shown = (
        {"key": secret.clear}
        if credential.client_id is None
        else {"client_id": credential.client_id, "client_secret": secret.clear}
    )
    hand_over(
        IssuedSecret(
            owner=owner,
            credential=credential.id,
            kind=credential.kind,
            name=credential.name,
            prefix=credential.prefix,
            last_four=credential.last_four,
            shown_once=shown,
        )
    )
    publish(CredentialCreated(credential_id=credential.id, customer_id=credential.customer_id))
    return credential


def _revoke(credential: Credential, now: datetime) -> Credential:
    credential.revoked_at = now
    credential.save_changes("revoked_at", "digest", now=now)
    publish(CredentialRevoked(credential_id=credential.id, customer_id=credential.customer_id))
    return credential

"""Operator keys: create and revoke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from config.kernel.secrets import IssuedSecret, hand_over
from credentials.errors import ExpiresInThePast, OperatorKeyRevokedAlready, UnknownScope
from credentials.models import OperatorKey, Scope
from credentials.secrets import SecretPrefix, new_secret


@transaction.atomic
def create_operator_key(
    *, name: str, scopes: Sequence[str], expires_at: datetime | None = None, now: datetime
) -> OperatorKey:
    """
    Create a key of the REST API; the secret goes to ``issued_secrets``.

    Raises:
        UnknownScope: a scope that is none of :class:`Scope`.
        ExpiresInThePast: ``expires_at`` is not after ``now``.
    """
    unknown = next((scope for scope in scopes if scope not in Scope.values), None)
    if unknown is not None:
        raise UnknownScope(scope=unknown, valid=", ".join(Scope.values))
    if expires_at is not None and expires_at <= now:
        raise ExpiresInThePast
    secret = new_secret(SecretPrefix.OPERATOR_KEY, settings.SECRET_PEPPERS)
    key = OperatorKey(
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        digest=secret.digest,
        prefix=secret.prefix,
        last_four=secret.last_four,
        created_at=now,
        updated_at=now,
    )
    key.save(force_insert=True)
    hand_over(
        IssuedSecret(
            owner=key.id,
            credential=key.id,
            kind="operator_key",
            name=name,
            prefix=key.prefix,
            last_four=key.last_four,
            shown_once={"key": secret.clear},
        )
    )
    return key


@transaction.atomic
def revoke_operator_key(key_id: str, *, now: datetime) -> OperatorKey:
    """
    Make the key answer 401 from the next request on.

    Raises:
        OperatorKeyRevokedAlready: it is revoked.
    """
    key = OperatorKey.objects.lock(key_id)
    if key.revoked_at is not None:
        raise OperatorKeyRevokedAlready
    key.revoked_at = now
    key.save_changes("revoked_at", now=now)
    return key

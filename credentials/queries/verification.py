"""Verification: whether a secret lets its bearer in now, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from credentials.models import Credential
from credentials.secrets import digests
from customers.models import SubscriptionStatus


class VerificationCode(StrEnum):
    """The outcome of a verification."""

    VALID = "valid"
    NOT_FOUND = "not_found"
    REVOKED = "revoked"
    EXPIRED = "expired"
    CUSTOMER_SUSPENDED = "customer_suspended"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    INSUFFICIENT_SCOPE = "insufficient_scope"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome and, unless nothing was found, the credential with its customer and subscription."""

    code: VerificationCode
    credential: Credential | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the bearer may come in."""
        return self.code is VerificationCode.VALID


def verify_secret(secret: str, *, scope: str | None = None, now: datetime) -> Verification:
    """
    Look the secret up by its digest and judge it at ``now``; writes nothing.

    The comparison is the index's, over keyed digests, so its timing tells a caller nothing about any secret.
    """
    credential = (
        Credential.objects.select_related("customer", "subscription")
        .filter(digest__in=digests(secret, settings.SECRET_PEPPERS))
        .first()
    )
    if credential is None:
        return Verification(code=VerificationCode.NOT_FOUND)
    return Verification(code=_judge(credential, scope, now), credential=credential)


def _judge(credential: Credential, scope: str | None, now: datetime) -> VerificationCode:
    """Return the first reason against ``credential``, or VALID."""
    subscription = credential.subscription
    if credential.revoked_at is not None:
        return VerificationCode.REVOKED
    if credential.expires_at is not None and credential.expires_at <= now:
        return VerificationCode.EXPIRED
    if credential.customer.is_suspended(now):
        return VerificationCode.CUSTOMER_SUSPENDED
    if subscription is not None and subscription.status(now) is not SubscriptionStatus.ACTIVE:
        return VerificationCode.SUBSCRIPTION_INACTIVE
    if scope is not None and not {scope, "*"} & set(credential.scopes):
        return VerificationCode.INSUFFICIENT_SCOPE
    return VerificationCode.VALID

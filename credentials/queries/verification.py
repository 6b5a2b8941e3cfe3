"""Verification: whether a secret lets its bearer in now, and if not, why not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from credentials.models import Credential
from credentials.secrets import digests
from customers.models import SubscriptionStatus
from customers.models.agent import RATE_LIMITS
from customers.queries.successors import running_in_line


class VerificationCode(StrEnum):
    """The outcome of a verification."""

    VALID = "valid"
    NOT_FOUND = "not_found"
    REVOKED = "revoked"
    EXPIRED = "expired"
    CUSTOMER_SUSPENDED = "customer_suspended"
    AGENT_SUSPENDED = "agent_suspended"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    CAPABILITY_NOT_DECLARED = "capability_not_declared"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """
    The outcome and, unless nothing was found, the credential with its customer, subscription and agent.

    Where a change of plan has come that no worker has written down yet, the subscription is already the one that runs.
    """

    code: VerificationCode
    credential: Credential | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the bearer may come in."""
        return self.code is VerificationCode.VALID

    @property
    def limits(self) -> dict[str, int | None] | None:
        """The limits that hold for the bearer by name: the customer's, and its agent's own where it has any."""
        if self.credential is None:
            return None
        agent = self.credential.agent
        own = {} if agent is None else agent.rate_limits
        return {**asdict(self.credential.customer.limits), **{name: own.get(name) for name in RATE_LIMITS}}


def verify_secret(
    secret: str, *, scope: str | None = None, capability: str | None = None, now: datetime
) -> Verification:
    """
    Look the secret up by its digest and judge it at ``now``; writes nothing.

    The comparison is the index's, over keyed digests, so its timing tells a caller nothing about any secret.
    """
    kept = digests(secret, settings.SECRET_PEPPERS)
    credential = Credential.objects.select_related("customer", "subscription", "agent").with_secret(kept).first()
    if credential is None:
        return Verification(code=VerificationCode.NOT_FOUND)
    if credential.subscription is not None:
        credential.subscription = running_in_line(credential.subscription, now)
    if credential.was_replaced(kept, now):
        return Verification(code=VerificationCode.REVOKED, credential=credential)
    code = _shut(credential, now) or _out_of_reach(credential, scope, capability) or VerificationCode.VALID
    return Verification(code=code, credential=credential)


def _shut(credential: Credential, now: datetime) -> VerificationCode | None:
    """Return the first reason why ``credential`` lets nobody in at ``now``; None where it does."""
    subscription, agent = credential.subscription, credential.agent
    if credential.revoked_at is not None:
        return VerificationCode.REVOKED
    if credential.expires_at is not None and credential.expires_at <= now:
        return VerificationCode.EXPIRED
    if credential.customer.is_suspended(now):
        return VerificationCode.CUSTOMER_SUSPENDED
    if agent is not None and agent.is_suspended(now):
        return VerificationCode.AGENT_SUSPENDED
    if subscription is not None and subscription.status(now) is not SubscriptionStatus.ACTIVE:
        return VerificationCode.SUBSCRIPTION_INACTIVE
    return None


def _out_of_reach(credential: Credential, scope: str | None, capability: str | None) -> VerificationCode | None:
    """Return why what is asked for lies beyond ``credential``; a capability is its agent's to declare."""
    if scope is not None and not {scope, "*"} & set(credential.scopes):
        return VerificationCode.INSUFFICIENT_SCOPE
    declared = () if credential.agent is None else credential.agent.capabilities
    if capability is not None and capability not in declared:
        return VerificationCode.CAPABILITY_NOT_DECLARED
    return None

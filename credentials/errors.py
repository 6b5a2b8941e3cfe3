"""Refusals about credentials."""

from __future__ import annotations

from config.kernel.errors import DomainError, ErrorType


class CredentialRevokedAlready(DomainError):
    """A credential is revoked once."""

    code = "credential_revoked"
    type = ErrorType.CONFLICT
    sentence = "The credential is revoked already"


class OperatorKeyRevokedAlready(DomainError):
    """An operator key is revoked once."""

    code = "operator_key_revoked"
    type = ErrorType.CONFLICT
    sentence = "The operator key is revoked already"


class CredentialExpired(DomainError):
    """A credential keeps its expiry when it is rotated, so one that has expired would come back to no use."""

    code = "credential_expired"
    type = ErrorType.CONFLICT
    sentence = "The credential has expired; issue a new one instead"


class GraceOutOfRange(DomainError):
    """The secret before a rotation goes on for a week at most; ``details.longest_s`` is that in seconds."""

    code = "invalid_grace_seconds"
    type = ErrorType.VALIDATION
    sentence = "The old secret can go on for 0 to {longest_s} seconds"
    param = "grace_seconds"


class AgentIsSuspended(DomainError):
    """A suspended agent gets no new keys or secrets."""

    code = "agent_suspended"
    type = ErrorType.CONFLICT
    sentence = "The agent is suspended"
    param = "agent"


class UnknownScope(DomainError):
    """No such scope; ``details.valid`` lists those there are."""

    code = "invalid_scopes"
    type = ErrorType.VALIDATION
    sentence = "Unknown scope '{scope}'. Valid scopes are: {valid}"
    param = "scopes"


class ExpiresInThePast(DomainError):
    """A credential that has expired before it exists helps nobody."""

    code = "invalid_expires_at"
    type = ErrorType.VALIDATION
    sentence = "The expiry must be in the future"
    param = "expires_at"


class NothingToShow(DomainError):
    """What a gateway made is shown once; it made nothing for this key, or it has been shown."""

    code = "nothing_to_show"
    type = ErrorType.CONFLICT
    sentence = "There is nothing of this key left to show"


class GatewayKeyUnreadable(DomainError):
    """What is kept of a key was sealed with an encryption key that this installation has no more."""

    code = "gateway_key_unreadable"
    type = ErrorType.CONFLICT
    sentence = "What the gateway made can be read no more, because ENCRYPTION_KEYS has changed: rotate the credential"


class GatewayKeyNotRetried(DomainError):
    """A key that is as it should be, or that its gateway cannot take, is not sent again; ``details`` has its status."""

    code = "gateway_key_not_retried"
    type = ErrorType.CONFLICT
    sentence = "A key that is {status} is not sent again"

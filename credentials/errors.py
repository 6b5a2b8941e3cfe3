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

"""What the API itself refuses, before or around the domain."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import APIException

from config.kernel.errors import DomainError, ErrorType


class PayloadTooLarge(APIException):
    """The body has more bytes than the endpoint takes; answered 413."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        super().__init__(f"The body is larger than {limit} bytes")


class InvalidRequest(DomainError):
    """A request that is not well formed; the code names how, the message says where."""

    type = ErrorType.VALIDATION
    code = "invalid_request"
    sentence = "{reason}"

    def __init__(self, code: str, reason: str, *, param: str | None = None) -> None:
        # The class gives the usual code; here it is the instance's, because there is one a way to be malformed.
        self.code = code  # type: ignore[misc]
        self.reason = reason
        super().__init__(param=param)
        self.details = {}

    @property
    def message(self) -> str:
        """The reason as given: it may quote input, which is no format string."""
        return self.reason


class InvalidBody(InvalidRequest):
    """A body that is no JSON we take."""


class InsufficientScope(DomainError):
    """The operator key may not do this; ``required`` is the scope it lacks."""

    type = ErrorType.PERMISSION
    code = "insufficient_scope"
    sentence = "This key needs the scope {required}"


class VersionMismatch(DomainError):
    """``If-Match`` names another version of the object than the stored one."""

    type = ErrorType.CONFLICT
    code = "version_mismatch"
    sentence = "The object has changed since it was read; its ETag is {current}"
    param = "If-Match"


class IdempotencyKeyReused(DomainError):
    """The key was used for another request in the last 24 hours."""

    type = ErrorType.CONFLICT
    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another request"
    param = "Idempotency-Key"


class IdempotencyKeyInUse(DomainError):
    """A request with the same key is running now."""

    type = ErrorType.CONFLICT
    code = "idempotency_key_in_use"
    sentence = "A request with this Idempotency-Key is still running"
    param = "Idempotency-Key"

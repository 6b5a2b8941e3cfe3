"""What can go wrong with a gateway, sorted by what has to be done about it."""

from __future__ import annotations

from typing import ClassVar


class GatewayFailure(Exception):
    """
    A call or a job that came to nothing; ``str()`` is a sentence for operators, without secrets.

    ``status`` is the HTTP status where there was an answer, ``request_id`` what the vendor's support asks for.
    """

    code: ClassVar[str]
    #: Whether the same again may succeed later, without anybody doing anything.
    passes: ClassVar[bool] = False

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id
        #: How long the vendor asks to wait, in seconds.
        self.retry_after_s = retry_after_s


class Misconfigured(GatewayFailure):
    """The connection's settings cannot be used on this installation."""

    code = "misconfigured"


class NotAllowed(GatewayFailure):
    """The gateway does not accept the credentials, or they may not do this; it concerns the whole connection."""

    code = "not_allowed"


class ObjectMissing(GatewayFailure):
    """What the mapping is linked to does not exist at the gateway."""

    code = "object_missing"


class KeyGone(ObjectMissing):
    """A key is not at the gateway any more, and we have its secret no more: it has to be rotated."""

    code = "key_gone"


class Conflict(GatewayFailure):
    """Somebody else changed or made the same thing, and it is not ours."""

    code = "conflict"


class Refused(GatewayFailure):
    """The gateway does not take what we send."""

    code = "refused"


class Unsupported(GatewayFailure):
    """The gateway has nothing that could express this."""

    code = "unsupported"


class UnreadableAnswer(GatewayFailure):
    """What answers does not speak the gateway's language: a login page, a proxy's error, something cut off."""

    code = "unreadable_answer"


class Abandoned(GatewayFailure):
    """A job that no worker has ended."""

    code = "abandoned"


class Throttled(GatewayFailure):
    """Too many calls for now."""

    code = "throttled"
    passes = True


class Unavailable(GatewayFailure):
    """Nobody answers, or the gateway fails by itself."""

    code = "unavailable"
    passes = True


class OutcomeUnknown(Unavailable):
    """The connection was lost after something was sent that may have taken effect; a new look tells."""

    code = "outcome_unknown"

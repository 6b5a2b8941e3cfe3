"""Bearer authentication: who calls is found by the secret in the Authorization header."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

CHALLENGE = 'Bearer realm="meterdesk"'

MAX_SECRET_LENGTH = 512


class Caller(Protocol):
    """Who calls the API: an operator key. Changes are recorded under its name."""

    @property
    def id(self) -> str:
        """What rate limits and idempotency keys are counted by."""

    @property
    def name(self) -> str:
        """What the history shows."""

    @property
    def scopes(self) -> Iterable[str]:
        """What it may do: ``customers:read`` and the like, or ``*``."""


def caller_of(request: Request) -> Caller | None:
    """Return who calls; None where the view asks for no key."""
    # Django's stubs know only its own users here.
    return cast("Caller | None", request.user)


class BearerAuthentication(BaseAuthentication):
    """Authenticate ``Authorization: Bearer <secret>``; a subclass says whose secret it is."""

    @abstractmethod
    def find_caller(self, secret: str) -> Caller | None:
        """Return whose ``secret`` it is; None for an unknown, expired or revoked one."""

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        """
        Return the caller as user and auth; None without an Authorization header.

        Raises:
            AuthenticationFailed: the header is malformed, or nobody's (``invalid_api_key``).
        """
        header = request.headers.get("Authorization", "")
        if not header.strip():
            return None
        scheme, _, secret = header.strip().partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not is_token(secret) or (caller := self.find_caller(secret)) is None:
            raise AuthenticationFailed("The API key is malformed, unknown, expired or revoked", code="invalid_api_key")
        return caller, caller

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


def is_token(text: str) -> bool:
    """Tell whether ``text`` can be a secret of ours: visible ASCII without spaces, of a sane length."""
    return 0 < len(text) <= MAX_SECRET_LENGTH and all("!" <= character <= "~" for character in text)

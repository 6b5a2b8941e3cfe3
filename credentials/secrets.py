"""Secrets: 128 random bits behind a telling prefix, kept only as HMAC-SHA-256 with a server key."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class SecretPrefix(StrEnum):
    """What a secret is for, readable from its beginning."""

    CUSTOMER_KEY = "sk-cust-"
    SUBSCRIPTION_KEY = "sk_live_"
    CLIENT_ID = "mc_"
    CLIENT_SECRET = "mcs_"
    OPERATOR_KEY = "mk_live_"


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A secret just drawn: in clear, and what may be kept of it."""

    clear: str = field(repr=False)
    digest: bytes
    prefix: str
    last_four: str


def random_id(prefix: SecretPrefix) -> str:
    """Return ``prefix`` and 32 random hex digits."""
    return f"{prefix}{secrets.token_hex(16)}"


def new_secret(prefix: SecretPrefix, peppers: Sequence[str]) -> NewSecret:
    """Draw a secret and digest it with the newest of ``peppers`` (newest first)."""
    clear = random_id(prefix)
    return NewSecret(clear=clear, digest=digest(clear, peppers[0]), prefix=prefix, last_four=clear[-4:])


def digest(secret: str, pepper: str) -> bytes:
    """Return the 32 bytes that are kept of ``secret``."""
    return hmac.digest(pepper.encode(), secret.encode(), "sha256")


def digests(secret: str, peppers: Sequence[str]) -> list[bytes]:
    """Return what may be kept of ``secret``, one digest for each pepper still accepted."""
    return [digest(secret, pepper) for pepper in peppers]

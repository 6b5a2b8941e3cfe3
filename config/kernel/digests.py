"""Digests of values: 128 bits that fit a ``uuid`` column, and exact JSON to digest or store."""

from __future__ import annotations

import hashlib
import uuid

import msgspec


def _encode_text(value: object) -> str:
    """Encode a subclass of ``str``, such as a TypeID, as what it is."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=_encode_text)


def exact_json(value: object) -> bytes:
    """Return ``value`` as JSON in one canonical form: keys sorted, decimals as numbers with all their digits."""
    return _encoder.encode(value)


def digest_of(*parts: object) -> uuid.UUID:
    """Return the same 128 bits for the same values, whoever asks; for look-ups, not for secrets."""
    return uuid.UUID(bytes=hashlib.blake2b(exact_json(parts), digest_size=16).digest())

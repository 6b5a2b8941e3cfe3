"""Facts about credentials; never with a secret in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from config.kernel.events import DomainEvent
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class CredentialEvent(DomainEvent):
    """Something about one credential."""

    credential_id: TypeID
    customer_id: TypeID


@dataclass(frozen=True, kw_only=True)
class CredentialCreated(CredentialEvent):
    """A credential was issued."""

    name: ClassVar[str] = "credential.created"


@dataclass(frozen=True, kw_only=True)
class CredentialRotated(CredentialEvent):
    """A credential got a new secret; the one before it works until ``previous_until``."""

    name: ClassVar[str] = "credential.rotated"

    previous_until: datetime


@dataclass(frozen=True, kw_only=True)
class CredentialRevoked(CredentialEvent):
    """A credential lets nobody in any more."""

    name: ClassVar[str] = "credential.revoked"


@dataclass(frozen=True, kw_only=True)
class GatewayKeysWaiting(DomainEvent):
    """Keys wait to be placed, suspended or removed at a gateway."""

    name: ClassVar[str] = "gateway.keys_waiting"

    gateway_id: TypeID

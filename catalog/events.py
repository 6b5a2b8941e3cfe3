"""Facts of the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from config.kernel.events import DomainEvent
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class ProductStageChanged(DomainEvent):
    """A product went one step forward in its maturity life cycle."""

    name: ClassVar[str] = "product.stage_changed"

    product_id: TypeID
    previous: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class ProductRetired(DomainEvent):
    """A product came to the end of its life cycle."""

    name: ClassVar[str] = "product.retired"

    product_id: TypeID


@dataclass(frozen=True, kw_only=True)
class ProductPublished(DomainEvent):
    """A product was published: from now on the storefront shows it, in BETA and GA."""

    name: ClassVar[str] = "product.published"

    product_id: TypeID


@dataclass(frozen=True, kw_only=True)
class DocumentationRequested(DomainEvent):
    """A product's OpenAPI document waits to be fetched and checked."""

    name: ClassVar[str] = "product.documentation_requested"

    product_id: TypeID


@dataclass(frozen=True, kw_only=True)
class ProductRetiring(DomainEvent):
    """A product is about to be retired; a handler that knows of a reason against it raises its refusal."""

    name: ClassVar[str] = "product.retiring"

    product_id: TypeID


@dataclass(frozen=True, kw_only=True)
class GatewayJobRequested(DomainEvent):
    """A mapping waits to be checked or restored."""

    name: ClassVar[str] = "gateway.job_requested"

    gateway_id: TypeID


@dataclass(frozen=True, kw_only=True)
class GatewayReconnected(DomainEvent):
    """A gateway's address, settings or credentials were changed, so what failed before may succeed."""

    name: ClassVar[str] = "gateway.reconnected"

    gateway_id: TypeID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class GatewayMappingEvent(DomainEvent):
    """Something came of a mapping's job."""

    mapping_id: TypeID
    product_id: TypeID
    gateway_id: TypeID


@dataclass(frozen=True, kw_only=True)
class GatewayMappingUnlinked(GatewayMappingEvent):
    """A mapping is about to be deleted; what belongs to it has to go before."""

    name: ClassVar[str] = "gateway.mapping_unlinked"


@dataclass(frozen=True, kw_only=True)
class GatewayDrifted(GatewayMappingEvent):
    """A gateway that had what our record says has something else now."""

    name: ClassVar[str] = "gateway.drifted"

    differences: int


@dataclass(frozen=True, kw_only=True)
class GatewayRestored(GatewayMappingEvent):
    """A gateway was given what our record says, and a new look confirmed it."""

    name: ClassVar[str] = "gateway.restored"

    at: datetime


@dataclass(frozen=True, kw_only=True)
class GatewayFailed(GatewayMappingEvent):
    """A gateway cannot be reached or refuses; ``code`` and ``reason`` say why."""

    name: ClassVar[str] = "gateway.failed"

    code: str
    reason: str

"""Facts of the catalog."""

from __future__ import annotations

from dataclasses import dataclass
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

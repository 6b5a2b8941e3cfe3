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
class ProductRetiring(DomainEvent):
    """A product is about to be retired; a handler that knows of a reason against it raises its refusal."""

    name: ClassVar[str] = "product.retiring"

    product_id: TypeID

"""Facts about customers and their subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from config.kernel.events import DomainEvent
from config.kernel.ids import TypeID


@dataclass(frozen=True, kw_only=True)
class CustomerEvent(DomainEvent):
    """Something about one customer."""

    customer_id: TypeID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerCreated(CustomerEvent):
    """A customer was created; ``wants_key`` asks for a first customer key."""

    name: ClassVar[str] = "customer.created"

    wants_key: bool = False


@dataclass(frozen=True, kw_only=True)
class CustomerFieldsChanging(CustomerEvent):
    """Fields that something may depend on are about to change; a handler that knows of a reason against it refuses."""

    name: ClassVar[str] = "customer.fields_changing"

    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustomerUpdated(CustomerEvent):
    """Fields of a customer changed."""

    name: ClassVar[str] = "customer.updated"

    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustomerTierChanged(CustomerEvent):
    """A customer moved to another tier."""

    name: ClassVar[str] = "customer.tier.changed"

    previous: str
    tier: str


@dataclass(frozen=True, kw_only=True)
class CustomerSuspended(CustomerEvent):
    """A customer's access was switched off, or the end or reason of a suspension changed."""

    name: ClassVar[str] = "customer.suspended"

    until: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class CustomerReactivated(CustomerEvent):
    """A suspension was lifted, by hand or because its end had come."""

    name: ClassVar[str] = "customer.reactivated"


@dataclass(frozen=True, kw_only=True)
class CustomerDeleted(CustomerEvent):
    """A customer was deleted."""

    name: ClassVar[str] = "customer.deleted"


@dataclass(frozen=True, kw_only=True)
class SubscriptionEvent(CustomerEvent):
    """Something about one subscription."""

    subscription_id: TypeID


@dataclass(frozen=True, kw_only=True)
class SubscriptionStarted(SubscriptionEvent):
    """A customer subscribed to a rate plan; the subscription may begin later."""

    name: ClassVar[str] = "subscription.started"

    product_type: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionTerminated(SubscriptionEvent):
    """A subscription ended."""

    name: ClassVar[str] = "subscription.terminated"


@dataclass(frozen=True, kw_only=True)
class SubscriptionCanceled(SubscriptionEvent):
    """A subscription ended before it began."""

    name: ClassVar[str] = "subscription.canceled"

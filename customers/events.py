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
class CustomerTerminating(CustomerEvent):
    """A customer is about to be deleted with all that is open; whoever keeps something open ends it now."""

    name: ClassVar[str] = "customer.terminating"


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
    """A customer subscribed to a rate plan; the subscription may begin later, and may follow ``previous_id``."""

    name: ClassVar[str] = "subscription.started"

    product_type: str
    previous_id: TypeID | None = None


@dataclass(frozen=True, kw_only=True)
class SubscriptionTerminated(SubscriptionEvent):
    """A subscription ended at ``ended_at``; after a change of plan ``successor_id`` goes on with its keys."""

    name: ClassVar[str] = "subscription.terminated"

    ended_at: datetime
    successor_id: TypeID | None = None


@dataclass(frozen=True, kw_only=True)
class SubscriptionUpdated(SubscriptionEvent):
    """Fields of a subscription changed, its planned end and its pending change of plan among them."""

    name: ClassVar[str] = "subscription.updated"

    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SubscriptionCanceled(SubscriptionEvent):
    """A subscription ended before it began."""

    name: ClassVar[str] = "subscription.canceled"


@dataclass(frozen=True, kw_only=True)
class AgentEvent(CustomerEvent):
    """Something about one application or agent of a customer."""

    agent_id: TypeID


@dataclass(frozen=True, kw_only=True)
class AgentSuspended(AgentEvent):
    """An agent's access was switched off, or the end or reason of its suspension changed."""

    name: ClassVar[str] = "agent.suspended"

    until: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class AgentReactivated(AgentEvent):
    """An agent's suspension was lifted, by hand or because its end had come."""

    name: ClassVar[str] = "agent.reactivated"


@dataclass(frozen=True, kw_only=True)
class AgentDeleted(AgentEvent):
    """An agent was deleted."""

    name: ClassVar[str] = "agent.deleted"


@dataclass(frozen=True, kw_only=True)
class SubscriberReassigned(CustomerEvent):
    """A subscriber moved to the customer ``customer_id``, out of ``previous_customer_id``."""

    name: ClassVar[str] = "subscriber.reassigned"

    subscriber_id: TypeID
    previous_customer_id: TypeID


@dataclass(frozen=True, kw_only=True)
class SubscriberDeleted(CustomerEvent):
    """A subscriber was deleted."""

    name: ClassVar[str] = "subscriber.deleted"

    subscriber_id: TypeID

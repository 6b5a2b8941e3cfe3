"""Domain events: published inside the operation's transaction, handled at once and in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.db import transaction


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """A fact of the domain in the past tense; subclasses carry ids and values, never model instances."""

    #: The name on the wire, for example ``customer.suspended``.
    name: ClassVar[str]


EventT = TypeVar("EventT", bound=DomainEvent)
Handler = Callable[[Any], None]

_handlers: dict[type[DomainEvent], list[Handler]] = defaultdict(list)


def subscribe(event_class: type[EventT], handler: Callable[[EventT], None]) -> None:
    """Call ``handler`` for every ``event_class`` published, also for its subclasses; called once at start-up."""
    if handler not in _handlers[event_class]:
        _handlers[event_class].append(handler)


def publish(event: DomainEvent) -> None:
    """
    Hand ``event`` to its handlers, those of its own class first; one that fails undoes the publisher.

    Raises:
        TransactionManagementError: called outside a transaction, where a handler's failure could undo nothing.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{type(event).__name__} was published outside a transaction")
    for event_class in type(event).__mro__:
        for handler in _handlers.get(event_class, ()):
            handler(event)


def wires() -> Iterator[tuple[str, str]]:
    """Yield (event class, dotted handler) pairs as subscribed: the table that the wiring test reads."""
    for event_class, handlers in _handlers.items():
        for handler in handlers:
            yield event_class.__name__, f"{handler.__module__}.{handler.__qualname__}"

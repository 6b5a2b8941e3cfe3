"""Listening to what the operations of a test publish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from config.kernel import events
from config.kernel.events import DomainEvent

EventT = TypeVar("EventT", bound=DomainEvent)


@contextmanager
def heard(event_class: type[EventT]) -> Iterator[list[EventT]]:
    """Collect what is published of a class of events inside the block."""
    published: list[EventT] = []
    events._handlers[event_class].append(published.append)
    try:
        yield published
    finally:
        events._handlers[event_class].pop()

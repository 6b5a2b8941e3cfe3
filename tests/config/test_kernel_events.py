"""Domain events: handled at once, in the publisher's transaction, and a handler that fails undoes the publisher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import pytest
from django.db import transaction

from config.kernel import events
from config.kernel.events import DomainEvent, publish, subscribe, wires
from customers.models import Customer
from tests.factories import make_customer


@dataclass(frozen=True, kw_only=True)
class Happened(DomainEvent):
    """Something happened."""

    name: ClassVar[str] = "test.happened"

    what: str = ""


@dataclass(frozen=True, kw_only=True)
class HappenedHere(Happened):
    """Something happened in a certain place."""

    name: ClassVar[str] = "test.happened_here"


class HandlerFailed(Exception):
    """What the failing handler of these tests raises."""


@pytest.fixture(autouse=True)
def _own_wires() -> Iterator[None]:
    """Take away, at the end, what a test has subscribed."""
    before = {event: list(handlers) for event, handlers in events._handlers.items()}
    yield
    events._handlers.clear()
    events._handlers.update(before)


@pytest.mark.django_db
def test_a_published_event_reaches_its_handlers_in_the_order_they_subscribed() -> None:
    heard: list[str] = []
    subscribe(Happened, lambda event: heard.append(f"first {event.what}"))
    subscribe(Happened, lambda event: heard.append(f"second {event.what}"))

    publish(Happened(what="now"))

    assert heard == ["first now", "second now"]


@pytest.mark.django_db
def test_handlers_of_an_event_come_before_those_of_what_it_is_a_case_of() -> None:
    heard: list[str] = []
    subscribe(DomainEvent, lambda event: heard.append(f"any: {event.name}"))
    subscribe(Happened, lambda event: heard.append(f"happened: {event.name}"))
    subscribe(HappenedHere, lambda event: heard.append(f"happened here: {event.name}"))

    publish(HappenedHere())
    assert heard == ["happened here: test.happened_here", "happened: test.happened_here", "any: test.happened_here"]

    heard.clear()
    publish(Happened())
    assert heard == ["happened: test.happened", "any: test.happened"]


@pytest.mark.django_db
def test_a_handler_that_subscribes_twice_is_called_once() -> None:
    heard: list[Happened] = []
    subscribe(Happened, heard.append)
    handler = heard.append
    subscribe(Happened, handler)

    publish(Happened())

    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_can_be_published() -> None:
    heard: list[Happened] = []
    subscribe(Happened, heard.append)

    with pytest.raises(transaction.TransactionManagementError, match="Happened was published outside a transaction"):
        publish(Happened())
    assert heard == []

    with transaction.atomic():
        publish(Happened())
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_fails_undoes_the_publisher_and_keeps_the_next_from_hearing() -> None:
    heard: list[Happened] = []

    def fail(event: Happened) -> None:
        raise HandlerFailed(event.what)

    subscribe(Happened, fail)
    subscribe(Happened, heard.append)

    with pytest.raises(HandlerFailed, match="now"):
        change_and_publish()

    assert not Customer.objects.filter(name="Nobody").exists()
    assert heard == []


@transaction.atomic
def change_and_publish() -> None:
    """Do what an operation does."""
    make_customer(name="Nobody")
    publish(Happened(what="now"))


@pytest.mark.django_db
def test_an_event_nobody_listens_to_is_no_mistake() -> None:
    publish(Happened())


def test_an_event_is_a_fact_and_cannot_change() -> None:
    event = Happened(what="now")

    with pytest.raises(FrozenInstanceError):
        event.what = "later"  # type: ignore[misc]
    assert event == Happened(what="now")


def test_the_wires_tell_who_listens_to_what() -> None:
    subscribe(Happened, listen)

    assert ("Happened", "tests.config.test_kernel_events.listen") in list(wires())


def listen(event: Happened) -> None:
    """Hear it."""

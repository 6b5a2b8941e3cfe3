"""Usage at the desk: events, what customers used and by whom, and what nobody is known by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from billing.operations.usage import receive_events
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Customer
from tests.billing.usage_wire import NOW, metered
from tests.factories import make_agent, make_subscriber, make_team

pytestmark = pytest.mark.django_db

STRANGER = "subscription sub_01h455vb4pex5vsknk084sn02q"
EVENTS = "/admin/billing/usageevent/"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def send(name: str, type: str = "image", **fields: Any) -> None:
    [outcome] = receive_events([{"transaction_id": name, "type": type, **fields}], now=NOW)
    assert outcome.error is None


def page_of(desk: Client, address: str, **parameters: str) -> str:
    answer = desk.get(address, parameters)
    assert answer.status_code == 200
    return answer.content.decode()


def usage_page(customer: Customer | str) -> str:
    pk = customer if isinstance(customer, str) else customer.pk
    return reverse("admin:billing_customerusage_change", args=[quote(pk)])


@pytest.fixture
def house() -> Customer:
    """Return a customer with three requests: two of an agent by a key, one of a subscriber."""
    customer = metered().customer
    agent = make_agent(team=make_team(customer=customer, name="Red team"), name="Robot")
    key = issue_customer_key(customer.id, name="Key seven", scopes=["*"], agent=agent.id, now=NOW)
    make_subscriber(customer=customer, email="ann@example.com")
    for name in ("1", "2"):
        send(name, credential=key.id, properties={"model": "flux"})
    send("3", customer=customer.id, subscriber="ann@example.com")
    return customer


BROKEN_DOWN = [
    ("", ["flux", "unknown"]),
    ("team", ["Red team", "unassigned"]),
    ("agent", ["Robot", "unassigned"]),
    ("subscriber", ["ann@example.com", "unassigned"]),
    ("credential", ["Key seven", "unassigned"]),
]


@pytest.mark.parametrize(("by", "labels"), BROKEN_DOWN)
def test_usage_is_shown_by_what_is_chosen(desk: Client, house: Customer, by: str, labels: list[str]) -> None:
    page = page_of(desk, usage_page(house), **({"by": by} if by else {}))

    for text in [*labels, "2026-02-21", "$0.03"]:
        assert text in page
    others = {label for name, found in BROKEN_DOWN if name != by for label in found} - set(labels)
    assert not [label for label in others - {"unassigned", "unknown"} if label in page]


@pytest.mark.parametrize("by", ["weather", "metric", ""])
def test_what_cannot_be_chosen_is_by_model(desk: Client, house: Customer, by: str) -> None:
    assert "flux" in page_of(desk, usage_page(house), by=by)


def test_the_page_of_nobodys_usage_shows_what_it_named_most(desk: Client, house: Customer) -> None:
    send("a", subscription=STRANGER.split()[1])
    send("b", subscription=STRANGER.split()[1])
    send("c", subscriber="eve@else.org")

    page = page_of(desk, usage_page(str(UNCLASSIFIED_ID)))

    assert page.index(STRANGER) < page.index("subscriber eve@else.org")
    assert reverse("admin:billing_unclassifiedusage_changelist") in page
    assert "Usage of nobody known" not in page_of(desk, usage_page(house))


def test_nobodys_usage_may_be_none(desk: Client) -> None:
    assert "Nothing came in that named nobody known." in page_of(desk, usage_page(str(UNCLASSIFIED_ID)))


def test_the_dashboard_tells_how_much_is_of_nobody_known_and_what_it_named(desk: Client, house: Customer) -> None:
    assert "requests of nobody known" in page_of(desk, reverse("admin:index"))
    for name in ("a", "b"):
        send(name, subscription=STRANGER.split()[1])
    send("c", subscriber="eve@else.org")

    page = page_of(desk, reverse("admin:index"))

    assert "Unclassified, 30 days" in page
    assert f"2 named {STRANGER}" in page
    assert f'href="{reverse("admin:billing_unclassifiedusage_changelist")}"' in page


def listed(desk: Client, **parameters: str) -> set[str]:
    """Return the transaction ids of the events on the list."""
    answer = desk.get(EVENTS, parameters)
    assert answer.status_code == 200
    return {one.transaction_id for one in answer.context["cl"].result_list}


def test_events_are_found_by_subscriber_and_by_what_they_named(desk: Client, house: Customer) -> None:
    send("a", subscription=STRANGER.split()[1])
    send("b", subscriber="eve@else.org")
    ann = house.subscribers.get()

    assert listed(desk) == {"1", "2", "3", "a", "b"}
    assert listed(desk, subscriber__id__exact=ann.pk) == {"3"}
    assert listed(desk, named=STRANGER) == {"a"}
    assert listed(desk, named="subscriber nobody@else.org") == set()
    assert listed(desk, q="3") == {"3"}
    assert listed(desk, q=" subscriber eve@else.org ") == {"b"}
    assert listed(desk, q="eve") == set()


def test_the_list_of_events_shows_who_and_what_was_named(desk: Client, house: Customer) -> None:
    send("a", subscription=STRANGER.split()[1])

    page = page_of(desk, EVENTS)

    for text in ("ann@example.com", STRANGER, f"{STRANGER} (1)"):
        assert text in page

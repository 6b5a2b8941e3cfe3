"""Usage of nobody known at the desk: found, judged, and moved to whom it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import UnclassifiedUsage, UsageReassignment
from billing.operations.billing_runs import bill_due
from billing.queries.unclassified import unclassified_usage
from customers.models import UNCLASSIFIED_ID
from tests.billing.bills import APRIL, JUNE, MARCH
from tests.billing.unclassified import LOST, by_tokens, events_of, lose
from tests.factories import make_clerk, make_customer, make_subscriber

pytestmark = pytest.mark.django_db

LIST = reverse("admin:billing_unclassifiedusage_changelist")


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with time_machine.travel(JUNE, tick=False):
        yield


def group_named(named: str) -> UnclassifiedUsage:
    return unclassified_usage().get(named=named)


def page_of(desk: Client, group: UnclassifiedUsage) -> str:
    return reverse("admin:billing_unclassifiedusage_change", args=[quote(group.pk)])


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def run(browser: Client, group: UnclassifiedUsage, **asked: str) -> Any:
    """Confirm “Reassign” on the page of one group."""
    address = reverse("admin:billing_unclassifiedusage_reassign", args=[quote(group.pk)])
    return browser.post(address, {"confirmed": "1", "reason": "They called", **asked}, follow=True)


def run_on(browser: Client, name: str, *groups: UnclassifiedUsage, **asked: str) -> Any:
    """Confirm the bulk action ``name`` on ``groups``."""
    chosen = {"action": name, "_selected_action": [str(one.pk) for one in groups], "select_across": "0"}
    return browser.post(LIST, {**chosen, "confirmed": "yes", "reason": "They called", **asked}, follow=True)


def test_the_list_shows_what_was_named_how_often_and_whose_it_probably_is(desk: Client) -> None:
    make_customer(name="Acme", associated_domains=["acme.com"])
    lose(MARCH, MARCH)
    lose(MARCH, whose={"subscriber": "bob@acme.com"}, prefix="bob")

    page = text_of(desk.get(LIST))

    assert [text in page for text in (LOST, "subscriber bob@acme.com", "Acme</a>")] == [True, True, True]
    found = text_of(desk.get(LIST, {"q": "bob@"}))
    assert ("subscriber bob@acme.com" in found, LOST in found) == (True, False)
    for column in range(1, 7):
        assert LOST in text_of(desk.get(LIST, {"o": str(column)}))


def test_a_long_list_takes_no_more_queries(desk: Client) -> None:
    lose(MARCH)
    desk.get(LIST)
    with CaptureQueriesContext(connection) as one:
        desk.get(LIST)
    for number in range(6):
        lose(MARCH, whose={"subscriber": make_subscriber().id}, prefix=str(number))

    with CaptureQueriesContext(connection) as many:
        desk.get(LIST)

    # One more, because now there are e-mail domains to look up.
    assert len(many) <= len(one) + 1


def test_the_page_of_a_group_shows_events_to_judge_by(desk: Client) -> None:
    bob = make_subscriber(email="bob@acme.com")
    lose(MARCH, whose={"subscriber": bob.id}, prefix="from-bob")
    lose(MARCH, prefix="other")

    page = text_of(desk.get(page_of(desk, group_named(f"subscriber {bob.id}"))))

    assert ("from-bob 0" in page, "other 0" in page, "bob@acme.com" in page) == (True, False, True)


def test_a_group_is_moved_with_the_reason_and_nothing_else(desk: Client) -> None:
    customer, bob = make_customer(), make_subscriber()
    lose(MARCH, MARCH)
    lose(MARCH, whose={"customer": LOST.split()[1], "subscriber": bob.id}, prefix="bob")
    group = unclassified_usage().get(named=LOST, subscriber=None)

    assert "Events: 2 moved." in text_of(run(desk, group, customer=customer.id))

    assert (events_of(customer), events_of(UNCLASSIFIED_ID)) == (2, 1)
    moved = UsageReassignment.objects.get()
    assert (moved.actor, moved.reason, moved.named, moved.moved) == ("olga", "They called", LOST, 2)
    assert LogEntry.objects.get().get_change_message() == "Reassign: They called"
    page = text_of(desk.get(reverse("admin:billing_usagereassignment_changelist")))
    assert [text in page for text in (str(customer), LOST, "olga", "They called")] == [True] * 4


def test_the_customer_that_is_suggested_stands_in_the_form(desk: Client) -> None:
    acme = make_customer(associated_domains=["acme.com"])
    lose(MARCH, whose={"subscriber": "bob@acme.com"})
    lose(MARCH, prefix="other")
    address = "admin:billing_unclassifiedusage_reassign"

    form = desk.get(reverse(address, args=[quote(group_named("subscriber bob@acme.com").pk)])).context["form"]
    assert form.initial == {"customer": acme}

    other = desk.get(reverse(address, args=[quote(group_named(LOST).pk)])).context["form"]
    assert other.initial in ({}, {"customer": None})


def test_what_is_kept_is_told(desk: Client) -> None:
    subscription = by_tokens()
    lose(MARCH, APRIL)
    lose(APRIL, prefix="bad", tokens="many")
    bill_due(now=APRIL)

    page = text_of(run(desk, group_named(LOST), customer=subscription.customer_id))

    for text in ("1 moved", "1 kept, because their period is on a finalized invoice", f"bad 0 {APRIL}"):
        assert text in page
    assert events_of(UNCLASSIFIED_ID) == 2


def test_several_groups_are_moved_at_once(desk: Client) -> None:
    customer = make_customer()
    for number in range(3):
        lose(MARCH, whose={"subscriber": f"{number}@acme.com"}, prefix=str(number))
    groups = [group_named(f"subscriber {number}@acme.com") for number in range(2)]

    run_on(desk, "reassign", *groups, customer=customer.id)

    assert (events_of(customer), events_of(UNCLASSIFIED_ID)) == (2, 1)
    assert UsageReassignment.objects.count() == LogEntry.objects.count() == 2


def test_groups_go_to_the_customers_suggested_and_the_others_stay(desk: Client) -> None:
    acme, globex = make_customer(associated_domains=["acme.com"]), make_customer(associated_domains=["globex.com"])
    for name in ("bob@acme.com", "eve@globex.com", "zoe@unknown.com"):
        lose(MARCH, whose={"subscriber": name}, prefix=name)

    page = text_of(run_on(desk, "reassign_as_suggested", *unclassified_usage()))

    assert "Nothing suggests whose usage that is" in page
    assert [events_of(one) for one in (acme, globex, UNCLASSIFIED_ID)] == [1, 1, 1]


def test_a_group_that_is_gone_moves_no_more(desk: Client) -> None:
    customer = make_customer()
    lose(MARCH)
    group = group_named(LOST)
    run(desk, group, customer=customer.id)

    run(desk, group, customer=make_customer().id)

    assert (events_of(customer), UsageReassignment.objects.count()) == (1, 1)


def test_only_a_living_customer_can_be_chosen_and_a_reason_is_asked_for(desk: Client) -> None:
    customer = make_customer()
    lose(MARCH)

    for asked in ({"customer": UNCLASSIFIED_ID}, {}, {"customer": customer.id, "reason": ""}):
        run(desk, group_named(LOST), **asked)
        assert events_of(UNCLASSIFIED_ID) == 1

    run(desk, group_named(LOST), customer=customer.id)
    assert events_of(customer) == 1


def test_whoever_may_only_look_moves_nothing(reader: Client) -> None:
    customer = make_customer()
    lose(MARCH)
    group = group_named(LOST)

    assert LOST in text_of(reader.get(LIST))
    assert run(reader, group, customer=customer.id).status_code == 403
    run_on(reader, "reassign", group, customer=customer.id)
    assert events_of(UNCLASSIFIED_ID) == 1

    clerk = Client()
    clerk.force_login(make_clerk("view_unclassifiedusage", "change_unclassifiedusage"))
    run(clerk, group, customer=customer.id)
    assert events_of(customer) == 1


def test_what_moved_is_written_down_for_good(desk: Client) -> None:
    customer = make_customer()
    lose(MARCH)
    run(desk, group_named(LOST), customer=customer.id)
    row = UsageReassignment.objects.get()

    address = reverse("admin:billing_usagereassignment_change", args=[quote(row.pk)])
    assert "They called" in text_of(desk.get(address))
    desk.post(address, {"reason": "Another"})
    assert UsageReassignment.objects.get().reason == "They called"

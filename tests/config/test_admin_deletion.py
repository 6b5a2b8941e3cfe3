"""Deletion in the admin shows what the guards say, and calls the operation on every path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpRequest
from django.test import Client

from config.kernel import guards
from config.kernel.guards import Finding, Verdict
from customers.errors import CustomerDeletionBlocked
from customers.models import Customer
from tests.config.admin_desk import desk, messages_of, url
from tests.factories import make_customer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.config.admin_desk"),
    pytest.mark.usefixtures("desk_without_navigation"),
]


@pytest.fixture
def fussy_guard() -> Iterator[None]:
    """Warn about customers called Wary and block those called Blocked."""

    def guard(customer: Customer) -> Finding | None:
        verdicts = {"Wary": Verdict.WARN, "Blocked": Verdict.BLOCK}
        if customer.name not in verdicts:
            return None
        return Finding(code="fussy", verdict=verdicts[customer.name], message="Think twice", count=3, link="/why")

    guards.register_guard(Customer, guard)
    yield
    guards._guards[Customer].remove(guard)


@pytest.mark.usefixtures("fussy_guard")
def test_the_delete_page_refuses_what_a_guard_blocks(browser: Client) -> None:
    customer = make_customer(name="Blocked")

    page = browser.get(url("delete", customer.pk))
    browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy", "confirm": "on"})

    assert b"Think twice" in page.content
    assert not page.context["page"].allowed
    assert Customer.objects.live().filter(pk=customer.pk).exists()


@pytest.mark.usefixtures("fussy_guard")
@pytest.mark.parametrize(("ticked", "left"), [({}, True), ({"confirm": "on"}, False)])
def test_the_delete_page_wants_a_warning_confirmed(browser: Client, ticked: dict[str, str], left: bool) -> None:
    customer = make_customer(name="Wary")

    browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy", **ticked})

    assert Customer.objects.live().filter(pk=customer.pk).exists() is left


def test_the_delete_page_asks_for_no_confirmation_without_a_warning(browser: Client) -> None:
    customer = make_customer(name="Acme")

    page = browser.get(url("delete", customer.pk))
    response = browser.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy"}, follow=True)

    assert list(page.context["form"].fields) == ["reason"]
    assert messages_of(response) == ["Deleted Acme."]
    assert response.redirect_chain[-1][0] == url("changelist")
    assert customer.history.latest("history_id").history_change_reason == "Tidy"


@pytest.mark.usefixtures("fussy_guard")
def test_bulk_deletion_leaves_what_is_blocked_alone(browser: Client) -> None:
    blocked, gone = make_customer(name="Blocked"), make_customer(name="Gone")
    chosen = {"action": "delete_selected", "_selected_action": [blocked.pk, gone.pk]}

    browser.post(url("changelist"), {**chosen, "index": "0"})
    assert Customer.objects.live().real().count() == 2
    answer = browser.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Tidy"}, follow=True)

    assert messages_of(answer) == ["Deleted Gone.", "Blocked: left alone."]
    assert list(Customer.objects.live().real()) == [blocked]


@pytest.mark.usefixtures("fussy_guard")
def test_djangos_own_ways_to_delete_call_the_operation() -> None:
    model_admin = desk._registry[Customer]
    request, blocked = HttpRequest(), make_customer(name="Blocked")

    with pytest.raises(CustomerDeletionBlocked):
        model_admin.delete_model(request, blocked)
    with pytest.raises(CustomerDeletionBlocked):
        model_admin.delete_queryset(request, Customer.objects.filter(pk=blocked.pk))
    assert Customer.objects.live().filter(pk=blocked.pk).exists()

"""The delete page of customers: what stands in the way with its money, and the choice between two modes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Invoice
from config.kernel.guards import deletion_report
from credentials.operations.credentials import issue_customer_key
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.subscriptions import terminate_subscription
from tests.billing.bills import MARCH, metered, use
from tests.factories import NOW, make_clerk, make_customer, make_hold, make_subscription, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

SENT = {"confirmed": "yes", "reason": "Asked for it"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_customer_{page}", args=arguments)


def clerk(*codenames: str) -> Client:
    browser = Client()
    browser.force_login(make_clerk("view_customer", *codenames))
    return browser


@pytest.fixture
def terminator() -> Client:
    """Return the browser of somebody who may delete customers in both modes."""
    return clerk("delete_customer", "terminate_customer")


@pytest.fixture
def deleter() -> Client:
    """Return the browser of somebody who may delete customers where nothing stands in the way."""
    return clerk("delete_customer")


def fields_of(page: Any) -> list[str]:
    return list(page.context["form"].fields)


def is_alive(customer: Customer) -> bool:
    return Customer.objects.live().filter(pk=customer.pk).exists()


def entangled_customer() -> Customer:
    """Return a customer with one of everything that a guard speaks of."""
    subscription = metered(amount="31")
    use(subscription, MARCH, now=NOW)
    customer = subscription.customer
    make_hold("2", wallet=make_wallet(customer=customer, balance="5"))
    make_wallet(customer=customer, balance="7", name="Euros", currency="EUR")
    make_customer(parent=customer.id)
    issue_customer_key(customer.id, name="K", scopes=["*"], now=NOW)
    ended = make_subscription(customer=customer, starts_at=MARCH)
    terminate_subscription(ended.id, now=NOW)
    return customer


def test_every_finding_is_shown_with_its_money_and_leads_to_what_it_is_about(desk: Client) -> None:
    customer = entangled_customer()

    page = desk.get(url("delete", customer.pk))

    findings = {one.code: one for one in page.context["page"].reports[0][1].findings}
    due = Invoice.objects.get().amount_due
    assert {code: one.money for code, one in findings.items()} == {
        "child_customers": "", "active_subscriptions": "", "active_api_keys": "", "open_invoices": f"${due:.2f}",
        "wallet_balance": "€7.00, $5.00", "pending_holds": "$2.00",
    }  # fmt: skip
    content = page.content.decode()
    for finding in findings.values():
        assert finding.money in content
        assert f'href="{finding.link.replace("&", "&amp;")}"' in content
        listed = desk.get(finding.link)
        assert listed.status_code == 200, finding.link
        assert len(listed.context["cl"].result_list) >= finding.count


def test_the_mode_is_offered_to_those_who_may_and_where_there_is_a_choice(terminator: Client, deleter: Client) -> None:
    subscribed, plain = make_subscription().customer, make_customer()

    assert fields_of(terminator.get(url("delete", subscribed.pk))) == ["mode", "confirm", "reason"]
    assert fields_of(terminator.get(url("delete", plain.pk))) == ["reason"]
    page = deleter.get(url("delete", subscribed.pk))
    assert "mode" not in fields_of(page)
    assert not page.context["page"].allowed


def test_the_page_says_what_termination_does(terminator: Client) -> None:
    content = terminator.get(url("delete", make_subscription().customer.pk)).content.decode()

    assert "draws their final invoices" in content
    assert "Delete only by terminating" in content


def test_termination_is_confirmed_and_carries_its_reason(terminator: Client) -> None:
    customer = make_subscription().customer

    page = terminator.post(url("delete", customer.pk), {**SENT, "mode": "terminate"})
    assert list(page.context["form"].errors) == ["confirm"]
    assert is_alive(customer)

    terminator.post(url("delete", customer.pk), {**SENT, "mode": "terminate", "confirm": "on"})
    row = customer.history.latest("history_id")
    assert not is_alive(customer)
    assert row.history_change_reason == "Asked for it"
    assert Subscription.objects.get().history.latest("history_id").history_change_reason == "Asked for it"


def test_what_is_blocked_is_not_deleted_in_guarded_mode_and_the_other_mode_stays_offered(terminator: Client) -> None:
    customer = make_subscription().customer

    page = terminator.post(url("delete", customer.pk), {**SENT, "mode": "guarded", "confirm": "on"})

    assert list(page.context["form"].errors) == ["mode"]
    assert page.context["page"].allowed
    assert is_alive(customer)


def test_without_the_permission_a_mode_that_is_sent_all_the_same_does_nothing(deleter: Client) -> None:
    customer = make_subscription().customer

    deleter.post(url("delete", customer.pk), {**SENT, "mode": "terminate", "confirm": "on"})

    assert is_alive(customer)


def test_the_permission_to_terminate_is_none_to_delete() -> None:
    customer = make_subscription().customer

    answer = clerk("terminate_customer").post(
        url("delete", customer.pk), {**SENT, "mode": "terminate", "confirm": "on"}
    )

    assert answer.status_code == 403
    assert is_alive(customer)


def test_an_unknown_mode_is_refused(terminator: Client) -> None:
    customer = make_subscription().customer

    page = terminator.post(url("delete", customer.pk), {**SENT, "mode": "force", "confirm": "on"})

    assert list(page.context["form"].errors) == ["mode"]
    assert is_alive(customer)


def test_what_outlasts_termination_is_offered_in_no_mode(terminator: Client) -> None:
    parent = make_subscription().customer
    make_customer(parent=parent.id)

    page = terminator.get(url("delete", parent.pk))
    terminator.post(url("delete", parent.pk), {**SENT, "mode": "terminate", "confirm": "on"})

    assert deletion_report(parent).outlasts_termination
    assert not page.context["page"].allowed
    assert "Cannot delete" in page.content.decode()
    assert is_alive(parent)


@pytest.mark.parametrize(("mode", "gone"), [("guarded", {"Plain"}), ("terminate", {"Plain", "Subscribed"})])
def test_in_bulk_each_mode_takes_what_it_can_and_leaves_the_rest_alone(
    terminator: Client, mode: str, gone: set[str]
) -> None:
    plain, subscribed, parent = (make_customer(name=name) for name in ("Plain", "Subscribed", "Parent"))
    make_subscription(customer=subscribed)
    make_subscription(customer=parent)
    make_customer(name="Child", parent=parent.id)
    chosen = {"action": "delete_selected", "_selected_action": [plain.pk, subscribed.pk, parent.pk]}

    page = terminator.post(url("changelist"), {**chosen, "index": "0"})
    assert fields_of(page) == ["mode", "confirm", "reason"]
    answer = terminator.post(url("changelist"), {**chosen, **SENT, "mode": mode, "confirm": "on"}, follow=True)

    left_alone = {"Plain", "Subscribed", "Parent"} - gone
    said = [str(message) for message in answer.context["messages"]]
    assert {one.name for one in (plain, subscribed, parent) if not is_alive(one)} == gone
    assert set(said[1:]) == {f"{name}: left alone." for name in left_alone}


def test_in_bulk_guarded_deletion_of_what_has_nothing_needs_no_confirmation(terminator: Client) -> None:
    plain, subscribed = make_customer(), make_subscription().customer
    chosen = {"action": "delete_selected", "_selected_action": [plain.pk, subscribed.pk]}

    terminator.post(url("changelist"), {**chosen, **SENT, "mode": "guarded"})

    assert (is_alive(plain), is_alive(subscribed)) == (False, True)


def test_the_bucket_is_never_offered_for_deletion_also_among_others(desk: Client) -> None:
    bucket, customer = Customer.objects.get(pk=UNCLASSIFIED_ID), make_customer()
    asked = {"action": "delete_selected", "_selected_action": [bucket.pk, customer.pk]}

    page = desk.post(url("changelist"), asked).content.decode()
    assert "Cannot delete UNCLASSIFIED" in " ".join(page.split())
    assert f"Delete {customer.name}" in " ".join(page.split())

    desk.post(url("changelist"), {**asked, **SENT})
    assert (is_alive(bucket), is_alive(customer)) == (True, False)

"""What is done to customers at the desk: suspended, reactivated, subscribed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Customer, Subscription
from customers.operations.deletion import delete_customer
from customers.operations.suspension import suspend_customer
from tests.factories import NOW, make_clerk, make_customer, make_plan, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_customer_{page}", args=arguments)


def buttons(response: Any) -> list[str]:
    return [one["title"] for menu in response.context["actions_detail"] for one in menu["items"]]


def test_suspending_asks_for_reason_and_end_and_shows_a_banner(desk: Client) -> None:
    customer = make_customer()

    desk.get(url("suspend", customer.pk))
    customer.refresh_from_db()
    assert customer.suspended_at is None
    desk.post(url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid", "until": "2026-03-12T12:00"})

    page = desk.get(url("change", customer.pk))
    row = customer.history.latest("history_id")
    assert page.context["notice"] == (
        "Suspended since 2026-03-10 12:00 UTC, until 2026-03-12 12:00 UTC. Reason: Unpaid"
    )
    assert page.context["notice"] in page.content.decode()
    assert buttons(page) == [
        "Assign plan", "Add prepaid credits", "Issue key", "Suspend", "Reactivate", "Deactivate", "Delete"
    ]  # fmt: skip
    assert (row.history_actor, row.history_change_reason, row.suspension_reason) == ("olga", "Unpaid", "Unpaid")


def test_a_suspension_that_ends_in_the_past_is_refused_beside_its_field(desk: Client) -> None:
    customer = make_customer()

    response = desk.post(
        url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid", "until": "2026-03-10T11:59"}
    )

    form = response.context["form"]
    assert form.errors == {"until": ["The end of a suspension must be in the future"]}
    assert form["reason"].value() == "Unpaid"


def test_reactivating_switches_access_on(desk: Client) -> None:
    customer = suspend_customer(make_customer().pk, now=NOW)

    desk.post(url("reactivate", customer.pk), {"confirmed": "yes", "reason": "Paid"})

    customer.refresh_from_db()
    assert customer.suspended_at is None
    assert customer.history.latest("history_id").history_change_reason == "Paid"
    assert buttons(desk.get(url("change", customer.pk))) == [
        "Assign plan", "Add prepaid credits", "Issue key", "Suspend", "Deactivate", "Delete"
    ]  # fmt: skip


def test_assigning_a_plan_offers_what_fits_and_shows_the_key_once(desk: Client) -> None:
    customer, plan = make_customer(currency="EUR"), make_plan(currency="EUR", name="Pro")
    for other in ({"currency": "USD"}, {"currency": "EUR", "active": False}):
        make_plan(**other)

    page = desk.get(url("assign_plan", customer.pk))
    assert not Subscription.objects.exists()
    response = desk.post(
        url("assign_plan", customer.pk),
        {"confirmed": "yes", "plan": plan.pk, "billing_time": "anniversary", "starts_at": "2026-02-01T00:00"},
    )

    subscription = Subscription.objects.get()
    secret = response.context["issued"][0].shown_once["key"]
    assert list(page.context["form"].fields["plan"].queryset) == [plan]
    assert (subscription.customer, subscription.billing_time) == (customer, "anniversary")
    assert f"{subscription.starts_at:%Y-%m-%d}" == "2026-02-01"
    assert secret.startswith("sk_live_")
    assert secret in response.content.decode()
    for address in (url("change", customer.pk), url("history", customer.pk)):
        assert secret not in desk.get(address).content.decode()


def test_a_suspended_customer_gets_no_plan(desk: Client) -> None:
    customer, plan = make_customer(), make_plan()
    suspend_customer(customer.pk, now=NOW)

    response = desk.post(
        url("assign_plan", customer.pk),
        {"confirmed": "yes", "plan": plan.pk, "billing_time": "calendar", "name": "Main"},
    )

    form = response.context["form"]
    assert form.non_field_errors() == ["The customer is suspended"]
    assert form["name"].value() == "Main"


def test_a_reader_runs_no_action(reader: Client) -> None:
    customer = make_customer()

    for name in ("suspend", "reactivate", "deactivate", "activate", "assign_plan", "delete"):
        answer = reader.post(url(name, customer.pk), {"confirmed": "yes", "reason": "x", "confirm": "on"})
        assert answer.status_code == 403
    assert buttons(reader.get(url("change", customer.pk))) == []


def test_deletion_is_blocked_by_subscriptions_and_leads_to_them(desk: Client) -> None:
    subscription = make_subscription()
    make_subscription()
    customer = subscription.customer

    page = desk.get(url("delete", customer.pk))
    desk.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Tidy", "confirm": "on"})

    findings = page.context["page"].reports[0][1].findings
    assert [(one.code, one.verdict.name) for one in findings] == [
        ("active_subscriptions", "BLOCK"), ("active_api_keys", "WARN")
    ]  # fmt: skip
    for finding in findings:
        assert len(desk.get(finding.link).context["cl"].result_list) == 1
    assert Customer.objects.live().filter(pk=customer.pk).exists()


def test_a_deleted_customer_is_on_no_list_and_has_no_page(desk: Client) -> None:
    customer = make_customer(name="Gone")

    response = desk.post(url("delete", customer.pk), {"confirmed": "yes", "reason": "Asked for it"}, follow=True)

    customer.refresh_from_db()
    row = customer.history.latest("history_id")
    assert customer.deleted_at == NOW
    assert (row.history_actor, row.history_change_reason) == ("olga", "Asked for it")
    assert [one.pk for one in response.context["cl"].result_list] == [UNCLASSIFIED_ID]
    assert desk.get(url("change", customer.pk)).status_code == 302


def test_several_customers_are_suspended_at_once(desk: Client) -> None:
    first, second = make_customer(), delete_customer(make_customer().pk, confirm=True, now=NOW)
    chosen = {"action": "suspend", "_selected_action": [first.pk, second.pk]}

    desk.post(url("changelist"), {**chosen, "index": "0"})
    assert not Customer.objects.suspended(NOW).exists()
    desk.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Unpaid"})

    assert list(Customer.objects.suspended(NOW)) == [first]
    assert not Credential.objects.exists()


def test_an_inactive_customer_says_so_and_gets_no_plan_until_it_is_activated(desk: Client) -> None:
    customer, plan = make_customer(), make_plan()
    assign = {"confirmed": "yes", "plan": plan.pk, "billing_time": "calendar"}

    desk.post(url("deactivate", customer.pk), {"confirmed": "yes", "reason": "Dormant"})
    page = desk.get(url("change", customer.pk))
    refused = desk.post(url("assign_plan", customer.pk), assign)

    customer.refresh_from_db()
    assert customer.status(NOW) == "inactive"
    assert customer.history.latest("history_id").history_change_reason == "Dormant"
    assert page.context["notice"].startswith("Inactive since 2026-03-10 12:00 UTC")
    assert buttons(page)[-3:] == ["Suspend", "Activate", "Delete"]
    assert refused.context["form"].non_field_errors() == ["The customer is inactive"]

    desk.post(url("activate", customer.pk), {"confirmed": "yes", "reason": "Back"})
    desk.post(url("assign_plan", customer.pk), assign)

    assert Subscription.objects.filter(customer=customer).exists()
    assert desk.get(url("change", customer.pk)).context["notice"] == ""


def test_several_customers_are_deactivated_and_activated_at_once(desk: Client) -> None:
    first, second = make_customer(), make_customer()

    for action, status in (("deactivate", "inactive"), ("activate", "active")):
        chosen = {"action": action, "_selected_action": [first.pk, second.pk], "confirmed": "yes", "reason": "Season"}
        desk.post(url("changelist"), chosen)
        listed = desk.get(url("changelist"), {"status": status}).context["cl"].result_list
        assert {first, second} <= set(listed)


def test_the_bucket_for_unknown_customers_is_neither_deactivated_nor_activated(desk: Client) -> None:
    for name in ("deactivate", "activate"):
        response = desk.post(url(name, UNCLASSIFIED_ID), {"confirmed": "yes", "reason": "x"})
        assert "UNCLASSIFIED" in str(response.context["form"].non_field_errors())


def test_the_menu_ends_with_the_deletion_for_those_who_may_delete(desk: Client) -> None:
    customer = make_customer()
    clerk = Client()
    clerk.force_login(make_clerk("view_customer", "change_customer"))

    page, without = desk.get(url("change", customer.pk)), clerk.get(url("change", customer.pk))

    menu, delete = page.context["actions_detail"][0], url("delete", quote(customer.pk))
    assert (menu["title"], menu["items"][-1]["path"]) == ("Actions", delete)
    assert page.content.decode().count(f'href="{delete}') == 1
    assert buttons(without) == ["Suspend", "Deactivate"]

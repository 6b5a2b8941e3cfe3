"""Subscriptions at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.admin import change_url
from credentials.models import Credential
from customers.models import Subscription
from customers.operations.plan_changes import change_plan
from customers.operations.subscriptions import terminate_subscription
from tests.factories import NOW, make_clerk, make_customer, make_plan, make_product, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

APRIL = datetime(2026, 4, 1, tzinfo=UTC)

#: What a page with the subscription's keys below its form sends along.
KEYS = {"credentials-TOTAL_FORMS": 0, "credentials-INITIAL_FORMS": 0}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:customers_subscription_{page}", args=arguments)


def found(desk: Client, **query: Any) -> list[Subscription]:
    return list(desk.get(url("changelist"), query).context["cl"].result_list)


def test_starting_a_subscription_shows_its_client_secret_once(desk: Client) -> None:
    customer, plan = make_customer(), make_plan(product=make_product(product_type="MCP_SERVER"))

    response = desk.post(
        url("add"), {"customer": customer.pk, "plan": plan.pk, "billing_time": "calendar", "starts_at": ""}
    )

    subscription = Subscription.objects.get()
    shown = response.context["issued"][0].shown_once
    pages = [desk.get(url(name, subscription.pk)).content.decode() for name in ("change", "history")]
    assert (subscription.customer, subscription.plan, subscription.starts_at) == (customer, plan, NOW)
    assert [row.history_actor for row in subscription.history.all()] == ["olga"]
    assert shown["client_secret"] in response.content.decode()
    assert not any(shown["client_secret"] in page for page in pages)


def test_a_plan_is_assigned_with_an_end_and_a_first_day_to_bill(desk: Client) -> None:
    customer, plan = make_customer(), make_plan()
    asked = {
        "plan": plan.pk,
        "billing_time": "calendar",
        "ends_at": "2026-05-01 00:00",
        "bill_from": "2026-04-01 00:00",
    }

    desk.post(reverse("admin:customers_customer_assign_plan", args=[customer.pk]), {"confirmed": "y", **asked})

    subscription = Subscription.objects.get()
    assert (subscription.customer, subscription.bill_from) == (customer, APRIL)
    assert subscription.ends_at == APRIL + timedelta(days=30)


def test_a_plan_in_another_currency_is_refused_beside_its_field(desk: Client) -> None:
    customer, plan = make_customer(currency="EUR"), make_plan(currency="USD")

    response = desk.post(
        url("add"), {"customer": customer.pk, "plan": plan.pk, "billing_time": "calendar", "name": "Main"}
    )

    form = response.context["adminform"].form
    assert form.errors == {"plan": ["The plan is in USD, the customer in EUR"]}
    assert form["name"].value() == "Main"
    assert not Credential.objects.exists()


def test_terminating_says_what_it_does_and_revokes_the_keys(desk: Client) -> None:
    subscription = make_subscription()

    page = desk.get(url("terminate", subscription.pk)).content.decode()
    assert Subscription.objects.live().exists()
    desk.post(url("terminate", subscription.pk), {"confirmed": "yes", "reason": "Contract ended"})

    subscription.refresh_from_db()
    row = subscription.history.latest("history_id")
    assert "its keys are revoked at once and the final invoice is drawn" in page
    assert subscription.terminated_at == NOW
    assert (row.history_actor, row.history_change_reason) == ("olga", "Contract ended")
    assert Credential.objects.get().revoked_at == NOW


def test_an_ended_subscription_offers_no_termination_and_refuses_it(desk: Client) -> None:
    subscription = terminate_subscription(make_subscription().pk, now=NOW)

    page = desk.get(url("change", subscription.pk))
    answer = desk.post(url("terminate", subscription.pk), {"confirmed": "yes", "reason": "Again"})

    assert page.context["actions_detail"] == []
    assert answer.context["form"].non_field_errors() == ["The subscription is terminated"]


def test_what_was_agreed_stays_and_nothing_is_deleted(desk: Client) -> None:
    subscription = make_subscription(name="Main")
    asked = {**KEYS, "name": "Other", "external_id": "S-1", "ends_at_0": "2026-04-01", "ends_at_1": "00:00:00"}

    desk.post(
        url("change", subscription.pk), {**asked, "plan": make_plan().pk, "starts_at": "", "change_reason": "Why"}
    )

    changed = Subscription.objects.get()
    assert (changed.name, changed.external_id, changed.ends_at) == ("Other", "S-1", APRIL)
    assert (changed.plan, changed.starts_at) == (subscription.plan, NOW)
    assert changed.history.latest("history_id").history_change_reason == "Why"
    assert desk.post(url("delete", subscription.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403


def test_what_has_ended_is_shown_without_a_form(desk: Client) -> None:
    subscription = make_subscription()
    page = desk.get(url("change", subscription.pk)).content.decode()
    terminate_subscription(subscription.pk, now=NOW)

    assert 'name="name"' in page
    assert 'name="plan"' not in page
    assert desk.post(url("change", subscription.pk), {"name": "Other"}).status_code == 403
    assert 'name="name"' not in desk.get(url("change", subscription.pk)).content.decode()


def test_a_planned_end_that_cannot_be_is_refused_beside_its_field(desk: Client) -> None:
    subscription = make_subscription()

    response = desk.post(
        url("change", subscription.pk), {**KEYS, "name": "Main", "ends_at_0": "2026-03-10", "ends_at_1": "12:00:00"}
    )

    errors = response.context["adminform"].form.errors
    assert errors == {"ends_at": ["The end of a subscription must be in the future and after its start"]}


def test_a_termination_is_planned_at_the_desk(desk: Client) -> None:
    subscription = make_subscription()

    early = desk.post(url("terminate", subscription.pk), {"confirmed": "y", "reason": "R", "at": "2026-03-10 11:59"})
    desk.post(url("terminate", subscription.pk), {"confirmed": "y", "reason": "R", "at": "2026-04-01 00:00"})

    assert list(early.context["form"].errors) == ["at"]
    assert Subscription.objects.get().ends_at == APRIL
    assert "Ends on 2026-04-01 00:00 UTC." in desk.get(url("change", subscription.pk)).content.decode()


def test_a_dearer_plan_begins_at_once(desk: Client) -> None:
    subscription, dearer = make_subscription(), make_plan(amount=Decimal(200), name="Big")
    foreign = make_plan(currency="EUR")

    page = desk.get(url("change_plan", subscription.pk))
    offered = set(page.context["form"].fields["plan"].queryset)
    answer = desk.post(url("change_plan", subscription.pk), {"confirmed": "y", "plan": dearer.pk}, follow=True)

    successor = Subscription.objects.get(previous=subscription)
    assert "A cheaper plan begins when the running period ends" in page.content.decode()
    assert dearer in offered
    assert offered.isdisjoint({foreign, subscription.plan})
    assert [str(one) for one in answer.context["messages"]] == [
        "Changed to Big: this subscription goes on for the one before."
    ]
    assert answer.redirect_chain[-1][0] == change_url(successor)
    assert f"{subscription} ({subscription.plan})</a>" in desk.get(url("change", successor.pk)).content.decode()


def test_a_cheaper_plan_waits_and_the_page_says_so_until_it_is_canceled(desk: Client) -> None:
    subscription, cheaper = make_subscription(), make_plan(amount=Decimal(10), name="Small")

    desk.post(url("change_plan", subscription.pk), {"confirmed": "y", "plan": cheaper.pk})

    page = desk.get(url("change", subscription.pk)).content.decode()
    assert "Changes to Small on 2026-04-01." in page
    assert 'name="ends_at_0"' not in page
    assert "empty to bill from the start" not in page
    assert 'name="name"' in page
    assert "Small</a> on 2026-04-01" in desk.get(url("changelist")).content.decode()
    desk.post(url("cancel_change", subscription.pk), {"confirmed": "y", "reason": "They stay"})
    page = desk.get(url("change", subscription.pk)).content.decode()
    assert "Changes to Small" not in page
    assert 'name="ends_at_0"' in page
    assert (
        Subscription.objects.get(pk=subscription.pk).history.latest("history_id").history_change_reason == "They stay"
    )


def test_each_button_is_there_when_it_makes_sense(desk: Client) -> None:
    def offered(subscription: Subscription) -> list[str]:
        [menu] = desk.get(url("change", subscription.pk)).context["actions_detail"]
        names = [one["path"].rstrip("/").rpartition("/")[2] for one in menu["items"]]
        return [name for name in names if name in {"change-plan", "cancel-change", "terminate"}]

    pending, active = make_subscription(starts_at=NOW + timedelta(days=1)), make_subscription()
    changing = change_plan(make_subscription().id, plan=make_plan(amount=Decimal(10)).id, now=NOW)

    assert offered(pending) == ["terminate"]
    assert offered(active) == ["change-plan", "terminate"]
    assert offered(changing) == ["change-plan", "cancel-change", "terminate"]


def test_the_pages_take_few_queries_however_many_plans_change(
    desk: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        change_plan(make_subscription().id, plan=make_plan(amount=Decimal(10)).id, now=NOW)

    desk.get(url("changelist"))
    with django_assert_max_num_queries(12):
        assert len(found(desk)) == 8


def test_a_reader_sees_everything_and_ends_nothing() -> None:
    subscription, browser = make_subscription(), Client()
    browser.force_login(make_clerk())

    assert browser.get(url("changelist")).status_code == 200
    assert browser.get(url("change", subscription.pk)).status_code == 200
    assert browser.get(url("add")).status_code == 403
    assert browser.post(url("terminate", subscription.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403


def test_periods_are_told_in_the_customers_days(desk: Client) -> None:
    subscription = make_subscription(
        customer=make_customer(timezone="Asia/Tokyo"), starts_at=NOW - timedelta(days=60), billing_time="calendar"
    )

    for page in (url("changelist"), url("change", subscription.pk)):
        assert "2026-03-01 to 2026-03-31" in desk.get(page).content.decode()


def test_the_list_is_filtered_by_status_product_and_customer(desk: Client) -> None:
    active = make_subscription(customer=make_customer(name="Zebra"))
    pending = make_subscription(starts_at=NOW + timedelta(days=1))
    terminated = terminate_subscription(make_subscription().pk, now=NOW)
    canceled = terminate_subscription(make_subscription(starts_at=NOW + timedelta(days=1)).pk, now=NOW)

    assert found(desk, status="active") == [active]
    assert found(desk, status="pending") == [pending]
    assert found(desk, status="terminated") == [terminated]
    assert found(desk, status="canceled") == [canceled]
    assert found(desk, customer__id__exact=active.customer_id) == [active]
    assert found(desk, plan__product__id__exact=pending.plan.product_id) == [pending]
    assert found(desk, q="zebra") == [active]

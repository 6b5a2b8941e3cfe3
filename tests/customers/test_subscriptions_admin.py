"""Subscriptions at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from credentials.models import Credential
from customers.models import Subscription
from customers.operations.subscriptions import terminate_subscription
from tests.factories import NOW, make_clerk, make_customer, make_plan, make_product, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


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


def test_nothing_is_edited_or_deleted_here(desk: Client) -> None:
    subscription = make_subscription()

    assert desk.post(url("change", subscription.pk), {"name": "Other"}).status_code == 403
    assert desk.post(url("delete", subscription.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403
    assert 'name="name"' not in desk.get(url("change", subscription.pk)).content.decode()


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

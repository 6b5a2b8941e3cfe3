"""Credentials issued from the page of whom they are for, with a choice of what is the customer's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from credentials.models import Credential
from customers.models import UNCLASSIFIED_ID, Customer
from customers.operations.subscriptions import terminate_subscription
from tests.factories import (
    NOW,
    make_agent,
    make_clerk,
    make_customer,
    make_plan,
    make_product,
    make_subscriber,
    make_subscription,
    make_team,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def issuing(noun: str, record: Any) -> str:
    """Return the address at which a credential is issued from the page of a customer or subscription."""
    name = "issue_key" if noun == "customer" else "issue_credential"
    return reverse(f"admin:customers_{noun}_{name}", args=[record.pk])


def test_a_customers_page_issues_a_key_for_one_of_its_own(desk: Client) -> None:
    customer, other = make_customer(), make_customer()
    agent, subscriber = make_agent(team=make_team(customer=customer)), make_subscriber(customer=customer)
    subscription = make_subscription(customer=customer)
    stranger, strange_agent = make_subscriber(customer=other), make_agent(team=make_team(customer=other))
    asked = {
        "confirmed": "yes", "name": "Server", "scopes": "read", "tags": "eu", "agent": agent.pk,
        "subscriber": subscriber.email, "subscription": subscription.pk,
    }  # fmt: skip

    fields = desk.get(issuing("customer", customer)).context["form"].fields
    wrong = desk.post(issuing("customer", customer), {**asked, "agent": strange_agent.pk, "subscriber": stranger.email})
    response = desk.post(issuing("customer", customer), asked)

    assert list(fields["agent"].queryset) == [agent]
    assert list(fields["subscription"].queryset) == [subscription]
    assert set(wrong.context["form"].errors) == {"agent", "subscriber"}
    assert wrong.context["form"].errors["subscriber"] == ["The customer has no subscriber with this e-mail address."]
    key = Credential.objects.get(name="Server")
    assert (key.customer, key.agent, key.subscriber, key.subscription) == (customer, agent, subscriber, subscription)
    assert (key.scopes, key.tags, key.expires_at) == (["read"], ["eu"], None)
    assert response.context["issued"][0].credential == key.pk


def test_a_subscriptions_page_issues_a_credential_for_an_agent(desk: Client) -> None:
    subscription = make_subscription(plan=make_plan(product=make_product(product_type="MCP_SERVER")))
    agent = make_agent(team=make_team(customer=subscription.customer))

    response = desk.post(issuing("subscription", subscription), {"confirmed": "yes", "agent": agent.pk})

    [issued] = response.context["issued"]
    assert set(issued.shown_once) == {"client_id", "client_secret"}
    assert Credential.objects.get(pk=issued.credential).agent == agent


def test_nobody_issues_keys_who_may_not() -> None:
    customer, browser = make_customer(), Client()
    browser.force_login(make_clerk())
    asked = {"confirmed": "yes", "name": "Server", "scopes": "*"}

    assert browser.post(issuing("customer", customer), asked).status_code == 403
    browser.force_login(make_clerk("view_customer", "add_credential"))
    assert browser.post(issuing("customer", customer), asked).status_code == 200
    assert Credential.objects.get().customer == customer


def test_the_bucket_and_an_ended_subscription_offer_nothing_to_issue(desk: Client) -> None:
    subscription = make_subscription()
    terminate_subscription(subscription.id, now=NOW)

    for noun, record in (("customer", Customer.objects.get(pk=UNCLASSIFIED_ID)), ("subscription", subscription)):
        page = desk.get(reverse(f"admin:customers_{noun}_change", args=[record.pk])).content.decode()
        assert issuing(noun, record) not in page
        refused = desk.post(issuing(noun, record), {"confirmed": "yes", "name": "Server", "scopes": "*"})
        assert refused.context["form"].non_field_errors()
    running = make_subscription()
    page = desk.get(reverse("admin:customers_subscription_change", args=[running.pk])).content.decode()
    assert issuing("subscription", running) in page

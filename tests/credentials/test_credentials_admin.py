"""Credentials at the desk: issued and revoked, their secrets shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from credentials.models import Credential
from credentials.operations.credentials import issue_customer_key, revoke_credential
from credentials.queries.verification import verify_secret
from customers.operations.suspension import suspend_customer
from tests.credentials.keys import issue
from tests.factories import (
    NOW,
    make_agent,
    make_clerk,
    make_customer,
    make_subscriber,
    make_subscription,
    make_team,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


HOUR = timedelta(hours=1)


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:credentials_credential_{page}", args=arguments)


def make_key(**fields: Any) -> Credential:
    return issue_customer_key(make_customer().pk, **{"name": "Server", "scopes": ["*"], **fields}, now=NOW)


def test_a_customers_key_is_issued_and_shown_once(desk: Client) -> None:
    customer = make_customer()

    response = desk.post(
        url("add"), {"customer": customer.pk, "name": "Server", "scopes": "read, write", "tags": "eu", "expires_at": ""}
    )

    key = Credential.objects.get()
    secret = response.context["issued"][0].shown_once["key"]
    pages = [
        desk.get(address).content.decode()
        for address in (url("change", key.pk), url("history", key.pk), url("changelist"))
    ]
    assert (key.customer, key.scopes, key.tags) == (customer, ["read", "write"], ["eu"])
    assert [row.history_actor for row in key.history.all()] == ["olga"]
    assert secret in response.content.decode()
    assert key.masked in pages[0]
    assert not any(secret in page for page in pages)


def test_no_page_shows_a_digest(desk: Client) -> None:
    key = make_key()
    assert key.digest is not None

    for address in (url("changelist"), url("change", key.pk), url("history", key.pk)):
        page = desk.get(address).content.decode()
        assert "digest" not in page.lower()
        assert bytes(key.digest).hex() not in page


@pytest.mark.parametrize(
    ("suspended", "expires_at", "field", "sentence"),
    [
        (True, "", "__all__", "The customer is suspended"),
        (False, "2026-03-10T12:00", "expires_at", "The expiry must be in the future"),
    ],
)
def test_a_refused_key_keeps_what_was_typed(
    desk: Client, suspended: bool, expires_at: str, field: str, sentence: str
) -> None:
    customer = make_customer()
    if suspended:
        suspend_customer(customer.pk, now=NOW)

    response = desk.post(
        url("add"), {"customer": customer.pk, "name": "Server", "scopes": "*", "expires_at": expires_at}
    )

    form = response.context["adminform"].form
    assert form.errors == {field: [sentence]}
    assert form["name"].value() == "Server"
    assert not Credential.objects.exists()


def test_revoking_asks_first_and_keeps_the_reason(desk: Client) -> None:
    key = make_key()

    desk.get(url("revoke", key.pk))
    key.refresh_from_db()
    assert key.revoked_at is None
    desk.post(url("revoke", key.pk), {"confirmed": "yes", "reason": "Leaked"})

    key.refresh_from_db()
    row = key.history.latest("history_id")
    again = desk.post(url("revoke", key.pk), {"confirmed": "yes", "reason": "Leaked"})
    assert key.revoked_at == NOW
    assert (row.history_actor, row.history_change_reason) == ("olga", "Leaked")
    assert again.context["form"].non_field_errors() == ["The credential is revoked already"]
    assert desk.get(url("change", key.pk)).context["actions_detail"] == []


def test_a_reader_sees_keys_and_revokes_none() -> None:
    key, browser = make_key(), Client()
    browser.force_login(make_clerk())

    assert key.masked in browser.get(url("changelist")).content.decode()
    assert browser.get(url("change", key.pk)).status_code == 200
    assert browser.get(url("add")).status_code == 403
    assert browser.post(url("revoke", key.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None


def test_keys_are_neither_edited_nor_deleted(desk: Client) -> None:
    key = make_key()

    assert desk.post(url("change", key.pk), {"name": "Other"}).status_code == 403
    assert desk.post(url("delete", key.pk), {"confirmed": "yes", "reason": "x"}).status_code == 403


def test_the_list_is_filtered_by_the_status_now(desk: Client) -> None:
    active, revoked = make_key(), revoke_credential(make_key().pk, now=NOW)
    expired = make_key(expires_at=NOW + timedelta(hours=1))

    def found(**query: Any) -> list[Credential]:
        return list(desk.get(url("changelist"), query).context["cl"].result_list)

    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert found(status="active") == [active]
        assert found(status="expired") == [expired]
        assert found(status="revoked") == [revoked]
        assert found(q=active.last_four, customer__id__exact=active.customer_id) == [active]


def test_credentials_are_shown_with_their_customer_and_subscription(desk: Client) -> None:
    key = make_subscription().credentials.get()

    for name, pk in (("customer", key.customer_id), ("subscription", key.subscription_id)):
        page = desk.get(reverse(f"admin:customers_{name}_change", args=[pk])).content.decode()
        assert key.masked in page


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_subscription()
        customer = make_customer()
        agent = make_agent(team=make_team(customer=customer))
        issue(customer, agent=agent.pk, subscriber=make_subscriber(customer=customer).pk)

    with django_assert_max_num_queries(8):
        desk.get(url("changelist"))


def test_a_key_is_rotated_and_its_new_secret_shown_once(desk: Client) -> None:
    key, old = issue()

    page = desk.get(url("rotate", key.pk)).context["form"]
    response = desk.post(url("rotate", key.pk), {"confirmed": "yes", "grace": "3600", "reason": "Yearly"})

    secret = response.context["issued"][0].shown_once["key"]
    row = key.history.latest("history_id")
    addresses = (url("change", key.pk), url("history", key.pk), url("changelist"))
    pages = [desk.get(address).content.decode() for address in addresses]
    assert [int(seconds) for seconds, _ in page.fields["grace"].choices] == [0, 3600, 86_400, 604_800]
    assert "no-store" in response["Cache-Control"]
    assert (row.history_actor, row.history_change_reason, row.previous_until) == ("olga", "Yearly", NOW + HOUR)
    assert not any(one in shown for one in (old, secret) for shown in pages)
    assert [verify_secret(one, now=NOW).is_valid for one in (old, secret)] == [True, True]
    assert [verify_secret(one, now=NOW + HOUR).is_valid for one in (old, secret)] == [False, True]


def test_several_keys_are_rotated_at_once_and_each_secret_is_shown(desk: Client) -> None:
    keys = [issue()[0] for _ in range(2)]
    revoked = revoke_credential(issue()[0].pk, now=NOW)
    picked = {"action": "rotate", "_selected_action": [one.pk for one in [*keys, revoked]]}

    response = desk.post(url("changelist"), {**picked, "confirmed": "yes", "grace": "0", "reason": "Leaked"})

    shown = {one.credential: one.shown_once["key"] for one in response.context["issued"]}
    assert set(shown) == {one.pk for one in keys}
    assert all(verify_secret(secret, now=NOW).is_valid for secret in shown.values())


def test_a_refused_rotation_says_why_and_a_revoked_key_offers_none(desk: Client) -> None:
    key, _ = issue()
    asked = {"confirmed": "yes", "grace": "0", "reason": "x"}
    suspend_customer(key.customer_id, now=NOW)

    refused = desk.post(url("rotate", key.pk), asked)
    wrong = desk.post(url("rotate", key.pk), {**asked, "grace": "5"})

    key.refresh_from_db()
    assert refused.context["form"].non_field_errors() == ["The customer is suspended"]
    assert "grace" in wrong.context["form"].errors
    assert key.previous_until is None
    labels = [one["title"] for one in desk.get(url("change", key.pk)).context["actions_detail"]]
    revoke_credential(key.pk, now=NOW)
    assert labels == ["Rotate", "Revoke"]
    assert desk.get(url("change", key.pk)).context["actions_detail"] == []


def test_a_reader_rotates_none() -> None:
    key, browser = make_key(), Client()
    browser.force_login(make_clerk())

    assert browser.post(url("rotate", key.pk), {"confirmed": "yes", "grace": "0", "reason": "x"}).status_code == 403
    key.refresh_from_db()
    assert key.previous_until is None


def test_what_is_not_the_customers_is_refused_at_its_field(desk: Client) -> None:
    customer, agent = make_customer(), make_agent()
    asked = {"customer": customer.pk, "name": "Server", "scopes": "*"}

    response = desk.post(url("add"), {**asked, "agent": agent.pk})

    assert response.context["adminform"].form.errors == {"agent": [f"Agent {agent.pk} not found"]}
    own = make_agent(team=make_team(customer=customer))
    assert desk.post(url("add"), {**asked, "agent": own.pk}).context["issued"]
    assert Credential.objects.get().agent == own


def test_keys_are_shown_with_their_agent_and_subscriber_and_found_by_them(desk: Client) -> None:
    customer = make_customer()
    agent, subscriber = make_agent(team=make_team(customer=customer)), make_subscriber(customer=customer)
    (key, _), (other, _) = issue(customer, agent=agent.pk, subscriber=subscriber.pk), issue(customer)

    for name, pk in (("agent", agent.pk), ("subscriber", subscriber.pk)):
        page = desk.get(reverse(f"admin:customers_{name}_change", args=[pk])).content.decode()
        assert key.masked in page
        assert other.masked not in page
        found = desk.get(url("changelist"), {f"{name}__id__exact": pk}).context["cl"].result_list
        assert list(found) == [key]
        assert desk.get(reverse(f"admin:customers_{name}_add")).status_code == 200

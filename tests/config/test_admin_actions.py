"""The admin's actions ask first, do what they can, and need their permission."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin as stock
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from config.kernel.admin import (
    ModelAdmin,
    action,
)
from config.kernel.admin.checks import check_admin_actions, errors_of
from customers.models import Customer
from customers.operations.deletion import delete_customer
from tests.config.admin_desk import SECRET, desk, messages_of, url
from tests.factories import make_customer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.config.admin_desk"),
    pytest.mark.usefixtures("desk_without_navigation"),
]


def test_an_action_asks_before_it_acts(browser: Client) -> None:
    customer = make_customer()

    response = browser.get(url("suspend", customer.pk))

    assert response.templates[0].name == "kernel/confirmation.html"
    assert list(response.context["form"].fields) == ["until", "reason"]
    customer.refresh_from_db()
    assert customer.suspended_at is None


def test_an_action_without_its_reason_does_nothing(browser: Client) -> None:
    customer = make_customer()

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes"})

    assert response.context["form"].errors == {"reason": ["This field is required."]}
    customer.refresh_from_db()
    assert customer.suspended_at is None


def test_a_confirmed_action_runs_the_operation_and_keeps_the_reason(browser: Client) -> None:
    customer = make_customer(name="Acme")

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid"}, follow=True)

    assert messages_of(response) == ["Acme is suspended."]
    row = customer.history.latest("history_id")
    assert (row.suspended_at is not None, row.history_actor, row.history_change_reason) == (True, "olga", "Unpaid")


def test_a_refused_action_shows_the_sentence_beside_its_input(browser: Client) -> None:
    customer = make_customer()
    past = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"

    response = browser.post(url("suspend", customer.pk), {"confirmed": "yes", "reason": "Unpaid", "until": past})

    form = response.context["form"]
    assert list(form.errors) == ["until"]
    assert form["reason"].value() == "Unpaid"


def test_a_refused_action_leaves_nothing_behind(browser: Client) -> None:
    customer = make_customer(name="Whole")

    response = browser.post(url("go_half_the_way", customer.pk), {"confirmed": "yes"})

    assert len(response.context["form"].non_field_errors()) == 1
    assert SECRET.shown_once["key"].encode() not in response.content
    customer.refresh_from_db()
    assert customer.name == "Whole"


def test_an_action_on_something_unknown_says_so(browser: Client) -> None:
    response = browser.get(url("suspend", "cust_01h455vb4pex5vsknk084sn02q"), follow=True)

    assert "doesn’t exist" in messages_of(response)[0]


def test_a_bulk_action_asks_and_then_does_what_it_can(browser: Client) -> None:
    first, second = make_customer(name="First"), make_customer(name="Second")
    chosen = {"action": "suspend", "_selected_action": [first.pk, second.pk]}

    page = browser.post(url("changelist"), {**chosen, "index": "0"})
    assert not Customer.objects.suspended(timezone.now()).exists()
    delete_customer(second.pk, confirm=True, now=timezone.now())
    answer = browser.post(url("changelist"), {**chosen, "confirmed": "yes", "reason": "Unpaid"}, follow=True)

    assert {one.name for one in page.context["named"]} == {"First", "Second"}
    assert messages_of(answer) == ["First is suspended.", f"Second: Customer {second.pk} not found"]
    assert [one.name for one in Customer.objects.suspended(timezone.now())] == ["First"]


def test_a_selection_that_is_no_id_is_a_bad_request(browser: Client) -> None:
    response = browser.post(url("changelist"), {"action": "suspend", "_selected_action": ["nonsense"], "index": "0"})

    assert response.status_code == 400


def test_a_list_action_concerns_no_object(browser: Client) -> None:
    make_customer()

    response = browser.post(url("count_all"), {"confirmed": "yes"}, follow=True)

    assert messages_of(response) == ["There are 1."]


@pytest.mark.parametrize(("codenames", "status"), [((), 403), (("view_customer",), 403), (("change_customer",), 200)])
def test_an_action_needs_its_permission(client: Client, codenames: tuple[str, ...], status: int) -> None:
    customer = make_customer()
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)

    assert client.get(url("suspend", customer.pk)).status_code == status


def test_an_action_asks_the_admins_own_rule(browser: Client) -> None:
    assert browser.get(url("audit", make_customer().pk)).status_code == 403


@pytest.mark.parametrize(("tier", "shown"), [("free", True), ("startup", False)])
def test_a_button_shows_where_it_makes_sense(browser: Client, tier: str, shown: bool) -> None:
    response = browser.get(url("change", make_customer(tier=tier).pk))

    assert (b"Show a secret" in response.content) is shown


def test_a_secret_made_by_an_action_is_shown_once_and_never_cached(browser: Client) -> None:
    response = browser.post(url("show_secret", make_customer().pk), {"confirmed": "yes"})

    assert b"md_a-very-plain-secret" in response.content
    assert "no-store" in response["Cache-Control"]


def test_the_check_names_every_way_around_the_confirmation_page() -> None:
    @stock.action(description="At once")
    def at_once(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
        queryset.update(name="")

    class Hasty(ModelAdmin):
        list_display = ("pk", "name")
        list_editable = ("name",)

        def now(self, request: HttpRequest, object_id: str) -> None:
            """Act without asking."""

        @action("Lost", permissions=["nowhere_defined"])
        def lost(self, request: HttpRequest, object_id: str, cleaned: dict[str, Any]) -> None:
            """Ask for a permission nobody knows."""

    hasty = Hasty(Customer, desk)
    hasty.actions = [at_once]
    hasty.actions_row = ["now"]

    assert sorted(str(error.id) for error in errors_of(hasty)) == [
        "meterdesk.E001",
        "meterdesk.E001",
        "meterdesk.E002",
        "meterdesk.E003",
    ]
    assert check_admin_actions() == []


def test_an_action_without_permissions_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="permission"):
        action("Free for all", permissions=[])(lambda *_: None)

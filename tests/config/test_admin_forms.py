"""The admin's forms lead to operations, refusals come back as errors, history tells it all."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin as stock
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest
from django.test import Client

from config.kernel.admin import (
    ModelAdmin,
    ReadOnlyModelAdmin,
    link_to,
    money_column,
    status_badge,
)
from config.kernel.admin.columns import NOTHING
from customers.models import Customer
from tests.config.admin_desk import desk, messages_of, url
from tests.factories import make_customer, make_wallet

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.config.admin_desk"),
    pytest.mark.usefixtures("desk_without_navigation"),
]


def test_the_add_page_creates_through_the_operation_and_goes_on_with_its_result(browser: Client) -> None:
    response = browser.post(url("add"), {"name": "New", "email": "new@example.com", "_continue": "1"}, follow=True)

    customer = Customer.objects.get(name="New")
    assert response.redirect_chain[-1][0] == url("change", stock.utils.quote(customer.pk))
    assert "was added successfully" in messages_of(response)[0]
    assert [row.history_actor for row in customer.history.all()] == ["olga"]


def test_a_refusal_undoes_the_whole_change_and_keeps_what_was_typed(browser: Client) -> None:
    taken, customer = make_customer(email="taken@example.com"), make_customer(name="Before")

    response = browser.post(url("change", customer.pk), {"name": "After", "email": taken.email})

    form = response.context["adminform"].form
    assert response.status_code == 200
    assert form.errors == {"email": ["A customer with email 'taken@example.com' already exists"]}
    assert b'value="After"' in response.content
    customer.refresh_from_db()
    assert customer.name == "Before"


def test_a_constraint_that_no_operation_speaks_for_is_told_all_the_same(browser: Client) -> None:
    customer = make_customer()

    response = browser.post(url("break_rule", customer.pk), {"confirmed": "yes"})

    assert response.context["form"].non_field_errors() == [
        "This would break a rule of the database: customer suspension ends after it begins"
    ]


def test_a_change_is_written_with_who_and_why(browser: Client) -> None:
    customer = make_customer()

    browser.post(url("change", customer.pk), {"name": "Renamed", "email": customer.email, "change_reason": "Merger"})

    row = customer.history.latest("history_id")
    assert (row.name, row.history_actor, row.history_change_reason) == ("Renamed", "olga", "Merger")


def test_the_history_page_tells_who_when_what_and_why(browser: Client) -> None:
    customer = make_customer(name="Before")
    browser.post(url("change", customer.pk), {"name": "After", "email": customer.email, "change_reason": "Merger"})

    entries = browser.get(url("history", customer.pk)).context["entries"]

    changed, created = entries
    assert [(one.label, one.old, one.new) for one in changed.changes] == [("Name", "Before", "After")]
    assert (changed.kind, changed.row.history_actor, changed.row.history_change_reason) == ("Changed", "olga", "Merger")
    assert created.kind == "Created"
    assert ("Name", NOTHING, "Before") in [(one.label, one.old, one.new) for one in created.changes]


def test_a_secret_made_by_the_add_page_is_shown_once(browser: Client) -> None:
    response = browser.post(url("add"), {"name": "Secretive", "email": "secretive@example.com"})

    assert b"md_a-very-plain-secret" in response.content
    assert Customer.objects.filter(name="Secretive").exists()


def test_the_secret_of_a_refused_creation_is_not_shown(browser: Client) -> None:
    taken = make_customer()

    response = browser.post(url("add"), {"name": "Secretive", "email": taken.email})

    assert b"md_a-very-plain-secret" not in response.content
    assert "email" in response.context["adminform"].form.errors


def test_an_admin_without_hooks_offers_no_pages_for_them(operator: User) -> None:
    class Bare(ModelAdmin):
        pass

    request = HttpRequest()
    request.user = operator
    bare = Bare(Customer, desk)

    assert not bare.has_add_permission(request)
    assert not bare.has_change_permission(request)
    assert not bare.has_delete_permission(request)
    assert bare.has_view_permission(request)
    assert bare.get_actions(request) == {}


def test_facts_are_never_changed_here(operator: User) -> None:
    class Facts(ReadOnlyModelAdmin):
        def create(self, request: HttpRequest, form: Any) -> models.Model:
            return Customer()

    request = HttpRequest()
    request.user = operator
    facts = Facts(Customer, desk)

    assert not facts.has_add_permission(request)
    assert facts.has_view_permission(request)


def test_columns_print_money_badges_and_links() -> None:
    customer = make_customer(name="<b>Acme</b>", currency="EUR")
    wallet = make_wallet(customer=customer, currency="EUR", balance="1250")

    assert money_column("balance")(wallet) == "€1,250.00"
    assert money_column("balance", "customer__currency")(wallet) == "€1,250.00"
    assert "bg-blue-100" in status_badge("tier", {"free": "info"})(customer)
    assert "&lt;b&gt;Acme" in link_to(customer)
    assert link_to(None) == NOTHING

"""Prepaid credits from the customer's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing.models import LedgerEntry, Wallet
from billing.operations.wallets import terminate_wallet
from customers.models import UNCLASSIFIED_ID, Customer
from tests.billing.books import assert_books_add_up
from tests.factories import NOW, make_clerk, make_customer, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]


def url(customer: Any, page: str = "add_prepaid_credits") -> str:
    return reverse(f"admin:customers_customer_{page}", args=[getattr(customer, "pk", customer)])


def add(browser: Client, customer: Customer, **fields: Any) -> Any:
    return browser.post(url(customer), {"confirmed": "yes", "reason": "Goodwill", **fields})


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_first_credits_open_a_wallet_in_the_customers_currency(desk: Client) -> None:
    customer = make_customer(currency="EUR")

    page = desk.get(url(customer))
    assert not Wallet.objects.exists()
    add(desk, customer, wallet="", name="Launch", amount="12.50")

    wallet = Wallet.objects.get()
    entry = LedgerEntry.objects.get()
    assert "A new wallet in EUR" in page.content.decode()
    assert (wallet.customer, wallet.name, wallet.currency, wallet.balance) == (customer, "Launch", "EUR", 12.5)
    assert (entry.actor, entry.reason) == ("olga", "Goodwill")
    assert_books_add_up(wallet)


def test_the_wallet_in_the_customers_currency_is_preset_and_only_open_ones_are_offered(desk: Client) -> None:
    customer = make_customer(currency="EUR")
    foreign = make_wallet(customer=customer, currency="USD", balance="7")
    own = make_wallet(customer=customer, balance="5", name="Main")
    terminate_wallet(make_wallet(customer=customer, name="Gone").id, now=NOW)
    make_wallet()

    page = desk.get(url(customer))
    add(desk, customer, wallet=own.pk, amount="3")

    own.refresh_from_db()
    choice = page.context["form"]["wallet"]
    assert set(choice.field.queryset) == {own, foreign}
    assert choice.value() == own.pk
    assert "Main: €5.00" in page.content.decode()
    assert own.balance == 8


def test_the_wallet_of_another_customer_takes_nothing(desk: Client) -> None:
    other = make_wallet(balance="5")

    response = add(desk, make_customer(), wallet=other.pk, amount="3")

    other.refresh_from_db()
    assert "wallet" in response.context["form"].errors
    assert other.balance == 5


def test_a_second_wallet_of_the_same_name_is_refused_beside_its_name(desk: Client) -> None:
    wallet = make_wallet(name="Main")

    response = add(desk, wallet.customer, wallet="", name="Main", amount="3")

    assert list(response.context["form"].errors) == ["name"]
    assert Wallet.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "", "many"])
def test_an_amount_that_is_none_is_refused_beside_its_field(desk: Client, amount: str) -> None:
    response = add(desk, make_customer(), wallet="", amount=amount)

    assert list(response.context["form"].errors) == ["amount"]
    assert not Wallet.objects.exists()


def test_who_may_not_open_wallets_adds_to_those_there_are() -> None:
    wallet = make_wallet()
    browser = browser_of(make_clerk("view_customer", "view_wallet", "change_wallet"))

    refused = add(browser, make_customer(), wallet="", amount="3")
    add(browser, wallet.customer, wallet=wallet.pk, amount="3")

    wallet.refresh_from_db()
    assert "wallet" in refused.context["form"].errors
    assert (wallet.balance, Wallet.objects.count()) == (3, 1)


def test_who_may_not_change_wallets_adds_nothing(reader: Client) -> None:
    wallet = make_wallet()

    assert reader.get(url(wallet.customer)).status_code == 403
    assert add(reader, wallet.customer, wallet=wallet.pk, amount="3").status_code == 403
    assert not LedgerEntry.objects.exists()


def test_the_bucket_for_unknown_customers_gets_no_credits(desk: Client) -> None:
    response = desk.post(url(UNCLASSIFIED_ID), {"confirmed": "yes", "reason": "x", "wallet": "", "amount": "3"})

    assert "UNCLASSIFIED" in str(response.context["form"].non_field_errors())
    assert not Wallet.objects.exists()

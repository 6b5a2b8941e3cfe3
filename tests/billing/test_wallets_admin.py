"""Wallets and holds at the desk."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing.guards import customer_has_pending_holds, customer_has_wallet_balance
from billing.models import Hold, HoldStatus, LedgerEntry, Wallet
from config.kernel.admin import change_url
from tests.factories import NOW, make_customer, make_hold, make_operator, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

LIST = "admin:billing_wallet_changelist"


def client_of(user: User) -> Client:
    """Return a browser in which ``user`` is logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk() -> Client:
    return client_of(make_operator(username="ada"))


def action_url(obj: Wallet | Hold, name: str) -> str:
    """Return the address of an action on the page of ``obj``."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[obj.pk])


def confirm(client: Client, obj: Wallet | Hold, name: str, **form: Any) -> Any:
    """Confirm an action on ``obj``."""
    return client.post(action_url(obj, name), {"confirmed": "1", "reason": "Asked by mail", **form})


def test_the_list_shows_balance_held_and_spendable_money(desk: Client) -> None:
    hold = make_hold("4", wallet=make_wallet(balance="10", currency="EUR", name="Main"))
    other = make_wallet(name="Spare")

    page = desk.get(reverse(LIST)).content.decode()
    filtered = desk.get(reverse(LIST), {"customer__id__exact": hold.wallet.customer_id, "status": "active"})

    for text in ("Main", "€10.00", "€4.00", "€6.00", "Spare"):
        assert text in page
    assert "Main" in filtered.content.decode()
    assert change_url(other) not in filtered.content.decode()
    assert "Main" not in desk.get(reverse(LIST), {"status": "terminated"}).content.decode()


def test_a_page_shows_lots_holds_and_the_ledger_and_takes_no_edit(desk: Client) -> None:
    hold = make_hold("4", wallet=make_wallet(balance="10", currency="EUR"), reference="job-77")
    wallet = hold.wallet

    page = desk.get(change_url(wallet)).content.decode()
    desk.post(change_url(wallet), {"name": "Changed"})

    for text in ("job-77", "€6.00", "Granted by an operator", "Add credit", "Terminate"):
        assert text in page
    assert 'name="_save"' not in page
    wallet.refresh_from_db()
    assert wallet.name == ""


def test_an_operator_opens_a_wallet(desk: Client) -> None:
    customer = make_customer()
    form = {"customer": customer.pk, "currency": "EUR", "name": "Main", "priority": "7"}

    assert desk.get(reverse("admin:billing_wallet_add")).status_code == 200
    opened = desk.post(reverse("admin:billing_wallet_add"), form)
    again = desk.post(reverse("admin:billing_wallet_add"), form)

    wallet = Wallet.objects.get()
    assert opened.status_code == 302
    assert (wallet.customer, wallet.currency, wallet.name, wallet.priority) == (customer, "EUR", "Main", 7)
    assert "named &#x27;Main&#x27; already" in again.content.decode()


def test_credit_needs_an_amount_and_a_reason_and_a_confirmation(desk: Client) -> None:
    wallet = make_wallet()

    assert desk.get(action_url(wallet, "fund")).status_code == 200
    assert confirm(desk, wallet, "fund", amount="0").status_code == 200
    assert confirm(desk, wallet, "fund", amount="5", reason="").status_code == 200
    assert not LedgerEntry.objects.exists()

    assert confirm(desk, wallet, "fund", amount="5.000000000001").status_code == 302
    entry = LedgerEntry.objects.get()
    assert (entry.amount, entry.reason) == (Decimal("5.000000000001"), "Asked by mail")
    assert "ada" in entry.actor


def test_termination_is_confirmed_and_offered_once(desk: Client) -> None:
    hold = make_hold("4", balance="10")
    wallet = hold.wallet

    assert confirm(desk, wallet, "terminate").status_code == 302

    wallet.refresh_from_db()
    hold.refresh_from_db()
    assert (wallet.balance, hold.status) == (0, HoldStatus.RELEASED)
    page = desk.get(change_url(wallet)).content.decode()
    assert action_url(wallet, "terminate") not in page
    assert "The wallet is terminated" in confirm(desk, wallet, "terminate").content.decode()


def test_a_hold_is_released_on_its_page_and_in_the_list(desk: Client) -> None:
    first, second = make_hold("4"), make_hold("4")

    assert confirm(desk, first, "release").status_code == 302
    selected = {"action": "release", "_selected_action": [first.pk, second.pk]}
    desk.post(reverse("admin:billing_hold_changelist"), {**selected, "confirmed": "1", "reason": "Asked by mail"})

    assert not Hold.objects.open().exists()
    reasons = LedgerEntry.objects.filter(kind="release").values_list("reason", flat=True)
    assert list(reasons) == ["Asked by mail", "Asked by mail"]


def test_an_overdue_hold_shows_as_expired(desk: Client) -> None:
    hold = make_hold("4", expires_at=NOW + timedelta(minutes=1))

    assert "Expired" not in desk.get(change_url(hold)).content.decode()
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        assert "Expired" in desk.get(change_url(hold)).content.decode()


def test_the_links_of_the_deletion_guards_lead_to_what_they_count(desk: Client) -> None:
    customer = make_customer()
    hold, other = make_hold("4", wallet=make_wallet(customer=customer, balance="10")), make_hold("4")

    balance, holds = customer_has_wallet_balance(customer), customer_has_pending_holds(customer)

    for finding, mine, foreign in ((balance, hold.wallet, other.wallet), (holds, hold, other)):
        assert finding is not None
        page = desk.get(finding.link).content.decode()
        assert change_url(mine) in page
        assert change_url(foreign) not in page


@pytest.mark.parametrize("name", ["fund", "terminate"])
def test_who_may_only_see_wallets_moves_no_money(name: str) -> None:
    wallet = make_wallet(balance="5")
    auditor = User.objects.create_user("auditor", is_staff=True)
    auditor.user_permissions.set(Permission.objects.filter(codename__in=["view_wallet", "view_hold"]))
    client = client_of(auditor)

    assert client.get(change_url(wallet)).status_code == 200
    assert client.get(action_url(wallet, name)).status_code == 403
    assert confirm(client, wallet, name, amount="5").status_code == 403
    assert LedgerEntry.objects.count() == 1

"""Add-ons: one-time fees with taxes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from catalog.errors import AddOnDeletionBlocked, DuplicateCode
from catalog.models import AddOn, AddOnTax
from catalog.operations.add_ons import create_add_on, delete_add_on, update_add_on
from config.kernel import guards
from config.kernel.errors import Invalid, NotFound
from config.kernel.guards import Finding, Verdict, register_guard
from tests.factories import NOW, make_add_on, make_tax

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def billed(add_on: AddOn) -> Finding:
    """Block, as a higher app does whose invoices refer to the add-on."""
    return Finding(code="invoice_lines", verdict=Verdict.BLOCK, message="1 line(s) bill it", count=1)


@contextmanager
def also_guarded() -> Iterator[None]:
    """Ask :func:`billed` too as long as the block lasts."""
    register_guard(AddOn, billed)
    try:
        yield
    finally:
        guards._guards[AddOn].remove(billed)


def test_an_add_on_is_an_amount_in_a_currency_with_taxes() -> None:
    taxes = {make_tax(), make_tax()}

    add_on = create_add_on(
        code="set-up", name="Set-up", amount=Decimal("0.000000000001"), currency="EUR", description="Once",
        invoice_display_name="Einrichtung", taxes=[tax.id for tax in taxes], now=NOW,
    )  # fmt: skip

    add_on.refresh_from_db()
    assert (add_on.amount, add_on.currency, add_on.created_at) == (Decimal("0.000000000001"), "EUR", NOW)
    assert (str(add_on), add_on.invoice_display_name, add_on.description) == ("Set-up", "Einrichtung", "Once")
    assert set(add_on.taxes.all()) == taxes


def test_a_code_names_one_add_on() -> None:
    make_add_on(code="set-up")
    other = make_add_on(code="training")

    with pytest.raises(DuplicateCode):
        make_add_on(code="set-up")
    with pytest.raises(DuplicateCode):
        update_add_on(other.id, code="set-up", now=LATER)
    assert update_add_on(other.id, code="course", now=LATER).code == "course"


def test_what_stays_the_same_is_no_change() -> None:
    tax = make_tax()
    add_on = make_add_on(name="Same", taxes=[tax.id])

    assert update_add_on(add_on.id, name="Same", taxes=[tax.id], now=LATER).updated_at == NOW
    assert update_add_on(add_on.id, taxes=[], now=LATER).updated_at == LATER
    assert add_on.history.count() == 2
    assert AddOnTax.history.count() == 2


def test_its_taxes_are_taxes_there_are_each_once() -> None:
    tax = make_tax()

    with pytest.raises(Invalid):
        make_add_on(taxes=[tax.id, tax.id])
    with pytest.raises(NotFound):
        make_add_on(taxes=["tax_nonsense"])
    add_on = make_add_on(taxes=[tax.id])
    with pytest.raises(IntegrityError, match="add_on_has_a_tax_once"), transaction.atomic():
        AddOnTax.objects.create(add_on=add_on, tax=tax)


def test_the_database_takes_no_negative_amount() -> None:
    row = AddOn.objects.filter(pk=make_add_on().pk)

    with pytest.raises(IntegrityError, match="add_on_amount_is_not_negative"), transaction.atomic():
        row.update(amount=Decimal("-0.000000000001"))
    assert row.update(amount=0) == 1


def test_an_add_on_goes_with_its_taxes_unless_a_higher_app_says_why_not() -> None:
    add_on, tax = make_add_on(), make_tax()
    update_add_on(add_on.id, taxes=[tax.id], now=LATER)

    with also_guarded(), pytest.raises(AddOnDeletionBlocked) as refusal:
        delete_add_on(add_on.id)
    assert refusal.value.details["verdict"] == "BLOCK"
    assert AddOnTax.objects.count() == 1

    assert delete_add_on(add_on.id).findings == ()
    assert not AddOn.objects.exists()
    assert AddOnTax.history.filter(history_type="-").count() == 1
    with pytest.raises(NotFound) as gone:
        delete_add_on(add_on.id)
    assert gone.value.noun == "add_on"

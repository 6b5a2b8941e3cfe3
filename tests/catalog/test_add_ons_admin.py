"""Add-ons at the desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import AddOn
from tests.factories import make_add_on, make_tax

pytestmark = pytest.mark.django_db

FIELDS = {"code": "set-up", "name": "Set-up", "amount": "250.5", "currency": "EUR"}


def url(page: str, *arguments: Any) -> str:
    return reverse(f"admin:catalog_addon_{page}", args=arguments)


def test_an_add_on_is_created_changed_and_deleted_with_its_reasons_kept(desk: Client) -> None:
    first, second = make_tax(), make_tax()

    desk.post(url("add"), {**FIELDS, "taxes": [first.pk, second.pk]})
    add_on = AddOn.objects.get()
    assert (add_on.amount, add_on.currency, set(add_on.taxes.all())) == (Decimal("250.5"), "EUR", {first, second})

    form = desk.get(url("change", add_on.pk)).context["adminform"].form
    assert set(form["taxes"].value()) == {first.pk, second.pk}
    desk.post(url("change", add_on.pk), {**FIELDS, "name": "Start", "taxes": [second.pk], "change_reason": "Shorter"})
    add_on.refresh_from_db()
    assert (add_on.name, list(add_on.taxes.all())) == ("Start", [second])

    rows = AddOn.history.order_by("history_id")
    desk.post(url("delete", add_on.pk), {"confirmed": "yes", "reason": "Free now"})
    assert not AddOn.objects.exists()
    assert [(row.history_actor, row.history_change_reason) for row in rows] == [
        ("olga", ""), ("olga", "Shorter"), ("olga", "Free now")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "taken"}, "code"),
        ({"code": "Set up"}, "code"),
        ({"amount": ""}, "amount"),
        ({"currency": "Euro"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"taxes": ["vat"]}, "taxes"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(
    desk: Client, wrong: dict[str, Any], field: str
) -> None:
    make_add_on(code="taken")

    response = desk.post(url("add"), {**FIELDS, "description": "Two days on site", **wrong})

    assert list(response.context["adminform"].form.errors) == [field]
    assert "Two days on site" in response.content.decode()
    assert AddOn.objects.count() == 1


def test_a_negative_amount_is_refused_in_words(desk: Client) -> None:
    form = desk.post(url("add"), {**FIELDS, "amount": "-1"}).context["adminform"].form

    assert form.errors == {"amount": ["Ensure this value is greater than or equal to 0."]}
    assert desk.post(url("add"), {**FIELDS, "amount": "0"}).status_code == 302


def test_the_list_is_filtered_and_searched_and_opens_for_readers(
    desk: Client, reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    tax = make_tax(name="VAT")
    taxed = make_add_on(name="Set-up", amount="250", taxes=[tax.id])
    others = [make_add_on() for _ in range(5)]

    with django_assert_max_num_queries(8):
        assert "$250.00" in reader.get(url("changelist")).content.decode()
    assert list(desk.get(url("changelist"), {"taxes__id__exact": tax.pk}).context["cl"].result_list) == [taxed]
    assert list(desk.get(url("changelist"), {"q": others[0].code}).context["cl"].result_list) == [others[0]]
    assert "VAT (19%)" in reader.get(url("change", taxed.pk)).content.decode()
    answers = [reader.get(url("add")), reader.post(url("change", taxed.pk)), reader.post(url("delete", taxed.pk))]
    assert {answer.status_code for answer in answers} == {403}

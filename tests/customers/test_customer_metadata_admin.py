"""Metadata at the desk: rows of keys and values, of which those left alone keep their types."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from tests.customers.test_customers_admin import FIELDS, NO_ROWS, metadata, url
from tests.factories import make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_at_now")]

STORED = {"seats": 12, "paid": True, "none": None, "tags": ["a", "b"], "note": "two\nlines", "region": "EMEA", "x": "1"}


def rows_on(response: Any) -> list[tuple[str, str]]:
    rows = response.context["adminform"].form["metadata"].value()
    return [(row.key, row.value) for row in rows]


def save(desk: Client, customer: Customer, *rows: tuple[str, str]) -> Any:
    response = desk.post(url("change", customer.pk), {**FIELDS, **NO_ROWS, **metadata(*rows)})
    customer.refresh_from_db()
    return response


def errors_of(response: Any) -> Any:
    return response.context["adminform"].form.errors


def test_a_value_that_is_left_alone_keeps_its_type_and_typed_text_is_text(desk: Client) -> None:
    customer = make_customer(metadata=STORED)
    shown = dict(rows_on(desk.get(url("change", customer.pk))))

    save(desk, customer, *{**shown, "region": "APAC", "x": "2"}.items(), ("new", "12"))

    assert shown["seats"] == "12"
    assert shown["note"] == '"two\\nlines"'
    assert customer.metadata == {**STORED, "region": "APAC", "x": "2", "new": "12"}


def test_the_page_has_blank_rows_that_need_no_script(desk: Client) -> None:
    customer = make_customer(metadata={"region": "EMEA"})

    page = desk.get(url("change", customer.pk)).content.decode()
    rows, _, blank = page.partition('name="metadata-key"')[2].partition("<template")

    assert rows.count('name="metadata-key"') == 3
    assert rows.count('name="metadata-value"') == 4
    assert blank.partition("</template>")[0].count('name="metadata-key"') == 1


def test_an_emptied_row_is_removed_and_an_emptied_value_is_kept_empty(desk: Client) -> None:
    customer = make_customer(metadata={"region": "EMEA", "plan": "gold", "seats": 12})

    save(desk, customer, ("", ""), ("plan", ""), ("seats", "12"))

    assert customer.metadata == {"plan": "", "seats": 12}


def test_a_form_without_the_rows_leaves_the_metadata_alone(desk: Client) -> None:
    customer = make_customer(metadata={"seats": 12})
    fields = {name: value for name, value in FIELDS.items() if not name.startswith("metadata")}

    desk.post(url("change", customer.pk), {**fields, **NO_ROWS})

    customer.refresh_from_db()
    assert (customer.name, customer.metadata) == ("Acme", {"seats": 12})


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("a", "1"), ("", "EMEA")], "Row 2: write a key."),
        ([("a", "1"), ("", ""), ("a", "2")], "Row 3: “a” has a row already."),
        ([("k" * 41, "v")], "Row 1: a key has at most 40 characters, this one has 41."),
        ([("k", "v" * 501)], "Row 1: a value has at most 500 characters, this one has 501."),
        ([("k", "a\0b")], "Row 1: remove the characters that cannot be seen."),
        ([(f"key {number}", "v") for number in range(51)], "Row 51: there are at most 50 keys."),
    ],
    ids=["no key", "twice", "long key", "long value", "null character", "too many"],
)
def test_metadata_that_cannot_be_kept_names_its_row_and_keeps_what_was_typed(
    desk: Client, rows: list[tuple[str, str]], sentence: str
) -> None:
    customer = make_customer(metadata={"old": "value"})

    response = save(desk, customer, *rows)

    assert errors_of(response) == {"metadata": [sentence]}
    assert rows_on(response) == rows
    assert customer.metadata == {"old": "value"}


def test_as_much_metadata_as_there_may_be_is_kept(desk: Client) -> None:
    customer = make_customer()
    most = {f"{number:040}": "v" * 500 for number in range(50)}

    save(desk, customer, *most.items())

    assert customer.metadata == most


def test_every_wrong_row_is_named_at_once(desk: Client) -> None:
    response = save(desk, make_customer(), ("", "EMEA"), ("k" * 41, ""))

    assert [message.partition(":")[0] for message in errors_of(response)["metadata"]] == ["Row 1", "Row 2"]


def test_saving_untouched_metadata_writes_no_history(desk: Client) -> None:
    customer = make_customer(name="Acme", email="acme@example.com", timezone="Europe/Paris", metadata=STORED)

    save(desk, customer, *rows_on(desk.get(url("change", customer.pk))))

    assert (customer.metadata, customer.history.count()) == (STORED, 1)

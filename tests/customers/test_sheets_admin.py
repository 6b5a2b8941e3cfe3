"""The buttons above the customers' list: a file is checked row by row, then imported; customers go out as they are."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from customers.models import Customer
from customers.operations.suspension import suspend_customer
from tests.factories import NOW, make_clerk, make_customer

pytestmark = pytest.mark.django_db

IMPORT = "/admin/customers/customer/import-sheet/"
EXPORT = "/admin/customers/customer/export-sheet/"

TWO_ROWS = "name,email\nAcme,admin@acme.com\nBroken,nobody\n"


def upload(desk: Client, text: str, *, mode: str, name: str = "customers.csv", **more: str) -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return desk.post(IMPORT, {"confirmed": "yes", "file": file, "mode": mode, **more})


def hidden_fields(page: Any) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_check_shows_every_row_and_writes_nothing(desk: Client) -> None:
    page = upload(desk, TWO_ROWS, mode="check")

    text = page.content.decode()
    assert "nothing is written yet" in text
    assert "Acme" in text
    assert "Enter a valid email address" in text
    assert Customer.objects.real().count() == 0


def test_the_checked_file_is_imported_from_the_page_of_its_outcome_without_being_chosen_again(desk: Client) -> None:
    checked = upload(desk, TWO_ROWS, mode="check", reason="From the old CRM")

    page = desk.post(IMPORT, hidden_fields(checked))

    (acme,) = Customer.objects.real()
    assert "Imported customers.csv" in page.content.decode()
    assert acme.email == "admin@acme.com"
    row = acme.history.get()
    assert (row.history_actor, row.history_change_reason) == ("olga", "From the old CRM")


def test_one_refused_row_keeps_all_from_being_written_unless_asked_otherwise(desk: Client) -> None:
    page = upload(desk, TWO_ROWS, mode="write")

    assert "Nothing of customers.csv was written" in page.content.decode()
    assert Customer.objects.real().count() == 0

    upload(desk, TWO_ROWS, mode="write", keep_good="on")

    assert Customer.objects.real().count() == 1


@pytest.mark.parametrize(
    ("text", "name", "complaint"),
    [
        ("name,email", "customers.pdf", "neither in .csv nor in .xlsx"),
        ("name,colour\nA,red", "customers.csv", "“colour” is no column of a customer"),
        ("name,email\nA,B,C", "customers.csv", "Row 2 has more cells"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_of_the_form(desk: Client, text: str, name: str, complaint: str) -> None:
    assert complaint in upload(desk, text, mode="write", name=name).content.decode()


def test_no_file_and_a_spoilt_one_are_errors_of_the_form(desk: Client) -> None:
    assert "Choose a file." in desk.post(IMPORT, {"confirmed": "yes", "mode": "write"}).content.decode()
    spoilt = {"confirmed": "yes", "mode": "write", "kept": "%%%", "kept_name": "a.csv"}
    assert "Choose the file again." in desk.post(IMPORT, spoilt).content.decode()


def test_only_who_may_add_and_change_customers_imports_and_who_may_see_them_exports(client: Client) -> None:
    client.force_login(make_clerk("view_customer", "add_customer"))
    assert client.get(IMPORT).status_code == 403
    assert client.get(EXPORT).status_code == 200

    client.force_login(make_clerk("add_customer", "change_customer"))
    assert client.get(IMPORT).status_code == 200

    client.force_login(make_clerk("view_product"))
    assert client.get(EXPORT).status_code == 403


def test_an_export_can_be_imported_again_and_changes_nothing(desk: Client) -> None:
    top = make_customer(name="=HYPERLINK()", external_id="-1", metadata={"region": "EMEA", "seats": 5, "beta": True})
    make_customer(parent=top.pk, associated_domains=["acme.com", "acme.org"], address_country="PH", daily_requests=7)

    file = content_of(desk.post(EXPORT, {"confirmed": "yes", "form": "csv"})).decode()
    page = upload(desk, file, mode="check")

    lines = list(csv.DictReader(io.StringIO(file)))
    assert [line["name"] for line in lines] == ["'=HYPERLINK()", Customer.objects.get(parent=top).name]
    assert lines[0]["metadata.region"] == "EMEA"
    assert lines[1]["parent"] == top.pk
    assert re.findall(r"<span>(\d+)</span>", page.content.decode()) == ["0", "0", "2", "0"]
    assert "Import these rows" not in page.content.decode()


def test_an_export_holds_what_is_asked_for_and_no_deleted_or_system_customer(desk: Client) -> None:
    make_customer(name="Acme", tier="startup")
    suspend_customer(make_customer(name="Acme Two").pk, now=NOW)
    make_customer(name="Bolt", tier="startup")

    def names(**asked: str) -> list[Any]:
        answer = desk.post(EXPORT, {"confirmed": "yes", "form": "xlsx", **asked})
        sheet = load_workbook(io.BytesIO(content_of(answer))).worksheets[0]
        header, *rows = sheet.iter_rows(values_only=True)
        return [row[header.index("name")] for row in rows]

    assert names() == ["Acme", "Acme Two", "Bolt"]
    assert names(search="acm") == ["Acme", "Acme Two"]
    assert names(tier="startup") == ["Acme", "Bolt"]
    assert names(status="suspended") == ["Acme Two"]

"""Customers from spreadsheets: every row's outcome is told, and nothing is half written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from config.kernel.errors import Invalid
from config.kernel.history import acting_as
from config.kernel.sheets import SheetRow, UnreadableSheet, read_sheet, write_sheet
from credentials.models import Credential
from customers.models import Customer
from customers.operations.imports import ImportResult, RowAction, import_customers
from tests.factories import NOW, make_customer, make_subscription

pytestmark = pytest.mark.django_db


def csv_of(*lines: str) -> list[SheetRow]:
    return list(read_sheet(io.BytesIO("\n".join(lines).encode()), "customers.csv"))


def xlsx_of(*rows: Sequence[Any]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(list(row))
    book.save(file)
    return file.getvalue()


def outcomes(result: ImportResult) -> list[tuple[int, str]]:
    return [(row.number, row.action.value) for row in result.rows]


def test_a_row_makes_a_customer_without_a_key_under_the_importers_name() -> None:
    rows = csv_of(
        "Name,Email,External_ID,Tier,Currency,Associated_Domains,metadata.region,metadata.seats",
        "Acme,admin@acme.com,crm-1,Enterprise,eur,acme.com; acme.org,NCR,25",
    )

    with acting_as("command import_customers"):
        result = import_customers(rows, now=NOW)

    acme = Customer.objects.get(email="admin@acme.com")
    assert outcomes(result) == [(2, "created")]
    assert (acme.tier, acme.currency, acme.associated_domains) == ("enterprise", "EUR", ["acme.com", "acme.org"])
    assert acme.metadata == {"region": "NCR", "seats": 25}
    assert Credential.objects.count() == 0
    assert acme.history.get().history_actor == "command import_customers"


@pytest.mark.parametrize("column", ["id", "external_id", "email"])
def test_a_row_changes_the_customer_it_names_and_empty_cells_change_nothing(column: str) -> None:
    known = make_customer(external_id="crm-7", legal_name="Acme Inc.", metadata={"region": "NCR", "old": True})
    key = {"id": known.pk, "external_id": "crm-7", "email": known.email}[column]
    rows = csv_of(f"{column},name,legal_name,metadata.region", f"{key},Acme,,EMEA")

    result = import_customers(rows, now=NOW)

    known.refresh_from_db()
    assert outcomes(result) == [(2, "updated")]
    assert (known.name, known.legal_name, known.metadata) == ("Acme", "Acme Inc.", {"region": "EMEA", "old": True})


def test_a_row_that_says_what_is_so_already_changes_nothing() -> None:
    known = make_customer(external_id="crm-7")

    result = import_customers(csv_of("external_id,name", f"crm-7,{known.name}"), now=NOW)

    assert outcomes(result) == [(2, "unchanged")]
    assert known.history.count() == 1


def test_a_parent_is_named_by_id_or_external_id_also_of_a_row_above() -> None:
    top = make_customer()
    rows = csv_of("name,email,external_id,parent", f"A,a@x.io,a,{top.pk}", "B,b@x.io,b,a")

    import_customers(rows, now=NOW)

    a, b = (Customer.objects.get(external_id=name) for name in "ab")
    assert (a.parent_id, b.parent_id) == (top.pk, a.pk)


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("name,email", "Acme,", "email"),
        ("name,email", "Acme,nobody", "email"),
        ("name,email,external_id", "Acme,TAKEN@example.com,crm-new", "email"),
        ("name,email,tier", "Acme,a@x.io,ultra", "tier"),
        ("name,email,currency", "Acme,a@x.io,XXX", "currency"),
        ("name,email,address_country", "Acme,a@x.io,QQ", "address_country"),
        ("name,email,timezone", "Acme,a@x.io,Mars/Base", "timezone"),
        ("name,email,daily_requests", "Acme,a@x.io,-5", "daily_requests"),
        ("name,email,daily_requests", "Acme,a@x.io,0", "daily_requests"),
        ("name,email,storefront_url", "Acme,a@x.io,javascript:alert(1)", "storefront_url"),
        ("name,email,associated_domains", "Acme,a@x.io,not a domain!", "associated_domains"),
        ("name,email,parent", "Acme,a@x.io,nobody", "parent"),
        ("name,email,external_id,id", "Acme,a@x.io,e,cust_unknown", ""),
        ("name,email,metadata." + "k" * 41, "Acme,a@x.io,v", "metadata." + "k" * 41),
        ("external_id,currency", "billed,EUR", "currency"),
    ],
)
def test_a_refused_row_is_named_with_its_column_and_nothing_of_the_file_is_written(
    header: str, row: str, column: str
) -> None:
    make_customer(email="taken@example.com", external_id="other")
    make_subscription(customer=make_customer(external_id="billed"))
    before = Customer.objects.count()
    good = ",".join({"name": "Good", "email": "good@example.com"}.get(name, "") for name in header.split(","))

    result = import_customers(csv_of(header, good, row) if "name" in header else csv_of(header, row), now=NOW)

    assert [(one.column, bool(one.message)) for one in result.refused] == [(column, True)]
    assert result.written is False
    assert Customer.objects.count() == before


def test_good_rows_are_written_beside_refused_ones_where_that_is_asked_for() -> None:
    rows = csv_of("name,email", "A,a@x.io", "B,nobody", "C,c@x.io")

    result = import_customers(rows, keep_good=True, now=NOW)

    assert outcomes(result) == [(2, "created"), (3, "refused"), (4, "created")]
    assert set(Customer.objects.real().values_list("name", flat=True)) == {"A", "C"}


def test_a_dry_run_tells_what_would_happen_and_writes_nothing() -> None:
    known = make_customer(external_id="crm-7")
    rows = csv_of("name,email,external_id", "New,new@x.io,crm-8", "Changed,,crm-7", "Twice,new@x.io,crm-9")

    result = import_customers(rows, dry_run=True, now=NOW)

    assert outcomes(result) == [(2, "created"), (3, "updated"), (4, "refused")]
    assert list(Customer.objects.real().values_list("name", flat=True)) == [known.name]
    assert known.history.count() == 1


def test_an_unknown_column_refuses_the_file() -> None:
    with pytest.raises(Invalid) as refusal:
        import_customers(csv_of("name,email,favourite colour", "A,a@x.io,red"), now=NOW)

    assert "favourite colour" in refusal.value.message


def test_xlsx_reads_like_csv() -> None:
    file = xlsx_of(["name", "email", "net_payment_term_days"], ["Acme", "a@x.io", 45.0], [], ["Bolt", "b@x.io", None])

    result = import_customers(read_sheet(io.BytesIO(file), "Customers.XLSX"), now=NOW)

    assert outcomes(result) == [(2, "created"), (4, "created")]
    assert Customer.objects.get(name="Acme").net_payment_term_days == 45


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("customers.pdf", b"name,email\nA,a@x.io"),
        ("customers.csv", b"\xff\xfe\x00name"),
        ("customers.csv", b""),
        ("customers.csv", b"name,,email\nA,B,C"),
        ("customers.csv", b"name,name\nA,B"),
        ("customers.csv", b"name,email\nA,a@x.io,surplus"),
        ("customers.csv", b'name,email\n"A,a@x.io'),
        ("customers.xlsx", b"name,email\nA,a@x.io"),
        ("customers.xlsx", b"PK\x03\x04 no archive"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(UnreadableSheet):
        list(read_sheet(io.BytesIO(content), name))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_may_be_separated_as_programs_do_and_begin_with_a_byte_order_mark(separator: str) -> None:
    text = "\ufeff" + separator.join(["name", "email"]) + "\r\n" + separator.join(["Ünal", "u@x.io"])

    (row,) = read_sheet(io.BytesIO(text.encode()), "a.csv")

    assert row.cells == {"name": "Ünal", "email": "u@x.io"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", "plain"])
def test_no_cell_is_a_formula_and_what_was_written_is_read_again(form: str, text: str) -> None:
    file = io.BytesIO()
    write_sheet(file, form, ["name"], [[text]])
    file.seek(0)

    (row,) = read_sheet(file, f"a.{form}")

    assert row.cells["name"] == text.strip() or row.cells["name"] == text
    if form == "csv":
        assert file.getvalue().decode().splitlines()[1][:1] not in set("=+-@\t")


def test_the_command_prints_outcomes_and_fails_where_rows_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("name,email\nA,a@x.io\nB,nobody\n", encoding="utf-8")
    printed = io.StringIO()

    with pytest.raises(CommandError, match="1 row"):
        call_command("import_customers", str(file), dry_run=True, stdout=printed)

    assert printed.getvalue().splitlines()[0] == "row 2 created A"
    assert "row 3 refused B: email: " in printed.getvalue()
    assert "nothing was written" in printed.getvalue()

    file.write_text("name,email\nA,a@x.io\n", encoding="utf-8")
    call_command("import_customers", str(file), stdout=printed)

    assert Customer.objects.get(email="a@x.io").history.get().history_actor == "command import_customers"


def test_the_command_names_a_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv"):
        call_command("import_customers", str(tmp_path / "none.csv"))


def test_every_outcome_has_its_word() -> None:
    assert {action.value for action in RowAction} == {"created", "updated", "unchanged", "refused"}

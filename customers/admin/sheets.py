"""Customers out to a spreadsheet and in again, from the buttons above their list."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from config.kernel.admin import ActionForm, list_action
from config.kernel.errors import Invalid
from config.kernel.sheets import CONTENT_TYPES, UnreadableSheet, read_sheet, write_sheet
from customers.models import Customer, CustomerStatus, Tier
from customers.models.customer import CustomerQuerySet
from customers.operations.imports import ImportResult, RowAction, import_customers
from customers.sheets import FIELD_COLUMNS, IDENTITY_COLUMNS, METADATA_PREFIX, export_row

LARGEST_FILE = 20 * 1024 * 1024
#: A checked file up to this size travels with the page of its outcome, so that it need not be chosen again.
LARGEST_KEPT = 4 * 1024 * 1024
#: How many rows the page of an outcome shows, refused ones first.
ROWS_SHOWN = 2_000

ROW_COLOURS = {
    RowAction.CREATED: "success",
    RowAction.UPDATED: "info",
    RowAction.UNCHANGED: "default",
    RowAction.REFUSED: "danger",
}

CHECK, WRITE = "check", "write"


class ImportForm(ActionForm):
    """Asks for a file and what to do with it."""

    file = forms.FileField(
        required=False,
        help_text="CSV (UTF-8) or XLSX, at most 20 MB. The first row names the columns, as in an export: name, email, "
        "external_id, tier, … and metadata.region for a metadata key.",
    )
    mode = forms.ChoiceField(
        label="What to do",
        choices=[(CHECK, "Check: show what every row would do, write nothing"), (WRITE, "Import")],
        initial=CHECK,
        widget=forms.RadioSelect,
    )
    keep_good = forms.BooleanField(
        label="Write the good rows where others are refused",
        required=False,
        help_text="Otherwise one refused row keeps all of them from being written.",
    )
    kept_name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    kept = forms.CharField(required=False, strip=True, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Return the cleaned data with ``sheet``: the name and the bytes of the file."""
        cleaned = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload is not None:
            if upload.size > LARGEST_FILE:
                raise ValidationError({"file": "The file is larger than 20 MB."})
            return {**cleaned, "sheet": (upload.name, upload.read())}
        if not cleaned.get("kept"):
            raise ValidationError({"file": "Choose a file."})
        try:
            return {
                **cleaned,
                "sheet": (cleaned.get("kept_name", ""), base64.b64decode(cleaned["kept"], validate=True)),
            }
        except ValueError as error:
            raise ValidationError({"file": "Choose the file again."}) from error


class ExportForm(ActionForm):
    """Asks which customers to write, and how."""

    form = forms.ChoiceField(label="Format", choices=[("csv", "CSV"), ("xlsx", "XLSX (Excel)")], initial="csv")
    search = forms.CharField(required=False, max_length=200, help_text="Words of name, e-mail or external id.")
    status = forms.ChoiceField(required=False, choices=[("", "All"), *CustomerStatus.choices])
    tier = forms.ChoiceField(required=False, choices=[("", "All"), *Tier.choices])


class SheetActions:
    """The two buttons, to be mixed into the customers' admin."""

    @list_action("Import", permissions=["add", "change"], form=ImportForm, reason="optional", icon="upload_file")
    def import_sheet(self, request: HttpRequest, cleaned: dict[str, Any]) -> TemplateResponse:
        """Create and change customers from a file; a row is matched by id, external id or e-mail, in this order."""
        name, content = cleaned["sheet"]
        dry_run = cleaned["mode"] == CHECK
        try:
            rows = read_sheet(io.BytesIO(content), name)
            result = import_customers(rows, dry_run=dry_run, keep_good=cleaned["keep_good"], now=timezone.now())
        except UnreadableSheet as error:
            raise Invalid("file", str(error)) from error
        is_worth_it = not result.written and (result.counts[RowAction.CREATED] or result.counts[RowAction.UPDATED])
        kept = base64.b64encode(content).decode() if is_worth_it and len(content) <= LARGEST_KEPT else ""
        return self._outcome(request, result, {"name": name, "kept": kept, "dry_run": dry_run, "asked": cleaned})

    @list_action("Export", permissions=["view"], form=ExportForm, reason=None, icon="download")
    def export_sheet(self, request: HttpRequest, cleaned: dict[str, Any]) -> FileResponse:
        """Write customers to a file that can be edited and imported again."""
        form = cleaned["form"]
        file: BinaryIO = TemporaryFile()  # noqa: SIM115 - the response closes it.
        write_customers(file, form, matching(cleaned))
        file.seek(0)
        name = f"customers-{timezone.now():%Y-%m-%d}.{form}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[form])

    def _outcome(self, request: HttpRequest, result: ImportResult, about: dict[str, Any]) -> TemplateResponse:
        """Show what became of every row."""
        admin: Any = self
        rows = sorted(result.rows, key=lambda row: (row.action is not RowAction.REFUSED, row.number))[:ROWS_SHOWN]
        context = {
            **admin.admin_site.each_context(request),
            "title": "Import customers",
            "opts": admin.opts,
            "result": result,
            "counts": [(result.counts[action], action, ROW_COLOURS[action]) for action in RowAction],
            "rows": [(row, ROW_COLOURS[row.action]) for row in rows],
            "unshown": len(result.rows) - len(rows),
            "back_url": admin.list_url(request),
            **about,
        }
        request.current_app = admin.admin_site.name
        return TemplateResponse(request, "customers/import_outcome.html", context)


def matching(asked: dict[str, Any]) -> CustomerQuerySet:
    """Return the customers that an export asks for, oldest first."""
    customers = Customer.objects.live().real().searched(asked["search"])
    if asked["status"]:
        customers = customers.with_status(asked["status"], timezone.now())
    if asked["tier"]:
        customers = customers.filter(tier=asked["tier"])
    return customers.order_by("created_at", "pk")


def write_customers(file: BinaryIO, form: str, customers: QuerySet[Customer]) -> None:
    """Write ``customers`` to ``file``, with a column for every metadata key that one of them has."""
    keys = metadata_keys(customers)
    header = [*IDENTITY_COLUMNS, *FIELD_COLUMNS, *(f"{METADATA_PREFIX}{key}" for key in keys)]
    write_sheet(file, form, header, _rows(customers, keys))


def metadata_keys(customers: QuerySet[Customer]) -> tuple[str, ...]:
    """Return the metadata keys that any of ``customers`` has, sorted."""
    found: set[str] = set()
    for metadata in customers.exclude(metadata={}).values_list("metadata", flat=True).iterator(chunk_size=5_000):
        found.update(metadata)
    return tuple(sorted(found))


def _rows(customers: QuerySet[Customer], keys: tuple[str, ...]) -> Iterator[list[Any]]:
    now = timezone.now()
    for customer in customers.defer("search").iterator(chunk_size=2_000):
        yield export_row(customer, keys, status=customer.status(now).value)

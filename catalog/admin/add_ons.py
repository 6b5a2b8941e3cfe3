"""Add-ons in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone

from catalog.admin.choices import TaxesField
from catalog.models import AddOn
from catalog.operations.add_ons import create_add_on, delete_add_on, update_add_on
from config.kernel.admin import AutocompleteFilter, ModelAdmin, RecordForm, money_column, register


class AddOnForm(RecordForm):
    """An add-on as an operator describes it."""

    taxes = TaxesField()

    class Meta:
        model = AddOn
        fields = ("code", "name", "invoice_display_name", "description", "amount", "currency", "taxes")
        help_texts: ClassVar = {
            "code": "What integrations call the add-on: lower-case letters, digits, “.”, “_” and “-”. Must be unique.",
            "name": "What operators call it: Set-up, Training, Migration.",
            "invoice_display_name": "What customers read on their invoices; the name where left empty.",
            "amount": "What it costs, once, before taxes.",
            "currency": "The ISO 4217 code, for example EUR. Only invoices in this currency can have it.",
        }


@register(AddOn)
class AddOnAdmin(ModelAdmin):
    """What is sold once."""

    form = AddOnForm
    list_display = ("name", "code", money_column("amount"), "invoice_display_name", "created_at")
    list_filter = (("taxes", AutocompleteFilter),)
    search_fields = ("name", "code", "invoice_display_name")
    linked_history = ("tax_links",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name what describes an add-on."""
        return AddOnForm.Meta.fields

    def create(self, request: HttpRequest, form: Any) -> AddOn:
        """Create an add-on."""
        return create_add_on(**form.cleaned_data, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> AddOn:
        """Change the add-on; invoices keep what they used."""
        return update_add_on(obj_id, **form.cleaned_data, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the add-on."""
        delete_add_on(obj_id)

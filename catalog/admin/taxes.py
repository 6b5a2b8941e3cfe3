"""Taxes in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone

from catalog.models import Tax
from catalog.operations.taxes import create_tax, delete_tax, update_tax
from config.kernel.admin import BooleanFilter, ModelAdmin, RecordForm, display, register
from config.kernel.money import plain


class TaxForm(RecordForm):
    """A tax as an operator describes it."""

    class Meta:
        model = Tax
        fields = ("code", "name", "rate_percent", "is_default", "description")
        help_texts: ClassVar = {
            "code": "What accounting and integrations call the tax: lower-case letters, digits, “.”, “_” and “-”. "
            "Must be unique, and cannot change once the tax exists.",
            "name": "What customers read on their invoices.",
            "rate_percent": "For example 19 or 7.25. Invoices that are final keep the rate they used.",
            "is_default": "Applies where neither the line, its plan nor the customer names a tax. Several may be "
            "default ones; they then apply together.",
        }


@display(description="rate", ordering="rate_percent")
def rate(tax: Tax) -> str:
    """Print the rate."""
    return f"{plain(tax.rate_percent):f}%"


@register(Tax)
class TaxAdmin(ModelAdmin):
    """What is added to the lines of an invoice."""

    form = TaxForm
    list_display = ("name", "code", rate, "is_default", "created_at")
    list_filter = (("is_default", BooleanFilter),)
    search_fields = ("name", "code")
    fields = TaxForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix the code once the tax exists."""
        return [*super().get_readonly_fields(request, obj), *(["code"] if obj else [])]

    def create(self, request: HttpRequest, form: Any) -> Tax:
        """Create a tax."""
        return create_tax(**form.cleaned_data, now=timezone.now())

    def change(self, request: HttpRequest, obj_id: Any, form: Any) -> Tax:
        """Change the tax."""
        return update_tax(obj_id, **form.cleaned_data, now=timezone.now())

    def delete(self, request: HttpRequest, obj_id: Any, cleaned: dict[str, Any]) -> None:
        """Delete the tax, which nothing uses."""
        delete_tax(obj_id)

"""Add-ons, as JSON."""

from __future__ import annotations

from django.utils import timezone
from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.taxes import taxes_of, taxes_wanted
from catalog.models import AddOn
from catalog.models.product import validate_code
from catalog.operations.add_ons import create_add_on, delete_add_on, update_add_on
from config.api.deletion import DeletionReportSerializer
from config.api.fields import AmountField, CurrencyField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report


class AddOnSerializer(StrictModelSerializer):
    """An add-on."""

    taxes = taxes_of()

    class Meta:
        model = AddOn
        fields = [
            "id", "code", "name", "invoice_display_name", "description", "amount", "currency", "taxes", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class AddOnChangesSerializer(StrictSerializer):
    """What of an add-on can change; invoices keep what they used."""

    code = serializers.CharField(max_length=100, validators=[validate_code])
    name = serializers.CharField(max_length=200)
    invoice_display_name = serializers.CharField(
        max_length=200, allow_blank=True, required=False, help_text="What invoices call it; its name where empty."
    )
    description = serializers.CharField(allow_blank=True, required=False)
    amount = AmountField(min_value=0)
    currency = CurrencyField(required=False)
    taxes = taxes_wanted()


class NewAddOnSerializer(AddOnChangesSerializer):
    """What makes an add-on."""

    currency = CurrencyField(default="USD")


class AddOnFilter(StrictFilterSet):
    """Which add-ons."""

    code = CharFilter()
    currency = CharFilter()


class AddOnViewSet(Listed, Retrieved, ApiViewSet):
    """Add-ons."""

    queryset = AddOn.objects.prefetch_related("taxes")
    serializer_class = AddOnSerializer
    filterset_class = AddOnFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewAddOnSerializer, "partial_update": AddOnChangesSerializer}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """Create an add-on."""
        return self.created(create_add_on(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an add-on; invoices keep what they used."""
        return self.answer(update_add_on(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an add-on, unless something stands in the way."""
        add_on, now = self.get_object(), timezone.now()
        delete_add_on(add_on.id)
        return self.answer({"id": add_on.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting an add-on."""
        return self.answer(deletion_report(self.get_object()).document())

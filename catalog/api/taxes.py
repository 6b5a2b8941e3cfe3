"""Taxes, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Tax
from catalog.models.product import validate_code
from catalog.models.tax import HUNDRED_PERCENT, TaxQuerySet
from catalog.operations.taxes import create_tax, delete_tax, update_tax
from config.api.deletion import DeletionReportSerializer
from config.api.fields import AmountField, ReferenceField, TypeIDField
from config.api.filters import StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report

MAX_TAXES = 20


def taxes_of() -> Any:
    """Return the field that prints the taxes of a plan or an add-on."""
    return ReferenceField(prefix="tax", many=True, read_only=True)


def taxes_wanted() -> serializers.ListField:
    """Return the field that takes the taxes of a plan or an add-on."""
    return serializers.ListField(
        child=TypeIDField("tax"),
        max_length=MAX_TAXES,
        required=False,
        help_text="They take the place of those it had; none means those of the customer, or the default ones.",
    )


class TaxSerializer(StrictModelSerializer):
    """A tax."""

    class Meta:
        model = Tax
        fields = ["id", "code", "name", "rate_percent", "description", "is_default", "created_at", "updated_at"]
        read_only_fields = fields


class TaxChangesSerializer(StrictSerializer):
    """What of a tax can change; documents that are final keep the rate they used."""

    name = serializers.CharField(max_length=200)
    rate_percent = AmountField(min_value=0, max_value=HUNDRED_PERCENT)
    description = serializers.CharField(allow_blank=True, required=False)
    is_default = serializers.BooleanField(
        required=False, help_text="Whether it applies where neither line, plan nor customer names any."
    )


class NewTaxSerializer(TaxChangesSerializer):
    """What makes a tax; its code is fixed from then on."""

    code = serializers.CharField(max_length=100, validators=[validate_code])


class TaxFilter(StrictFilterSet):
    """Which taxes."""

    code = CharFilter()
    is_default = ChoiceFilter(choices=[("true", "Default"), ("false", "Not default")], method="by_default")

    def by_default(self, taxes: TaxQuerySet, name: str, value: str) -> TaxQuerySet:
        """Keep the default ones, or the others."""
        return taxes.filter(is_default=value == "true")


class TaxViewSet(Listed, Retrieved, ApiViewSet):
    """Taxes."""

    queryset = Tax.objects.all()
    serializer_class = TaxSerializer
    filterset_class = TaxFilter
    scope_read, scope_write = "catalog:read", "catalog:write"
    bodies = {"create": NewTaxSerializer, "partial_update": TaxChangesSerializer}
    answers = {"destroy": DeletedSerializer, "deletion_check": DeletionReportSerializer}

    def create(self, request: Request) -> Response:
        """Create a tax."""
        return self.created(create_tax(**self.body(), now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a tax; documents that are final keep the rate they used."""
        return self.answer(update_tax(self.get_object().id, **self.body(), now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a tax that is no default one and that no rate plan and no add-on has."""
        tax, now = self.get_object(), timezone.now()
        delete_tax(tax.id)
        return self.answer({"id": tax.id, "deleted": True, "deleted_at": now})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a tax."""
        return self.answer(deletion_report(self.get_object()).document())

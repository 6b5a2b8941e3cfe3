"""Customers as JSON: what is answered and what is taken."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.deletion import DeletionReportSerializer
from config.api.fields import AwareDateTimeField, EnumField, TypeIDField
from config.api.free_fields import MetadataField
from config.api.serializers import StrictModelSerializer, StrictSerializer
from customers.models import Customer, CustomerStatus

SUSPENSION_FIELDS = ("suspended_at", "suspended_until", "suspension_reason")


class SuspensionSerializer(StrictModelSerializer):
    """Whether a customer's access is off, since when, until when and why."""

    status = serializers.SerializerMethodField()
    suspension_reason = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = Customer
        fields: tuple[str, ...] = ("id", "status", *SUSPENSION_FIELDS)
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(EnumField(choices=CustomerStatus.choices))
    def get_status(self, customer: Customer) -> str:
        """Return the status now."""
        return customer.status(timezone.now()).value

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """Return the fields; a suspension that has run out is none, whether or not a worker has lifted it."""
        document: dict[str, Any] = super().to_representation(instance)
        is_over = document["status"] != CustomerStatus.SUSPENDED
        return {**document, **dict.fromkeys(SUSPENSION_FIELDS)} if is_over else document


class CustomerSerializer(SuspensionSerializer):
    """A customer."""

    metadata = MetadataField()

    class Meta:
        model = Customer
        fields = (
            "id", "name", "email", "external_id", "status", "tier", "currency", "timezone", "legal_name",
            "billing_email", "net_payment_term_days", "invoice_grace_days", "created_at", "updated_at",
            *SUSPENSION_FIELDS, "metadata",
        )  # fmt: skip
        read_only_fields = fields


class CreatedCustomerSerializer(CustomerSerializer):
    """A customer just created, with the key that was issued for it."""

    api_key = serializers.CharField(
        required=False, allow_null=True, help_text="Shown once; null in a replay, left out when none was wanted."
    )

    class Meta(CustomerSerializer.Meta):
        fields = (*CustomerSerializer.Meta.fields, "api_key")

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """Return the customer; the view's context holds the secrets made while the request ran."""
        document = super().to_representation(instance)
        keys = [one.shown_once["key"] for one in self.context["view"].issued if one.owner == instance.pk]
        document.pop("api_key", None)
        return {**document, "api_key": keys[0]} if keys else document


class CustomerChangesSerializer(StrictModelSerializer):
    """What of a customer can change; metadata is laid over what there is, and null removes a key."""

    metadata = MetadataField(required=False)

    class Meta:
        model = Customer
        fields: tuple[str, ...] = (
            "name", "email", "external_id", "tier", "currency", "timezone", "legal_name", "billing_email",
            "net_payment_term_days", "invoice_grace_days", "metadata",
        )  # fmt: skip
        extra_kwargs = {"external_id": {"allow_blank": False}}


class NewCustomerSerializer(CustomerChangesSerializer):
    """What makes a customer."""

    create_api_key = serializers.BooleanField(default=True, help_text="Whether a first key is issued.")

    class Meta(CustomerChangesSerializer.Meta):
        fields = (*CustomerChangesSerializer.Meta.fields, "create_api_key")


class NewSuspensionSerializer(StrictSerializer):
    """Why access is switched off, and until when; without an end until somebody reactivates the customer."""

    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")
    until = AwareDateTimeField(required=False, allow_null=True)


class CustomerDeletionReportSerializer(DeletionReportSerializer):
    """What stands in the way of deleting a customer."""

    customer_id = TypeIDField("cust")

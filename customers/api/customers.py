"""Customers, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.deletion import ConfirmationQuery, DeletionReportSerializer
from config.api.fields import AwareDateTimeField, CurrencyField, EnumField, MetadataField, merged_metadata
from config.api.filters import MomentFilter, StrictFilterSet
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report
from customers.models import Customer, CustomerStatus, Tier
from customers.models.customer import CustomerQuerySet, validate_timezone
from customers.operations.customers import CustomerFields, create_customer, lock_customer, update_customer
from customers.operations.deletion import delete_customer
from customers.operations.suspension import reactivate_customer, suspend_customer

MAX_DAYS = 365


class CustomerSerializer(StrictModelSerializer):
    """A customer."""

    status = serializers.SerializerMethodField()
    metadata = MetadataField(read_only=True)

    class Meta:
        model = Customer
        fields = [
            "id", "name", "email", "status", "tier", "external_id", "currency", "timezone", "legal_name",
            "billing_email", "net_payment_term_days", "invoice_grace_days", "created_at", "updated_at", "metadata",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=CustomerStatus.choices))
    def get_status(self, customer: Customer) -> str:
        """Return the status now."""
        return customer.status(timezone.now()).value


class NewCustomerAnswerSerializer(CustomerSerializer):
    """A customer just created, with its first key this once."""

    api_key = serializers.CharField(
        read_only=True, allow_null=True, help_text="A customer key with full scopes; shown in this answer only."
    )

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "api_key"]


class CustomerChangesSerializer(StrictSerializer):
    """What of a customer can change."""

    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)
    tier = EnumField(choices=Tier.choices, required=False)
    currency = CurrencyField(required=False)
    timezone = serializers.CharField(required=False, validators=[validate_timezone], help_text="An IANA name.")
    legal_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    billing_email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    net_payment_term_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, required=False)
    invoice_grace_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, required=False)
    metadata = MetadataField(required=False)


class NewCustomerSerializer(CustomerChangesSerializer):
    """What creates a customer."""

    create_api_key = serializers.BooleanField(default=True, help_text="Whether to issue a first customer key.")


class SuspensionSerializer(StrictSerializer):
    """Why access is switched off, and until when (exclusive); without an end for good."""

    reason = serializers.CharField(max_length=1000, allow_blank=True, default="")
    until = AwareDateTimeField(required=False, allow_null=True)


class CustomerSuspensionSerializer(CustomerSerializer):
    """Whether a customer is suspended, since when, until when and why."""

    class Meta(CustomerSerializer.Meta):
        fields = ["id", "status", "suspended_at", "suspended_until", "suspension_reason"]
        read_only_fields = fields


class CustomerDeletionReportSerializer(DeletionReportSerializer):
    """What stands in the way of deleting a customer."""

    customer_id = serializers.CharField()


class CustomerFilter(StrictFilterSet):
    """Which customers."""

    metadata_field = "metadata"

    status = ChoiceFilter(choices=CustomerStatus.choices, method="with_status")
    tier = ChoiceFilter(choices=Tier.choices)
    external_id = CharFilter()
    search = CharFilter(
        method="with_words", help_text="Words that stand in the name or e-mail, or begin the external id."
    )
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    def with_status(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with the status now."""
        return customers.with_status(value, timezone.now())

    def with_words(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with all the words."""
        return customers.searched(value)


class CustomerViewSet(Listed, Retrieved, ApiViewSet):
    """Customers."""

    queryset = Customer.objects.live().real()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    scope_read, scope_write = "customers:read", "customers:write"
    secret_fields = ("api_key",)
    bodies = {
        "create": NewCustomerSerializer,
        "partial_update": CustomerChangesSerializer,
        "suspend": SuspensionSerializer,
    }
    queries = {"destroy": ConfirmationQuery}
    answers = {
        "create": NewCustomerAnswerSerializer,
        "destroy": DeletedSerializer,
        "deletion_check": CustomerDeletionReportSerializer,
        "suspend": CustomerSuspensionSerializer,
        "reactivate": CustomerSuspensionSerializer,
    }

    def create(self, request: Request) -> Response:
        """Create a customer, with a first key unless ``create_api_key`` is false."""
        body = self.body()
        with_key = body.pop("create_api_key")
        customer: Any = create_customer(CustomerFields(**body), with_key=with_key, now=timezone.now())
        customer.api_key = self.issued[0].shown_once["key"] if with_key else None
        return self.created(customer)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a customer; metadata is merged, a key with null is removed."""
        customer, body = self.get_object(), self.body()
        if "metadata" in body:
            # Under the lock, or of two requests at once the later would undo the keys of the earlier.
            body["metadata"] = merged_metadata(lock_customer(customer.id).metadata, body["metadata"])
        return self.answer(update_customer(customer.id, **body, now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a customer, unless something stands in the way."""
        confirm = self.query()["confirm"]
        customer = delete_customer(self.get_object().id, confirm=confirm, now=timezone.now())
        return self.answer({"id": customer.id, "deleted": True, "deleted_at": customer.deleted_at})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Say what stands in the way of deleting a customer."""
        customer = self.get_object()
        return self.answer({"customer_id": customer.id, **deletion_report(customer).document()})

    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        """Switch a customer's access off; suspending again updates reason and end."""
        return self.answer(suspend_customer(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Switch a suspended customer's access on again."""
        return self.answer(reactivate_customer(self.get_object().id, now=timezone.now()))

"""The addresses of customers."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.deletion import DeletionQuery
from config.api.filters import MomentFilter, StrictFilterSet
from config.api.free_fields import merged_metadata
from config.api.serializers import DeletedSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report
from customers.api.serializers import (
    CreatedCustomerSerializer,
    CustomerChangesSerializer,
    CustomerDeletionReportSerializer,
    CustomerSerializer,
    NewCustomerSerializer,
    NewSuspensionSerializer,
    SuspensionSerializer,
)
from customers.models import Customer, Tier
from customers.models.customer import CustomerQuerySet
from customers.operations.customers import CustomerFields, create_customer, lock_customer, update_customer
from customers.operations.deletion import delete_customer
from customers.operations.suspension import reactivate_customer, suspend_customer


class StatusFilter(TextChoices):
    """The statuses that a list can be narrowed to; nobody is inactive."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"


class CustomerFilter(StrictFilterSet):
    """Which customers."""

    metadata_field = "metadata"

    status = ChoiceFilter(choices=StatusFilter.choices, method="with_status")
    tier = ChoiceFilter(choices=Tier.choices)
    search = CharFilter(method="searched", help_text="Words in name, e-mail or external id.")
    external_id = CharFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Customer
        fields = ()

    def with_status(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with the status now."""
        now = timezone.now()
        if value == StatusFilter.SUSPENDED:
            return customers.suspended(now)
        return customers.with_access(now) if value == StatusFilter.ACTIVE else customers.none()

    def searched(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with every word."""
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
        "suspend": NewSuspensionSerializer,
    }
    queries = {"destroy": DeletionQuery}
    answers = {
        "create": CreatedCustomerSerializer,
        "destroy": DeletedSerializer,
        "deletion_check": CustomerDeletionReportSerializer,
        "suspend": SuspensionSerializer,
    }

    def create(self, request: Request) -> Response:
        """Create a customer, and a first key that is shown once."""
        body = self.body()
        with_key = body.pop("create_api_key")
        return self.created(create_customer(CustomerFields(**body), with_key=with_key, now=timezone.now()))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a customer."""
        customer = self.get_object()
        changes = self.body()
        if "metadata" in changes:
            # Under the lock, so that of two changes of different keys at once neither is lost.
            current = lock_customer(customer.id).metadata
            changes["metadata"] = merged_metadata(current, changes["metadata"])
        return self.answer(update_customer(customer.id, **changes, now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """
        Delete a customer.

        Refused with 409 while something stands in the way, and without `confirm=true` where there are consequences;
        `details` is the report of `deletion-check`.
        """
        customer = self.get_object()
        deleted = delete_customer(customer.id, confirm=self.query()["confirm"], now=timezone.now())
        return self.answer({"id": deleted.id, "deleted_at": deleted.deleted_at})

    @action(detail=True, methods=["get"], url_path="deletion-check")
    def deletion_check(self, request: Request, pk: str) -> Response:
        """Report what stands in the way of deleting a customer."""
        customer = self.get_object()
        return self.answer({"customer_id": customer.id, **deletion_report(customer).document()})

    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        """
        Switch a customer's access off.

        One that is suspended already gets the new reason and end.
        """
        return self.answer(suspend_customer(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Switch a suspended customer's access on."""
        return self.answer(reactivate_customer(self.get_object().id, now=timezone.now()))

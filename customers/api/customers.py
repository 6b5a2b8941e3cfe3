"""Customers, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.filters import MomentFilter, StrictFilterSet, TypeIDFilter
from config.api.permissions import require_scope
from config.api.serializers import DeletedSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from config.kernel.guards import deletion_report
from customers.activity import activity
from customers.api.customer_serializers import (
    CustomerChangesSerializer,
    CustomerDeletionReportSerializer,
    CustomerDetailsSerializer,
    CustomerSerializer,
    CustomerSuspensionSerializer,
    ListedCustomerSerializer,
    NewCustomerAnswerSerializer,
    NewCustomerSerializer,
    SuspensionSerializer,
)
from customers.api.deletion import TERMINATE_SCOPE, CustomerDeletionQuery
from customers.models import Customer, CustomerStatus, Tier
from customers.models.customer import CustomerQuerySet
from customers.operations.customers import CustomerFields, create_customer, update_customer
from customers.operations.deletion import DeletionMode, delete_customer
from customers.operations.status import set_status
from customers.operations.suspension import reactivate_customer, suspend_customer
from customers.queries.hierarchy import below


class CustomerFilter(StrictFilterSet):
    """Which customers."""

    metadata_field = "metadata"

    status = ChoiceFilter(choices=CustomerStatus.choices, method="with_status")
    tier = ChoiceFilter(choices=Tier.choices)
    external_id = CharFilter()
    parent = TypeIDFilter(prefix="cust", help_text="Those directly below this customer.")
    ancestor = TypeIDFilter(
        prefix="cust", method="with_ancestor", help_text="Those below this customer, directly or through others."
    )
    search = CharFilter(
        method="with_words",
        help_text="Words that each begin a word of the name, the e-mail address or the external id.",
    )
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    def with_status(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with the status now."""
        return customers.with_status(value, timezone.now())

    def with_ancestor(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those below the customer."""
        return below(customers, value)

    def with_words(self, customers: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Keep those with all the words."""
        return customers.searched(value)


class CustomerViewSet(Listed, Retrieved, ApiViewSet):
    """Customers; what higher apps know of their use is asked for once a page."""

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
    queries = {"destroy": CustomerDeletionQuery}
    answers = {
        "list": ListedCustomerSerializer,
        "retrieve": CustomerDetailsSerializer,
        "create": NewCustomerAnswerSerializer,
        "destroy": DeletedSerializer,
        "deletion_check": CustomerDeletionReportSerializer,
        "suspend": CustomerSuspensionSerializer,
        "reactivate": CustomerSuspensionSerializer,
    }

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        """Return the page, each customer with when it was active last."""
        return with_last_active(super().paginate_queryset(queryset) or [])

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one customer with its running month."""
        [customer] = with_last_active([self.get_object()])
        customer.month_of_use = activity().month_of_use(customer, now=timezone.now())
        return self.answer(customer)

    def create(self, request: Request) -> Response:
        """Create a customer, with a first key unless ``create_api_key`` is false."""
        body = self.body()
        with_key = body.pop("create_api_key")
        customer: Any = create_customer(CustomerFields(**body), with_key=with_key, now=timezone.now())
        customer.api_key = self.issued[0].shown_once["key"] if with_key else None
        return self.created(customer)

    def partial_update(self, request: Request, pk: str) -> Response:
        """
        Change a customer; address and limits change by their parts, metadata by its keys, where null removes one.

        The status `suspended` switches access off until somebody reactivates; the other two lift a suspension.
        """
        customer, body = self.get_object(), self.body()
        if "metadata" in body:
            body["metadata_changes"] = body.pop("metadata")
        change = set_status if "status" in body else update_customer
        return self.answer(change(customer.id, **body, now=timezone.now()))

    def destroy(self, request: Request, pk: str) -> Response:
        """
        Delete a customer, unless something stands in the way.

        With ``mode=terminate`` what is open is ended first: subscriptions get their final invoices, drafts are
        finalized, holds released, balances voided. What is due then stays due.
        """
        asked = self.query()
        if asked["mode"] == DeletionMode.TERMINATE:
            require_scope(request, TERMINATE_SCOPE)
        customer = delete_customer(self.get_object().id, **asked, now=timezone.now())
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


def with_last_active(customers: list[Any]) -> list[Any]:
    """Return the customers, each told when it was active last; None where it never was."""
    moments = activity().last_active([customer.id for customer in customers])
    for customer in customers:
        customer.last_active = moments.get(customer.id)
    return customers

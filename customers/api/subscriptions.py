"""Subscriptions as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import RatePlan
from config.api.fields import AwareDateTimeField, EnumField, ReferenceField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import IssuedSecretSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.models import Customer, Subscription, SubscriptionStatus
from customers.models.subscription import SubscriptionQuerySet
from customers.operations.subscriptions import start_subscription, terminate_subscription
from customers.periods import Period
from customers.queries.periods import current_period


class PeriodSerializer(StrictSerializer):
    """A stretch of time; its end is not part of it."""

    start = AwareDateTimeField()
    end = AwareDateTimeField()


class SubscriptionSerializer(StrictModelSerializer):
    """A subscription; ``current_period`` is null while it does not run."""

    customer = ReferenceField(prefix="cust", read_only=True)
    plan = ReferenceField(prefix="plan", read_only=True)
    product = ReferenceField(source="plan.product", prefix="prod", read_only=True)
    status = serializers.SerializerMethodField()
    current_period = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields: tuple[str, ...] = (
            "id", "external_id", "name", "customer", "plan", "product", "status", "billing_time", "starts_at",
            "terminated_at", "canceled_at", "current_period", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(EnumField(choices=SubscriptionStatus.choices))
    def get_status(self, subscription: Subscription) -> str:
        """Return the status now."""
        return subscription.status(timezone.now()).value

    @extend_schema_field(PeriodSerializer(allow_null=True))
    def get_current_period(self, subscription: Subscription) -> dict[str, Any] | None:
        """Return the period that runs now."""
        now = timezone.now()
        is_running = subscription.status(now) is SubscriptionStatus.ACTIVE
        period: Period | None = current_period(subscription, now) if is_running else None
        return None if period is None else PeriodSerializer(period).data


class StartedSubscriptionSerializer(SubscriptionSerializer):
    """A subscription just started, with the credential that was issued for it."""

    credential = serializers.SerializerMethodField()

    class Meta(SubscriptionSerializer.Meta):
        fields = (*SubscriptionSerializer.Meta.fields, "credential")

    @extend_schema_field(IssuedSecretSerializer(allow_null=True))
    def get_credential(self, subscription: Subscription) -> dict[str, Any] | None:
        """Return the credential with its secret; the view's context holds those made while the request ran."""
        issued = next((one for one in self.context["view"].issued if one.owner == subscription.pk), None)
        return None if issued is None else IssuedSecretSerializer(issued).data


class NewSubscriptionSerializer(StrictModelSerializer):
    """Who subscribes to what, from when."""

    customer = ReferenceField(Customer.objects.live().real())
    plan = ReferenceField(RatePlan.objects.all())
    starts_at = AwareDateTimeField(required=False, allow_null=True, help_text="Now, unless another time is given.")

    class Meta:
        model = Subscription
        fields = ("customer", "plan", "external_id", "name", "billing_time", "starts_at")
        extra_kwargs = {"external_id": {"allow_blank": False}, "name": {"help_text": "The plan's, unless given."}}

    def validate_customer(self, customer: Customer) -> str:
        """Return the id, which operations take."""
        return customer.id

    def validate_plan(self, plan: RatePlan) -> str:
        """Return the id, which operations take."""
        return plan.id


class SubscriptionFilter(StrictFilterSet):
    """Which subscriptions."""

    customer = TypeIDFilter(prefix="cust")
    status = ChoiceFilter(choices=SubscriptionStatus.choices, method="with_status")
    plan = TypeIDFilter(prefix="plan")

    class Meta:
        model = Subscription
        fields = ()

    def with_status(self, subscriptions: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        """Keep those with the status now."""
        now = timezone.now()
        by_status = {
            SubscriptionStatus.PENDING: subscriptions.live().filter(starts_at__gt=now),
            SubscriptionStatus.ACTIVE: subscriptions.active(now),
            SubscriptionStatus.TERMINATED: subscriptions.filter(terminated_at__isnull=False),
            SubscriptionStatus.CANCELED: subscriptions.filter(canceled_at__isnull=False),
        }
        return by_status[SubscriptionStatus(value)]


class SubscriptionViewSet(Listed, Retrieved, ApiViewSet):
    """Subscriptions."""

    queryset = Subscription.objects.select_related("customer", "plan")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    scope_read, scope_write = "customers:read", "customers:write"
    secret_fields = ("credential.key", "credential.client_secret")
    bodies = {"create": NewSubscriptionSerializer}
    answers = {"create": StartedSubscriptionSerializer}

    def create(self, request: Request) -> Response:
        """Subscribe a customer to a rate plan, and issue the credential that fits the product."""
        return self.created(start_subscription(**self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """
        End a subscription now; one that has not begun is canceled.

        Its credentials are revoked with it.
        """
        return self.answer(terminate_subscription(self.get_object().id, now=timezone.now()))

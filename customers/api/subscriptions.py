"""Subscriptions, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import AwareDateTimeField, EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import IssuedSecretSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.models import BillingTime, Subscription, SubscriptionStatus
from customers.models.subscription import SubscriptionQuerySet
from customers.operations.subscriptions import start_subscription, terminate_subscription
from customers.queries.periods import current_period


class PeriodSerializer(serializers.Serializer[Any]):
    """A stretch of time, [``start``, ``end``)."""

    start = AwareDateTimeField()
    end = AwareDateTimeField()


class SubscriptionSerializer(StrictModelSerializer):
    """A subscription; ``current_period`` is null unless it runs now."""

    product = serializers.CharField(source="plan.product_id", read_only=True)
    status = serializers.SerializerMethodField()
    current_period = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = [
            "id", "external_id", "name", "customer", "plan", "product", "status", "billing_time", "starts_at",
            "terminated_at", "canceled_at", "current_period", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(EnumField(choices=SubscriptionStatus.choices))
    def get_status(self, subscription: Subscription) -> str:
        """Return the status now."""
        return subscription.status(timezone.now()).value

    @extend_schema_field(PeriodSerializer(allow_null=True))
    def get_current_period(self, subscription: Subscription) -> dict[str, Any] | None:
        """Return the running period."""
        now = timezone.now()
        if subscription.status(now) is not SubscriptionStatus.ACTIVE:
            return None
        period = current_period(subscription, now)
        return None if period is None else PeriodSerializer(period).data


class NewSubscriptionAnswerSerializer(SubscriptionSerializer):
    """A subscription just started, with its credential and, this once, the secret."""

    credential = IssuedSecretSerializer(read_only=True)

    class Meta(SubscriptionSerializer.Meta):
        fields = [*SubscriptionSerializer.Meta.fields, "credential"]


class NewSubscriptionSerializer(StrictSerializer):
    """What starts a subscription."""

    customer = TypeIDField("cust")
    plan = TypeIDField("plan")
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    billing_time = EnumField(choices=BillingTime.choices, required=False)
    starts_at = AwareDateTimeField(required=False, allow_null=True, help_text="Now; may lie in the past or the future.")


class SubscriptionFilter(StrictFilterSet):
    """Which subscriptions."""

    customer = TypeIDFilter(prefix="cust")
    plan = TypeIDFilter(prefix="plan")
    external_id = CharFilter()
    status = ChoiceFilter(choices=SubscriptionStatus.choices, method="with_status")

    def with_status(self, subscriptions: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        """Keep those with the status now."""
        return subscriptions.with_status(value, timezone.now())


class SubscriptionViewSet(Listed, Retrieved, ApiViewSet):
    """Subscriptions."""

    queryset = Subscription.objects.select_related("customer", "plan")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    scope_read, scope_write = "customers:read", "customers:write"
    secret_fields = ("credential.key", "credential.client_secret")
    bodies = {"create": NewSubscriptionSerializer}
    answers = {"create": NewSubscriptionAnswerSerializer}

    def create(self, request: Request) -> Response:
        """Subscribe a customer to a plan; its key or client secret is in this answer only."""
        subscription: Any = start_subscription(**self.body(), now=timezone.now())
        subscription.credential = self.issued[0]
        return self.created(subscription)

    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """End a subscription now: its keys are revoked and the final invoice is drawn."""
        terminated = terminate_subscription(self.get_object().id, now=timezone.now())
        return self.answer(self.get_queryset().get(pk=terminated.id))

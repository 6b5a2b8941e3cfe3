"""What is said about subscriptions in JSON, and what is taken."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.fields import AwareDateTimeField, EnumField, TypeIDField
from config.api.serializers import IssuedSecretSerializer, StrictModelSerializer, StrictSerializer
from customers.models import BillingTime, Subscription, SubscriptionStatus
from customers.queries.periods import current_period
from customers.queries.successors import pending_successor

CHANGE_HELP = (
    "A plan whose base fee is as high or higher in a year begins at once, as a new subscription that the keys move to; "
    "a cheaper one begins at the end of the running period."
)


class PeriodSerializer(serializers.Serializer[Any]):
    """A stretch of time, [``start``, ``end``)."""

    start = AwareDateTimeField()
    end = AwareDateTimeField()


class PendingChangeSerializer(serializers.Serializer[Any]):
    """The plan that follows, and when."""

    plan = serializers.CharField(source="plan_id")
    at = AwareDateTimeField(source="starts_at")


class SubscriptionSerializer(StrictModelSerializer):
    """A subscription; ``current_period`` is null unless it runs now, ``previous`` is what its plan was changed from."""

    product = serializers.CharField(source="plan.product_id", read_only=True)
    status = serializers.SerializerMethodField()
    current_period = serializers.SerializerMethodField()
    pending_change = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = [
            "id", "external_id", "name", "customer", "plan", "product", "status", "billing_time", "starts_at",
            "bill_from", "ends_at", "terminated_at", "canceled_at", "current_period", "pending_change", "previous",
            "created_at", "updated_at",
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

    @extend_schema_field(PendingChangeSerializer(allow_null=True))
    def get_pending_change(self, subscription: Subscription) -> dict[str, Any] | None:
        """Return the change of plan that waits for the end of the period."""
        successor = pending_successor(subscription, timezone.now())
        return None if successor is None else PendingChangeSerializer(successor).data


class NewSubscriptionAnswerSerializer(SubscriptionSerializer):
    """A subscription just started, with its credential and, this once, the secret."""

    credential = IssuedSecretSerializer(read_only=True)

    class Meta(SubscriptionSerializer.Meta):
        fields = [*SubscriptionSerializer.Meta.fields, "credential"]


class SubscriptionChangesSerializer(StrictSerializer):
    """What of a subscription can change."""

    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)
    name = serializers.CharField(
        max_length=200, allow_blank=True, required=False, help_text="The plan's name where empty."
    )
    ends_at = AwareDateTimeField(
        required=False,
        allow_null=True,
        is_future=True,
        help_text="The planned end, in the future and after the start; null for none.",
    )


class NewSubscriptionSerializer(SubscriptionChangesSerializer):
    """What starts a subscription."""

    customer = TypeIDField("cust")
    plan = TypeIDField("plan")
    billing_time = EnumField(choices=BillingTime.choices, required=False)
    starts_at = AwareDateTimeField(required=False, allow_null=True, help_text="Now; may lie in the past or the future.")
    bill_from = AwareDateTimeField(
        required=False, allow_null=True, help_text="From when on there is something to bill; the start or later."
    )


class TerminationSerializer(StrictSerializer):
    """When a subscription ends."""

    at = AwareDateTimeField(
        required=False, allow_null=True, is_future=True, help_text="Now, or a time to come after the start."
    )


class PlanChangeSerializer(StrictSerializer):
    """What plan a subscription changes to."""

    plan = TypeIDField("plan", help_text=CHANGE_HELP)

"""Subscriptions, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.api.subscription_serializers import (
    NewSubscriptionAnswerSerializer,
    NewSubscriptionSerializer,
    PlanChangeSerializer,
    SubscriptionChangesSerializer,
    SubscriptionSerializer,
    TerminationSerializer,
)
from customers.models import Subscription, SubscriptionStatus
from customers.models.subscription import SubscriptionQuerySet
from customers.operations.plan_changes import cancel_pending_change, change_plan
from customers.operations.subscriptions import start_subscription, terminate_subscription, update_subscription


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
    """
    Subscriptions.

    Those of a deleted customer are on no list, but each is read by its id: lines of invoices that stay refer to it.
    """

    queryset = Subscription.objects.select_related("customer", "plan").prefetch_related("successors")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    scope_read, scope_write = "customers:read", "customers:write"
    secret_fields = ("credential.key", "credential.client_secret")
    bodies = {
        "create": NewSubscriptionSerializer,
        "partial_update": SubscriptionChangesSerializer,
        "terminate": TerminationSerializer,
        "change_plan": PlanChangeSerializer,
    }
    answers = {"create": NewSubscriptionAnswerSerializer}

    def get_queryset(self) -> Any:
        """Return the subscriptions; for a list those of live customers."""
        subscriptions: Any = super().get_queryset()
        return subscriptions.of_live_customers() if self.verb == "list" else subscriptions

    def create(self, request: Request) -> Response:
        """Subscribe a customer to a plan; its key or client secret is in this answer only."""
        subscription: Any = start_subscription(**self.body(), now=timezone.now())
        subscription.credential = self.issued[0]
        return self.created(subscription)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a subscription; its planned end is fixed while a change of plan is pending."""
        return self._stored(update_subscription(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """End a subscription now (its keys are revoked and the final invoice is drawn) or plan its end."""
        return self._stored(terminate_subscription(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"], url_path="change-plan")
    def change_plan(self, request: Request, pk: str) -> Response:
        """Change the plan, now for a dearer one, else at the period's end; answers the subscription that runs now."""
        return self._stored(change_plan(self.get_object().id, **self.body(), now=timezone.now()))

    @action(detail=True, methods=["post"], url_path="cancel-pending-change")
    def cancel_pending_change(self, request: Request, pk: str) -> Response:
        """Let a subscription go on with the plan it has."""
        return self._stored(cancel_pending_change(self.get_object().id, now=timezone.now()))

    def _stored(self, subscription: Subscription) -> Response:
        """Answer with what is stored now: an operation's own object may hold what was prefetched before it."""
        return self.answer(self.get_queryset().get(pk=subscription.id))

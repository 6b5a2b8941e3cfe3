"""Subscribers, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import CharFilter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.deletion import ConfirmationQuery
from config.api.fields import TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import DeletedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from customers.models import Subscriber
from customers.models.subscriber import SubscriberQuerySet
from customers.operations.subscribers import create_subscriber, delete_subscriber, update_subscriber
from customers.queries.suggestions import with_suggestions


class SubscriberSerializer(StrictModelSerializer):
    """A subscriber; an unclassified one has as ``suggested_customer`` the only customer with its e-mail domain."""

    suggested_customer = TypeIDField("cust", source="suggestion.pk", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Subscriber
        fields = [
            "id", "customer", "email", "first_name", "last_name", "subscriber_id", "suggested_customer", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class SubscriberChangesSerializer(StrictSerializer):
    """What of a subscriber can change."""

    email = serializers.EmailField(max_length=254)
    first_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    subscriber_id = serializers.CharField(
        max_length=255, required=False, allow_null=True, allow_blank=True, help_text="Our own id where none is given."
    )
    customer = TypeIDField(
        "cust", required=False, help_text="UNCLASSIFIED by default; only out of there a subscriber can be moved."
    )


class SubscriberFilter(StrictFilterSet):
    """Which subscribers."""

    customer = TypeIDFilter(prefix="cust")
    email = CharFilter(method="with_email", help_text="The whole address, in whatever case.")
    subscriber_id = CharFilter()
    search = CharFilter(method="with_words", help_text="Beginnings of words of the e-mail, the names or the id.")

    def with_email(self, subscribers: SubscriberQuerySet, name: str, value: str) -> SubscriberQuerySet:
        """Keep those with the e-mail address."""
        return subscribers.with_email(value)

    def with_words(self, subscribers: SubscriberQuerySet, name: str, value: str) -> SubscriberQuerySet:
        """Keep those with all the words."""
        return subscribers.searched(value)


class SubscriberViewSet(Listed, Retrieved, ApiViewSet):
    """Subscribers."""

    queryset = Subscriber.objects.live()
    serializer_class = SubscriberSerializer
    filterset_class = SubscriberFilter
    scope_read, scope_write = "customers:read", "customers:write"
    bodies = {"create": SubscriberChangesSerializer, "partial_update": SubscriberChangesSerializer}
    queries = {"destroy": ConfirmationQuery}
    answers = {"destroy": DeletedSerializer}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the subscribers, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(with_suggestions(page or ()), many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one subscriber."""
        return self.answer(_furnished(self.get_object()))

    def create(self, request: Request) -> Response:
        """Create a subscriber."""
        return self.created(_furnished(create_subscriber(**self.body(), now=timezone.now())))

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a subscriber; another ``customer`` takes an unclassified one over, with its usage."""
        return self.answer(_furnished(update_subscriber(self.get_object().id, **self.body(), now=timezone.now())))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a subscriber; its keys are revoked."""
        subscriber = delete_subscriber(self.get_object().id, confirm=self.query()["confirm"], now=timezone.now())
        return self.answer({"id": subscriber.id, "deleted": True, "deleted_at": subscriber.deleted_at})


def _furnished(subscriber: Subscriber) -> Any:
    """Return the subscriber with the customer it probably belongs to."""
    return with_suggestions([subscriber])[0]

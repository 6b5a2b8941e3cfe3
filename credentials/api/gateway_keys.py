"""Keys at gateways, as JSON: where a credential stands, and what a gateway made in place of it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import EnumField, TypeIDField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import StrictModelSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from credentials.api.credential_serializers import SHOWN_ONCE
from credentials.models import GatewayKey, GatewayKeyStatus, WantedKey
from credentials.operations.gateway_key_requests import retry_gateway_key, reveal_gateway_key


class GatewayKeySerializer(StrictModelSerializer):
    """
    One secret of a credential at one gateway; a rotation makes another, with the next ``generation``.

    ``wanted`` is how it should be there, ``status`` how it is as far as we know. PENDING: it was not sent yet. LOST: it
    is not there, and its secret is gone, so that the credential has to be rotated. UNSUPPORTED: the gateway cannot take
    such credentials. Where ``next_try_at`` is given, it is tried again then.
    """

    subscription = TypeIDField("sub", source="credential.subscription_id", read_only=True, allow_null=True)
    gateway = TypeIDField("gate", source="mapping.gateway_id", read_only=True)
    product = TypeIDField("prod", source="mapping.product_id", read_only=True)
    wanted = EnumField(choices=WantedKey.choices, read_only=True)
    status = EnumField(choices=GatewayKeyStatus.choices, read_only=True)
    last_error = serializers.CharField(read_only=True, allow_null=True)
    last_error_code = serializers.CharField(read_only=True, allow_null=True)
    has_something_to_show = serializers.BooleanField(
        read_only=True, help_text="Whether the gateway made credentials of its own that nobody has seen yet: reveal it."
    )

    class Meta:
        model = GatewayKey
        fields = [
            "id", "credential", "subscription", "mapping", "gateway", "product", "generation", "wanted", "status",
            "placed_at", "remove_at", "last_error", "last_error_code", "next_try_at", "has_something_to_show",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: GatewayKey) -> dict[str, Any]:
        """Return null for what there is none of."""
        shown: dict[str, Any] = super().to_representation(instance)
        return {**shown, **{name: shown[name] or None for name in ("last_error", "last_error_code")}}


class RevealedGatewayKeySerializer(GatewayKeySerializer):
    """A key with what the gateway made: ``key``, or ``client_id`` and ``client_secret``."""

    key = serializers.CharField(read_only=True, allow_null=True, default=None, help_text=SHOWN_ONCE)
    client_id = serializers.CharField(read_only=True, allow_null=True, default=None)
    client_secret = serializers.CharField(read_only=True, allow_null=True, default=None, help_text=SHOWN_ONCE)

    class Meta(GatewayKeySerializer.Meta):
        fields = [*GatewayKeySerializer.Meta.fields, "key", "client_id", "client_secret"]
        read_only_fields = fields


class GatewayKeyFilter(StrictFilterSet):
    """Which keys."""

    credential = TypeIDFilter(prefix="key")
    subscription = TypeIDFilter(prefix="sub", field_name="credential__subscription")
    customer = TypeIDFilter(prefix="cust", field_name="credential__customer")
    mapping = TypeIDFilter(prefix="gmap")
    gateway = TypeIDFilter(prefix="gate", field_name="mapping__gateway")
    status = ChoiceFilter(choices=GatewayKeyStatus.choices)


class GatewayKeyViewSet(Listed, Retrieved, ApiViewSet):
    """Keys at gateways."""

    queryset = GatewayKey.objects.select_related("credential", "mapping")
    serializer_class = GatewayKeySerializer
    filterset_class = GatewayKeyFilter
    scope_read, scope_write = "credentials:read", "credentials:write"
    secret_fields = ("key", "client_secret")
    answers = {"reveal": RevealedGatewayKeySerializer}

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Send a key again that is not as it should be; one that was lost is looked for once more."""
        retry_gateway_key(self.get_object().id, now=timezone.now())
        return self.answer(self.get_queryset().get(pk=pk))

    @action(detail=True, methods=["post"])
    def reveal(self, request: Request, pk: str) -> Response:
        """Show what the gateway made for a key, in this answer only."""
        key = reveal_gateway_key(self.get_object().id, now=timezone.now())
        vars(key).update(self.issued[0].shown_once)
        return self.answer(key)

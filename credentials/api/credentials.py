"""Credentials of every kind as JSON, and the verification of secrets."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import EnumField, ReferenceField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from credentials.api.api_keys import STATUSES, KeySerializer
from credentials.models import Credential, CredentialKind
from credentials.models.credential import CredentialQuerySet
from credentials.operations.credentials import revoke_credential
from credentials.queries.verification import VerificationCode, verify_secret


class CredentialSerializer(KeySerializer):
    """A credential, without its secret."""

    type = EnumField(source="kind", choices=CredentialKind.choices, read_only=True)
    customer = ReferenceField(prefix="cust", read_only=True)
    subscription = ReferenceField(prefix="sub", read_only=True, allow_null=True)

    class Meta:
        model = Credential
        fields = (
            "id", "type", "name", "client_id", "prefix", "last_four", "scopes", "tags", "status", "customer",
            "subscription", "created_at", "expires_at", "revoked_at", "last_used",
        )  # fmt: skip
        read_only_fields = fields


class VerificationQuestionSerializer(StrictSerializer):
    """A secret that somebody has presented, and what they want to do with it."""

    key = serializers.CharField(max_length=512, trim_whitespace=False)
    scope = serializers.CharField(max_length=100, required=False, allow_null=True)


class VerificationSerializer(StrictSerializer):
    """Whether the bearer may come in, why not, and who it is."""

    valid = serializers.BooleanField(source="is_valid")
    code = EnumField(choices=[code.value for code in VerificationCode])
    credential = ReferenceField(prefix="key", read_only=True, allow_null=True)
    customer = ReferenceField(source="credential.customer", prefix="cust", read_only=True, allow_null=True)
    subscription = ReferenceField(source="credential.subscription", prefix="sub", read_only=True, allow_null=True)
    scopes = serializers.ListField(source="credential.scopes", child=serializers.CharField(), default=list)


class CredentialFilter(StrictFilterSet):
    """Which credentials."""

    customer = TypeIDFilter(prefix="cust")
    subscription = TypeIDFilter(prefix="sub")
    type = ChoiceFilter(field_name="kind", choices=CredentialKind.choices)
    status = ChoiceFilter(choices=[(status, status) for status in STATUSES], method="with_status")

    class Meta:
        model = Credential
        fields = ()

    def with_status(self, credentials: CredentialQuerySet, name: str, value: str) -> CredentialQuerySet:
        """Keep those with the status now."""
        now = timezone.now()
        by_status = {
            "active": credentials.usable(now),
            "expired": credentials.filter(revoked_at__isnull=True, expires_at__lte=now),
            "revoked": credentials.filter(revoked_at__isnull=False),
        }
        return by_status[value]


class CredentialViewSet(Listed, Retrieved, ApiViewSet):
    """Credentials."""

    queryset = Credential.objects.filter(customer__deleted_at__isnull=True)
    serializer_class = CredentialSerializer
    filterset_class = CredentialFilter
    scope_read, scope_write = "credentials:read", "credentials:write"
    bodies = {"verify": VerificationQuestionSerializer}
    answers = {"verify": VerificationSerializer}

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Make a credential let nobody in any more."""
        return self.answer(revoke_credential(self.get_object().id, now=timezone.now()))

    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """
        Judge a secret now.

        Always answers 200 where the question is well formed; `code` says what speaks against the bearer.
        """
        body: dict[str, Any] = self.body()
        return self.answer(verify_secret(body["key"], scope=body.get("scope"), now=timezone.now()))

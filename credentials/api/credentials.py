"""Credentials and their verification, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import ChoiceFilter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import AwareDateTimeField, EnumField
from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import RevokedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from credentials.models import Credential, CredentialKind
from credentials.operations.credentials import issue_customer_key, revoke_credential
from credentials.queries.verification import Verification, VerificationCode, verify_secret
from customers.models import Customer

STATUSES = ("active", "expired", "revoked")


class StatusSerializer(StrictModelSerializer):
    """Anything with a status that the clock has a say in."""

    status = serializers.SerializerMethodField()

    def get_status(self, credential: Credential) -> str:
        """Return ``active``, ``expired`` or ``revoked``, now."""
        return credential.status(timezone.now())


class CredentialSerializer(StatusSerializer):
    """A credential; its secret was shown once and cannot be read."""

    type = EnumField(choices=CredentialKind.choices, source="kind", read_only=True)
    last_used = AwareDateTimeField(source="last_used_at", read_only=True, allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Credential
        fields = [
            "id", "type", "name", "client_id", "prefix", "last_four", "scopes", "tags", "status", "customer",
            "subscription", "created_at", "expires_at", "revoked_at", "last_used",
        ]  # fmt: skip
        read_only_fields = fields


class ApiKeySerializer(CredentialSerializer):
    """A key of a customer."""

    class Meta(CredentialSerializer.Meta):
        fields = ["id", "name", "scopes", "tags", "status", "last_used", "created_at", "expires_at"]
        read_only_fields = fields


class NewApiKeyAnswerSerializer(ApiKeySerializer):
    """A key just issued, with its secret this once."""

    key = serializers.CharField(read_only=True, allow_null=True, help_text="Shown in this answer only.")

    class Meta(ApiKeySerializer.Meta):
        fields = ["id", "key", *ApiKeySerializer.Meta.fields[1:]]


class NewApiKeySerializer(StrictSerializer):
    """What issues a key."""

    name = serializers.CharField(max_length=200)
    scopes = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100, allow_empty=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50, required=False)
    expires_at = AwareDateTimeField(required=False, allow_null=True)


class SecretSerializer(StrictSerializer):
    """What a caller presented, and the scope it needs."""

    key = serializers.CharField(max_length=255, help_text="The key or client secret in clear.")
    scope = serializers.CharField(max_length=100, required=False)


class VerificationSerializer(serializers.Serializer[Verification]):
    """Whether the bearer may come in, and if not, why not."""

    valid = serializers.BooleanField(source="is_valid")
    code = serializers.ChoiceField(choices=[(code.value, code.value) for code in VerificationCode])
    credential = serializers.CharField(source="credential.id", allow_null=True, default=None)
    customer = serializers.CharField(source="credential.customer_id", allow_null=True, default=None)
    subscription = serializers.CharField(source="credential.subscription_id", allow_null=True, default=None)
    scopes = serializers.ListField(child=serializers.CharField(), source="credential.scopes", default=list)


class CredentialFilter(StrictFilterSet):
    """Which credentials."""

    customer = TypeIDFilter(prefix="cust")
    subscription = TypeIDFilter(prefix="sub")
    type = ChoiceFilter(field_name="kind", choices=CredentialKind.choices)
    status = ChoiceFilter(choices=[(status, status) for status in STATUSES], method="with_status")

    def with_status(self, credentials: Any, name: str, value: str) -> Any:
        """Keep those with the status now."""
        return credentials.with_status(value, timezone.now())


class CredentialViewSet(Listed, Retrieved, ApiViewSet):
    """Credentials of all customers."""

    queryset = Credential.objects.all()
    serializer_class = CredentialSerializer
    filterset_class = CredentialFilter
    scope_read, scope_write = "credentials:read", "credentials:write"
    bodies = {"verify": SecretSerializer}
    answers = {"verify": VerificationSerializer}

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Make a credential let nobody in any more."""
        return self.answer(revoke_credential(self.get_object().id, now=timezone.now()))

    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """Say whether a secret lets its bearer in now, and if not, why not."""
        body = self.body()
        return self.answer(verify_secret(body["key"], scope=body.get("scope"), now=timezone.now()))


class ApiKeyViewSet(Listed, ApiViewSet):
    """The keys of one customer."""

    queryset = Credential.objects.all()
    serializer_class = ApiKeySerializer
    scope_read, scope_write = "credentials:read", "credentials:write"
    secret_fields = ("key",)
    bodies = {"create": NewApiKeySerializer}
    answers = {"create": NewApiKeyAnswerSerializer, "destroy": RevokedSerializer}

    @property
    def customer(self) -> Customer:
        """The customer in the path; raises ``NotFound`` for an unknown one."""
        return Customer.objects.live().real().find(self.kwargs["customer_id"])

    def get_queryset(self) -> Any:
        """Return the keys of the customer."""
        return Credential.objects.filter(customer=self.customer, kind=CredentialKind.API_KEY)

    def create(self, request: Request, customer_id: str) -> Response:
        """Issue a key bound to the customer; the secret is in this answer only."""
        credential: Any = issue_customer_key(self.customer.id, **self.body(), now=timezone.now())
        credential.key = self.issued[0].shown_once["key"]
        return self.created(credential, location=f"/v1/credentials/{credential.id}")

    def destroy(self, request: Request, customer_id: str, pk: str) -> Response:
        """Revoke a key."""
        credential = revoke_credential(self.get_object().id, now=timezone.now())
        return self.answer({"id": credential.id, "revoked": True, "revoked_at": credential.revoked_at})

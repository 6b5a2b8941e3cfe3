"""Credentials and their verification, as they stand in JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from config.api.fields import AwareDateTimeField, EnumField, TypeIDField
from config.api.serializers import StrictModelSerializer, StrictSerializer
from credentials.models import Credential, CredentialKind
from credentials.operations.credentials import LONGEST_GRACE
from credentials.queries.verification import Verification, VerificationCode
from customers.models.agent import RATE_LIMITS

SHOWN_ONCE = "Shown in this answer only."
LONGEST_GRACE_S = int(LONGEST_GRACE.total_seconds())


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
            "subscription", "agent", "subscriber", "created_at", "expires_at", "revoked_at", "previous_until",
            "last_used",
        ]  # fmt: skip
        read_only_fields = fields


class RotatedCredentialSerializer(CredentialSerializer):
    """A credential with the secret it has just got: ``key``, or ``client_secret`` of client credentials."""

    key = serializers.CharField(read_only=True, allow_null=True, default=None, help_text=SHOWN_ONCE)
    client_secret = serializers.CharField(read_only=True, allow_null=True, default=None, help_text=SHOWN_ONCE)

    class Meta(CredentialSerializer.Meta):
        fields = [*CredentialSerializer.Meta.fields, "key", "client_secret"]
        read_only_fields = fields


class ApiKeySerializer(CredentialSerializer):
    """A key of a customer."""

    class Meta(CredentialSerializer.Meta):
        fields = [
            "id", "name", "scopes", "tags", "status", "subscription", "agent", "subscriber", "last_used", "created_at",
            "expires_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewApiKeyAnswerSerializer(ApiKeySerializer):
    """A key just issued or rotated, with its secret this once."""

    key = serializers.CharField(read_only=True, allow_null=True, help_text=SHOWN_ONCE)

    class Meta(ApiKeySerializer.Meta):
        fields = ["id", "key", *ApiKeySerializer.Meta.fields[1:]]


class NewApiKeySerializer(StrictSerializer):
    """What issues a key."""

    name = serializers.CharField(max_length=200)
    scopes = serializers.ListField(child=serializers.CharField(max_length=100), max_length=100, allow_empty=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50, required=False)
    expires_at = AwareDateTimeField(required=False, allow_null=True, is_future=True)
    subscription = TypeIDField("sub", required=False, allow_null=True, help_text="One of the customer's own.")
    agent = TypeIDField("agent", required=False, allow_null=True, help_text="One of the customer's own.")
    subscriber = TypeIDField("subr", required=False, allow_null=True, help_text="One of the customer's own.")


class RotationSerializer(StrictSerializer):
    """How long the old secret goes on working; not at all where nothing is said."""

    grace_seconds = serializers.IntegerField(min_value=0, max_value=LONGEST_GRACE_S, default=0)


class SecretSerializer(StrictSerializer):
    """What a caller presented, the scope it needs and the capability that its agent needs to have declared."""

    key = serializers.CharField(max_length=255, help_text="The key or client secret in clear.")
    scope = serializers.CharField(max_length=100, required=False)
    capability = serializers.CharField(max_length=100, required=False)


class BearerLimitsSerializer(serializers.Serializer[dict[str, Any]]):
    """What the customer may use, and beside it the agent's own rate limits where the credential has an agent."""

    daily_requests = serializers.IntegerField()
    rate_limit = serializers.IntegerField(help_text="Requests a minute.")
    max_tokens_per_request = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Return the customer's limits and the agent's."""
        own = {name: serializers.IntegerField(allow_null=True) for name in RATE_LIMITS}
        return {**super().get_fields(), **own}


class VerificationSerializer(serializers.Serializer[Verification]):
    """Whether the bearer may come in, and if not, why not."""

    valid = serializers.BooleanField(source="is_valid")
    code = serializers.ChoiceField(choices=[(code.value, code.value) for code in VerificationCode])
    credential = serializers.CharField(source="credential.id", allow_null=True, default=None)
    customer = serializers.CharField(source="credential.customer_id", allow_null=True, default=None)
    subscription = serializers.CharField(source="credential.subscription_id", allow_null=True, default=None)
    agent = serializers.CharField(source="credential.agent_id", allow_null=True, default=None)
    subscriber = serializers.CharField(source="credential.subscriber_id", allow_null=True, default=None)
    scopes = serializers.ListField(child=serializers.CharField(), source="credential.scopes", default=list)
    limits = BearerLimitsSerializer(allow_null=True)

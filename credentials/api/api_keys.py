"""The API keys of one customer as JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import AwareDateTimeField, EnumField
from config.api.serializers import RevokedSerializer, StrictModelSerializer, StrictSerializer
from config.api.views import ApiViewSet
from credentials.models import Credential, CredentialKind
from credentials.models.credential import CredentialQuerySet
from credentials.operations.credentials import issue_customer_key, revoke_credential
from customers.models import Customer

STATUSES = ("active", "expired", "revoked")

MAX_WORDS = 100


class KeySerializer(StrictModelSerializer):
    """A key of a customer, without its secret."""

    status = serializers.SerializerMethodField()
    last_used = AwareDateTimeField(source="last_used_at", read_only=True, allow_null=True)

    class Meta:
        model = Credential
        fields: tuple[str, ...] = (
            "id", "name", "prefix", "last_four", "scopes", "tags", "status", "subscription", "last_used", "created_at",
            "expires_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(EnumField(choices=STATUSES))
    def get_status(self, credential: Credential) -> str:
        """Return the status now."""
        return credential.status(timezone.now())


class KeyListSerializer(StrictSerializer):
    """All keys of a customer, newest first."""

    data = KeySerializer(many=True)


class IssuedKeySerializer(KeySerializer):
    """A key just issued, with its secret."""

    key = serializers.SerializerMethodField(help_text="Shown once; null in a replay.")

    class Meta(KeySerializer.Meta):
        fields = (*KeySerializer.Meta.fields, "key")

    def get_key(self, credential: Credential) -> str | None:
        """Return the secret; the view's context holds those made while the request ran."""
        issued = self.context["view"].issued
        return next((one.shown_once["key"] for one in issued if one.credential == credential.pk), None)


def words(**options: Any) -> serializers.ListField:
    """Return a field for a list of short texts."""
    return serializers.ListField(child=serializers.CharField(max_length=100), max_length=MAX_WORDS, **options)


class NewKeySerializer(StrictSerializer):
    """What makes a key; scopes are words of the customer's own product, and ``*`` is all of them."""

    name = serializers.CharField(max_length=200)
    scopes = words(allow_empty=False)
    tags = words(required=False)
    expires_at = AwareDateTimeField(required=False, allow_null=True)


class CustomerKeyViewSet(ApiViewSet):
    """The API keys of one customer."""

    queryset = Credential.objects.all()
    serializer_class = KeySerializer
    scope_read, scope_write = "credentials:read", "credentials:write"
    secret_fields = ("key",)
    lists = ()
    bodies = {"create": NewKeySerializer}
    answers = {"list": KeyListSerializer, "create": IssuedKeySerializer, "destroy": RevokedSerializer}

    @property
    def customer(self) -> Customer:
        """The customer of the address; raises ``NotFound`` for an unknown or deleted one."""
        return Customer.objects.live().real().find(self.kwargs["customer_pk"])

    def get_queryset(self) -> CredentialQuerySet:
        """Return the customer's keys, those of its subscriptions included."""
        return Credential.objects.filter(customer=self.customer, kind=CredentialKind.API_KEY)

    def list(self, request: Request, customer_pk: str) -> Response:
        """List the keys of a customer, newest first."""
        return self.answer({"data": self.get_queryset().newest_first()})

    def create(self, request: Request, customer_pk: str) -> Response:
        """Issue a key bound to a customer as a whole."""
        customer = self.customer
        credential = issue_customer_key(customer.id, **self.body(), now=timezone.now())
        return self.created(credential, location=f"/v1/credentials/{credential.id}")

    def destroy(self, request: Request, customer_pk: str, pk: str) -> Response:
        """Revoke a key of a customer."""
        revoked = revoke_credential(self.get_object().id, now=timezone.now())
        return self.answer({"id": revoked.id, "revoked_at": revoked.revoked_at})

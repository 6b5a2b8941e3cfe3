"""Credentials and their verification, as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.filters import StrictFilterSet, TypeIDFilter
from config.api.serializers import RevokedSerializer
from config.api.views import ApiViewSet, Listed, Retrieved
from credentials.api.credential_serializers import (
    ApiKeySerializer,
    CredentialSerializer,
    NewApiKeyAnswerSerializer,
    NewApiKeySerializer,
    RotatedCredentialSerializer,
    RotationSerializer,
    SecretSerializer,
    VerificationSerializer,
)
from credentials.models import Credential, CredentialKind
from credentials.operations.credentials import issue_customer_key, revoke_credential, rotate_credential
from credentials.queries.verification import verify_secret
from credentials.uses import note_use
from customers.models import Customer

STATUSES = ("active", "expired", "revoked")


class CredentialFilter(StrictFilterSet):
    """Which credentials."""

    customer = TypeIDFilter(prefix="cust")
    subscription = TypeIDFilter(prefix="sub")
    agent = TypeIDFilter(prefix="agent")
    subscriber = TypeIDFilter(prefix="subr")
    tag = CharFilter(method="with_tag")
    type = ChoiceFilter(field_name="kind", choices=CredentialKind.choices)
    status = ChoiceFilter(choices=[(status, status) for status in STATUSES], method="with_status")

    def with_status(self, credentials: Any, name: str, value: str) -> Any:
        """Keep those with the status now."""
        return credentials.with_status(value, timezone.now())

    def with_tag(self, credentials: Any, name: str, value: str) -> Any:
        """Keep those with the tag."""
        return credentials.filter(tags__contains=[value])


def rotated(view: ApiViewSet) -> Any:
    """Rotate the credential that the path of ``view`` names, and return it with the secret that is shown this once."""
    grace = timedelta(seconds=view.body()["grace_seconds"])
    credential = rotate_credential(view.get_object().id, grace=grace, now=timezone.now())
    vars(credential).update(view.issued[0].secrets)
    return credential


class CredentialViewSet(Listed, Retrieved, ApiViewSet):
    """Credentials of all customers."""

    queryset = Credential.objects.live()
    serializer_class = CredentialSerializer
    filterset_class = CredentialFilter
    scope_read, scope_write = "credentials:read", "credentials:write"
    secret_fields = ("key", "client_secret")
    bodies = {"rotate": RotationSerializer, "verify": SecretSerializer}
    answers = {"rotate": RotatedCredentialSerializer, "verify": VerificationSerializer}

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Make a credential let nobody in any more."""
        return self.answer(revoke_credential(self.get_object().id, now=timezone.now()))

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Give a credential a new secret, in this answer only; the old one works until its grace is over."""
        return self.answer(rotated(self))

    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """Say whether a secret lets its bearer in now, and if not, why not."""
        asked, now = self.body(), timezone.now()
        found = verify_secret(asked.pop("key"), **asked, now=now)
        if found.credential is not None and found.is_valid:
            note_use(found.credential.id, now)
        return self.answer(found)


class ApiKeyViewSet(Listed, ApiViewSet):
    """The keys of one customer."""

    queryset = Credential.objects.all()
    serializer_class = ApiKeySerializer
    scope_read, scope_write = "credentials:read", "credentials:write"
    secret_fields = ("key",)
    bodies = {"create": NewApiKeySerializer, "rotate": RotationSerializer}
    answers = {
        "create": NewApiKeyAnswerSerializer,
        "destroy": RevokedSerializer,
        "rotate": NewApiKeyAnswerSerializer,
    }

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

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, customer_id: str, pk: str) -> Response:
        """Give a key a new secret, in this answer only; the old one works until its grace is over."""
        return self.answer(rotated(self))

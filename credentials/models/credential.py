"""Credentials: what a customer's system presents, and what usage is attributed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel.history import History
from config.kernel.ids import TypeIDField
from credentials.models.keyed import Keyed, KeyedQuerySet
from customers.models import Agent, Customer, Subscriber, Subscription


class CredentialKind(models.TextChoices):
    """What is presented."""

    API_KEY = "api_key", "API key"
    CLIENT_CREDENTIALS = "client_credentials", "Client credentials"


class CredentialQuerySet(KeyedQuerySet["Credential"]):
    """Credentials, those of deleted customers included until ``live()`` is asked for."""

    def live(self) -> Self:
        """Keep those whose customer is not deleted."""
        return self.filter(customer__deleted_at__isnull=True)

    def with_secret(self, digests: Sequence[bytes]) -> Self:
        """Keep those whose secret, or the one before the last rotation, is kept as one of ``digests``."""
        return self.filter(Q(digest__in=digests) | Q(previous_digest__in=digests))


class Credential(Keyed):
    """A key or a client id with its secret, bound to a customer and, when it was issued for one, to a subscription."""

    id = TypeIDField("key")
    kind = models.CharField(max_length=20, choices=CredentialKind, default=CredentialKind.API_KEY, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="credentials")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="credentials"
    )
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="credentials")
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.PROTECT, null=True, blank=True, related_name="credentials"
    )
    #: The secret before the last rotation; it works until ``previous_until``.
    previous_digest = models.BinaryField(max_length=32, unique=True, null=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    client_id = models.CharField("client id", max_length=64, null=True, blank=True, unique=True, editable=False)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    objects = CredentialQuerySet.as_manager()
    history = History(excluded_fields=["digest", "previous_digest", "last_used_at"])

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="credential_in_use_has_a_digest",
                condition=Q(digest__isnull=False) | Q(revoked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="credential_previous_secret_has_an_end",
                condition=Q(previous_digest__isnull=True) | Q(previous_until__isnull=False),
            ),
            models.CheckConstraint(
                name="credential_of_a_client_has_a_client_id",
                condition=Q(kind=CredentialKind.API_KEY, client_id__isnull=True)
                | Q(kind=CredentialKind.CLIENT_CREDENTIALS, client_id__isnull=False),
            ),
        ]

    def was_replaced(self, digests: Sequence[bytes], now: datetime) -> bool:
        """Tell whether the secret kept as one of ``digests`` is one that a rotation has ended by ``now``."""
        is_previous = self.previous_digest is not None and bytes(self.previous_digest) in digests
        return is_previous and self.previous_until is not None and self.previous_until <= now

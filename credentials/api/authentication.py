"""Operator keys as callers of the API."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from config.api.authentication import BearerAuthentication
from credentials.models import OperatorKey
from credentials.secrets import digests


class OperatorKeyAuthentication(BearerAuthentication):
    """``Authorization: Bearer mk_live_…``: found by its digest, one indexed look-up."""

    def find_caller(self, secret: str) -> OperatorKey | None:
        """Return the usable key with this secret."""
        keys = OperatorKey.objects.usable(timezone.now())
        return keys.filter(digest__in=digests(secret, settings.SECRET_PEPPERS)).first()

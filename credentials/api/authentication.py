"""Operator keys as callers of the API."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from config.api.authentication import BearerAuthentication
from credentials.models import OperatorKey
from credentials.secrets import digests
from credentials.uses import note_use


class OperatorKeyAuthentication(BearerAuthentication):
    """``Authorization: Bearer mk_live_…``: found by its digest, one indexed look-up."""

    def find_caller(self, secret: str) -> OperatorKey | None:
        """Return the usable key with this secret."""
        now = timezone.now()
        keys = OperatorKey.objects.usable(now)
        found = keys.filter(digest__in=digests(secret, settings.SECRET_PEPPERS)).first()
        if found is not None:
            note_use(found.id, now)
        return found

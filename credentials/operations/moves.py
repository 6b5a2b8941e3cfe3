"""Credentials that go on under another subscription, because its plan was changed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from credentials.models import Credential
from credentials.operations.gateway_keys import follow_plan, with_access


@transaction.atomic
def move_credentials(*, subscription_id: str, successor_id: str, now: datetime) -> None:
    """Bind what is not revoked of a subscription's credentials to its successor; secrets, scopes and ids stay."""
    bound = Credential.objects.filter(subscription_id=subscription_id, revoked_at__isnull=True).order_by("id")
    moved = list(bound.select_for_update())
    for credential in moved:
        credential.subscription_id = successor_id
        credential.save_changes("subscription", now=now)
    follow_plan(with_access(Credential.objects.filter(pk__in=[one.pk for one in moved])).order_by("id"), now=now)

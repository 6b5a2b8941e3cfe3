"""What operators ask of keys at gateways: try again, and show what the gateway made."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.sealing import Unsealable, unseal
from config.kernel.secrets import IssuedSecret, hand_over
from credentials.errors import GatewayKeyNotRetried, GatewayKeyUnreadable, NothingToShow
from credentials.models import GatewayKey
from credentials.operations.gateway_keys import AFRESH, wake


@transaction.atomic
def retry_gateway_key(key_id: str, *, now: datetime) -> GatewayKey:
    """
    Send a key again that is not as it should be; one that was lost is looked for once more.

    Raises:
        NotFound: unknown key.
        GatewayKeyNotRetried: it is as it should be, or the gateway cannot take it.
    """
    key = GatewayKey.objects.select_related("mapping").lock(key_id)
    if not key.can_be_retried:
        raise GatewayKeyNotRetried(status=key.status)
    wake(key, now)
    key.save_changes(*AFRESH, "job_number", "requested_at", now=now)
    return key


@transaction.atomic
def reveal_gateway_key(key_id: str, *, now: datetime) -> GatewayKey:
    """
    Hand over what the gateway made for a key, this once, to ``issued_secrets``.

    Raises:
        NotFound: unknown key.
        NothingToShow: it made nothing, or that has been shown.
        GatewayKeyUnreadable: what was kept cannot be opened any more.
    """
    key = GatewayKey.objects.select_related("credential", "mapping__gateway").lock(key_id)
    if key.made is None:
        raise NothingToShow
    try:
        made = unseal(bytes(key.made), bound_to=key.id)
    except Unsealable as error:
        raise GatewayKeyUnreadable from error
    shown = {"key" if name == "api_key" else name: str(value) for name, value in made.items()}
    hand_over(
        IssuedSecret(
            owner=key.credential.subscription_id or key.credential.customer_id,
            credential=key.credential_id,
            kind=key.credential.kind,
            name=f"{key.credential.name} at {key.mapping.gateway}",
            prefix="",
            last_four=(shown.get("client_secret") or shown.get("key", ""))[-4:],
            shown_once=shown,
        )
    )
    key.made = None
    key.save_changes("made", now=now)
    return key

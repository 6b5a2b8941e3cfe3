"""
The outbox of keys: place, suspend and remove them at gateways.

A gateway has one worker for keys at a time, beside the one that compares, held by a lease on its row. What lets nobody
in any more comes first. The network is asked outside any transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, Value, When

from catalog.gateways import GatewayAdapter, GatewayFailure, adapter_for, vendor_of
from catalog.gateways.failures import KeyGone, NotAllowed, ObjectMissing, Unsupported
from catalog.gateways.interface import KeyGrant
from catalog.limits import limits_of
from catalog.models import Gateway
from catalog.operations.gateways import connection_of
from config.kernel.sealing import Unsealable, unseal
from credentials.models import GatewayKey, WantedKey
from credentials.operations.gateway_key_outcomes import Delivered, end_delivery, fail_delivery
from credentials.operations.gateway_keys import SECRET_GONE

#: After what silence a worker counts as dead; longer than any one call with its repetitions.
LEASE = timedelta(minutes=10)
SECRET_UNREADABLE = "The secret was sealed with an encryption key that is no more: rotate the credential"
REMOVED_INSTEAD = "The gateway cannot switch the key off, so it was removed there: rotate the credential"

URGENCY = Case(
    When(wanted=WantedKey.ABSENT, then=Value(0)),
    When(wanted=WantedKey.SUSPENDED, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def deliver_keys(gateway_id: str, *, clock: Callable[[], datetime]) -> int:
    """
    Deliver the keys that wait at a gateway, one after the other, and return how many; none where a worker is at it.

    Each begins at what ``clock`` says then.
    """
    done, before = 0, -1
    # A key that came while the worker was leaving woke another one in vain, so there is a last look.
    while done > before and _take_gateway(gateway_id, clock()):
        before = done
        try:
            while deliver_next_key(gateway_id, now=clock()):
                done += 1
        finally:
            Gateway.objects.filter(pk=gateway_id).update(keys_claimed_until=None)
    return done


def deliver_next_key(gateway_id: str, *, now: datetime) -> bool:
    """
    Deliver the most urgent key at a gateway that the caller has claimed, and tell whether there was one.

    Running it twice is harmless. What fails is written down at the key, never raised.
    """
    claimed = _claim(gateway_id, now)
    if claimed is None:
        return False
    try:
        delivered = _deliver(claimed)
    except GatewayFailure as failure:
        fail_delivery(claimed, failure, now)
    except Unsealable as error:
        fail_delivery(claimed, NotAllowed(f"{error}; enter the gateway's credentials again"), now)
    else:
        end_delivery(claimed, delivered, now)
    return True


def _take_gateway(gateway_id: str, now: datetime) -> bool:
    """Take the gateway for one worker, and tell whether it was free."""
    free = Q(keys_claimed_until__isnull=True) | Q(keys_claimed_until__lte=now)
    return bool(Gateway.objects.filter(free, pk=gateway_id).update(keys_claimed_until=now + LEASE))


@transaction.atomic
def _claim(gateway_id: str, now: datetime) -> GatewayKey | None:
    """Take on the key that is most urgent and waits longest; None where there is none."""
    Gateway.objects.filter(pk=gateway_id).update(keys_claimed_until=now + LEASE)
    due = GatewayKey.objects.due(now).filter(mapping__gateway_id=gateway_id)
    due = due.select_related("mapping__gateway", "credential__subscription__plan")
    first = due.order_by(URGENCY, "requested_at", "id")
    found = first.select_for_update(skip_locked=True, of=("self",)).first()
    if found is not None:
        found.attempts += 1
        GatewayKey.objects.filter(pk=found.pk).update(attempts=F("attempts") + 1, claimed_until=now + LEASE)
    return found


def _deliver(key: GatewayKey) -> Delivered:
    """Bring the key into the state that is wanted; outside any transaction. No failure tells the secret."""
    adapter, grant = adapter_for(connection_of(key.mapping.gateway)), _grant(key)
    try:
        return _brought(adapter, key, grant)
    except GatewayFailure as failure:
        if grant.secret is not None:
            failure.args = (str(failure).replace(grant.secret, "…"),)
        raise


def _brought(adapter: GatewayAdapter, key: GatewayKey, grant: KeyGrant) -> Delivered:
    """Place, suspend or remove the key."""
    gateway, ref = key.mapping.gateway, key.mapping.external_ref
    if key.wanted == WantedKey.ABSENT:
        with suppress(KeyGone):
            adapter.remove_key(grant, key.handle, ref, last=_is_last(key))
        return Delivered()
    if key.wanted == WantedKey.ACTIVE:
        placed = adapter.place_key(grant, ref, key.mapping.product_id)
        return Delivered(handle=placed.handle, made=placed.made)
    if not vendor_of(gateway.vendor).capabilities(gateway.settings).suspends_keys:
        raise _removed_instead(adapter, key, grant)
    try:
        return _suspended(adapter, key, grant)
    except Unsupported as failure:
        raise _removed_instead(adapter, key, grant) from failure


def _suspended(adapter: GatewayAdapter, key: GatewayKey, grant: KeyGrant) -> Delivered:
    """Switch the key off; one that was never placed is brought there first, for its secret is kept for a day only."""
    ref = key.mapping.external_ref
    if grant.secret is None and key.handle:
        try:
            adapter.suspend_key(grant, key.handle, ref)
        except ObjectMissing as failure:
            raise KeyGone(SECRET_GONE) from failure
        return Delivered(handle=key.handle)
    placed = adapter.place_key(grant, ref, key.mapping.product_id)
    adapter.suspend_key(grant, placed.handle, ref)
    return Delivered(handle=placed.handle, made=placed.made)


def _removed_instead(adapter: GatewayAdapter, key: GatewayKey, grant: KeyGrant) -> KeyGone:
    """Remove a key that cannot be switched off, because it must not let in, and return what became of it."""
    with suppress(KeyGone):
        adapter.remove_key(grant, key.handle, key.mapping.external_ref, last=_is_last(key))
    return KeyGone(REMOVED_INSTEAD)


def _grant(key: GatewayKey) -> KeyGrant:
    credential = key.credential
    plan = None if credential.subscription is None else credential.subscription.plan
    return KeyGrant(
        subscription=key.consumer_id,
        key=key.id,
        plan="" if plan is None else plan.id,
        customer=credential.customer_id,
        limits=() if plan is None else tuple(limits_of(plan.limits)),
        secret=_secret_of(key),
        client_id=credential.client_id,
        is_client=credential.client_id is not None,
        state="suspended" if key.wanted == WantedKey.SUSPENDED else "active",
        handle=key.handle,
    )


def _secret_of(key: GatewayKey) -> str | None:
    """
    Return the secret that waits for the gateway, None where there is none.

    Raises:
        KeyGone: it cannot be read any more.
    """
    if key.sealed is None:
        return None
    try:
        return str(unseal(bytes(key.sealed), bound_to=key.id)["secret"])
    except Unsealable as error:
        raise KeyGone(SECRET_UNREADABLE) from error


def _is_last(key: GatewayKey) -> bool:
    """Tell whether no other key of the consumer is left, or on its way, at the gateway."""
    others = GatewayKey.objects.filter(consumer=key.consumer_id, mapping=key.mapping_id).exclude(pk=key.pk)
    return not others.there().wanted().exists()
